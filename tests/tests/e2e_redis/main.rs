//! Redis' protocol from end to end: what `dbtap` reports of a process is held against what the server itself counted, command
//! by command, and against the client's own clock.
//!
//! Needs root, Redis with its tools, and redis-py; a missing one fails the test.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod expected;

mod commands;
mod load;
mod middle;
mod privacy;
