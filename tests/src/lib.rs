//! Tests against real servers and real drivers, and the embedded server and application of the demo.
//!
//! The library holds what tests and the demo's two programs share. It is never part of the product's binary.

pub mod captures;
pub mod daemon;
pub mod dbtap;
pub mod demo;
pub mod drivers;
pub mod kept;
pub mod kernel;
pub mod latency;
pub mod mariadb;
pub mod memcached;
pub mod mongodb;
pub mod mysql;
pub mod newer;
pub mod postgres;
pub mod redis;
pub mod vm;
pub mod whole;
