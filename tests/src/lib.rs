//! Real servers and drivers.

pub mod postgres;
