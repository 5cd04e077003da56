//! "Why slow" with a real PostgreSQL and real drivers: a hidden cause in the database, a client that knows which of its
//! requests meet it, and the finding held against that knowledge: attribute, values and all four counts. Where there is
//! no cause, there must be no finding.
//!
//! The slow requests of most tests take forty times as long as the fast ones. Where the client itself saw a fast request
//! take long, because the machine stalled, the capture is made anew: see [`run::watch_all`].
//!
//! Needs root, PostgreSQL and psycopg 3; a missing one fails the test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod finding;
mod plan;
mod run;
mod server;

mod connections;
mod demo;
mod ends;
mod privacy;
mod silent;
mod times;
mod values;
