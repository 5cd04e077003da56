//! What the tests of the kernel side share: attached probes, traced child processes that do a known piece of work,
//! connected sockets of every kind, and the records as short text.
//!
//! It never looks at how the probes work: only what goes over a socket and what comes out of the ring buffer counts.

pub mod alone;
pub mod calls;
pub mod child;
pub mod lent;
pub mod messages;
pub mod pair;
pub mod tap;
pub mod text;

pub use child::Child;
pub use pair::{Kind, Pair};
pub use tap::Tap;
