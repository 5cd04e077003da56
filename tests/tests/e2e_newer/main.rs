//! Servers newer than the machine's release, each with its own client: MySQL, Valkey and PostgreSQL 17 of Debian's later
//! suites, unpacked by `cargo xtask test`. What `dbtap` reports is held against what the server counted.
//!
//! Needs root; a tree that is missing fails the test, with the remedy.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod mysql;
mod mysql_async;
mod postgresql;
mod valkey;

use std::sync::{Mutex, MutexGuard};

/// One server at a time: two processors are not enough for three that start.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static BUSY: Mutex<()> = Mutex::new(());
    BUSY.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
