//! Facts of this host and its processes: from `/proc`, `/sys` and netlink socket diagnostics, and from nowhere else.
//!
//! Only ever reads. Never signals, stops, traces or writes to a process, and never reads its memory.

pub mod btf;
pub mod cgroup;
pub mod clock;
pub mod kernel;
pub mod libraries;
pub mod process;
pub mod self_usage;
pub mod socket;
pub mod target;
#[cfg(test)]
pub(crate) mod testing;
mod text;

pub use text::printable;
