//! memcached's protocols from end to end: what `dbtap` reports of a process is held against what the server itself counted,
//! and against the client's own clock.
//!
//! Needs root, memcached, pymemcache and libmemcached's programs; a missing one fails the test.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod counted;
mod latency;
mod privacy;
mod sasl;
