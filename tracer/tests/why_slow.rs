//! Why slow, on captures that never happened: every cause is found with its counts, and nothing is found where there is
//! none.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::panic,
    clippy::unwrap_used,
    reason = "made-up numbers; a panic is a failure report"
)]

#[path = "why/causes.rs"]
mod causes;
#[path = "why/edges.rs"]
mod edges;
#[path = "why/silence.rs"]
mod silence;
#[path = "why/synthetic.rs"]
mod synthetic;
