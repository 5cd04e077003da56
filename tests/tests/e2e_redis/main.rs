//! Redis' protocol from end to end: what `dbtap` reports of a process is held against what the server itself counted, command
//! by command, and against the client's own clock.
//!
//! Needs root, Redis with its tools, redis-py, and the built package `rust-drivers`; a missing one fails the test.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod expected;

mod commands;
mod load;
mod middle;
mod privacy;
mod redis_rs;

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Tests that compare times or take the whole machine run alone; all others share it.
static QUIET: RwLock<()> = RwLock::new(());

/// Held by a test that only counts.
fn shared() -> RwLockReadGuard<'static, ()> {
    QUIET.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Held by a test that needs a quiet machine.
fn alone() -> RwLockWriteGuard<'static, ()> {
    QUIET.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}
