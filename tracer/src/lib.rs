//! The library behind `dbtap`: observes the database requests of running processes from outside.
//!
//! Data flows one way:
//! `source` → `event` → `conn` → `proto` → `request` → `agg`, `why` → `report`. Statement texts (`sql`) and values (`value`)
//! become what may be kept of them inside `proto`.
//!
//! Everything from `event` to `report` is pure: no files, no clocks, no kernel, no `Result`.
//! Time is nanoseconds inside the data; a confused parser resynchronises and counts it.

pub mod agg;
#[cfg(feature = "bpf")]
pub mod capture;
pub mod cli;
pub mod config;
pub mod conn;
pub mod doctor;
pub mod event;
mod fnv;
pub mod host;
pub mod pipeline;
pub mod proto;
pub mod random;
pub mod report;
pub mod request;
pub mod source;
pub mod sql;
pub mod time;
pub mod value;
pub mod why;
