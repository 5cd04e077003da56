//! The whole path with real servers and real clients: what `dbtap` reports of a process is held against what the server
//! itself counted, statement by statement, and against the client's own clock.
//!
//! Needs root, PostgreSQL, PgBouncer, psycopg 3 and libpq; a missing one fails the test.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod expected;
mod server;

mod drivers;
mod hostile;
mod latency;
mod load;
mod logins;
mod middle;
mod pgbench;
mod places;
mod privacy;
mod psql;
