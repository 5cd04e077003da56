//! MySQL's protocol from end to end: what `dbtap` reports of a process is held against what MariaDB itself counted, statement
//! by statement, and against the client's own clock.
//!
//! Needs root, MariaDB, sysbench, PyMySQL, mysqlclient, libmariadb and the built package `rust-drivers`; a missing one fails the test.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod expected;
mod server;

mod drivers;
mod latency;
mod middle;
mod mysql_async;
mod places;
mod prepared;
mod privacy;
mod session;
