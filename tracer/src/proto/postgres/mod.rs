//! PostgreSQL frontend/backend protocol 3.x, watched from either side, from the first byte or joined in the middle.
//!
//! Source of the message formats and flows: PostgreSQL documentation, chapter "Frontend/Backend Protocol".
//!
//! What counts as what:
//! - A request runs from the chunk with the first byte of its first message (Parse, Bind, ... up to its Execute; or
//!   Query) to the chunk with the last byte of its CommandComplete or ErrorResponse. Sync, Flush and ReadyForQuery
//!   belong to no request; their bytes are counted nowhere.
//! - All statements of one simple Query share its start, its thread and its size.
//! - A portal read in pieces is one request with all its rows; the time that the client idles between two pieces is
//!   inside its latency. Where the portal ends unread, the request ended at its last PortalSuspended.
//! - An ErrorResponse to Parse, Bind or Describe is a failed request, also where no Execute follows: a failing prepare
//!   must be visible. A commit that fails at Sync is a request `(implicit commit)`.
//!
//! Memory of one connection: `names::NAMES` names, `pending::PENDING` pending messages, 64 KiB of an unfinished
//! statement text, 8 KiB of a tail, 64 KiB of early answers. Beyond, it loses its place and says so. A bind value becomes
//! features when its Bind is complete; a column value and a password are never kept; SQL only until it is normalised.

mod answers;
mod backend;
mod detect;
mod early;
mod exchange;
mod flight;
mod frame;
mod frontend;
mod hole;
mod join;
mod names;
mod observer;
mod opening;
pub mod parameters;
mod pending;
mod resync;
mod startup;
#[cfg(test)]
mod tests;

use super::Entry;

/// The registry entry.
pub const ENTRY: Entry = Entry {
    name: "postgresql",
    detect: detect::detect,
    start: |from_start| Box::new(observer::Observer::new(from_start)),
};
