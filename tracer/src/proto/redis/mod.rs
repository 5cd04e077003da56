//! Redis and Valkey: RESP2 and RESP3, watched from either side, from the first byte or joined in the middle.
//!
//! Source of the formats: "Redis serialization protocol specification" and "RESP3 specification" (redis.io and the
//! repository antirez/RESP3).
//!
//! What counts as what:
//! - A request is one command, also in a pipeline: from the chunk with its first byte to the chunk with the last byte of its
//!   answer.
//! - A command between MULTI and EXEC is a request that runs until EXEC's answer ended; `+QUEUED` is no answer. Its error
//!   and rows are those of its own element. MULTI and EXEC are requests too. Commands that never ran (DISCARD, EXECABORT, a
//!   watched key that changed) are counted as skipped.
//! - A script or function is one request, whatever it calls.
//! - SUBSCRIBE and its like end with their last confirmation. Published messages, pushes, and what MONITOR shows are
//!   counted as pushed and are part of no latency.
//! - Commands sent while CLIENT REPLY is OFF or SKIP are no requests: nothing tells when they were done.
//! - Replication (PSYNC, SYNC) is no exchange of requests: from there on the connection is only marked.
//! - Rows: the elements of an array or set, the pairs of a map (RESP3), 1 for a string, 0 for null and everything else.
//!
//! Memory of one connection: [`pending::PENDING`] commands, of a command that comes in pieces 40 beginnings of arguments of
//! 192 bytes or 4 KiB of an inline one, some 4,096 requests that are held back after a join or a loss,
//! 64 KiB of early answers, 3 times 4,096 hashes of words. A long value passes by its length.
//! Beyond, it loses its place and says so. Passwords are never kept; other arguments only until their command is complete.

mod client;
mod commands;
mod detect;
mod early;
mod exchange;
mod inline;
mod line;
mod observer;
mod pending;
mod proof;
mod server;
mod shapes;
mod statement;
mod subscriptions;
#[cfg(test)]
mod tests;

use super::Entry;

/// The registry entry. Valkey speaks the same protocol and has the same name here.
pub const ENTRY: Entry = Entry {
    name: "redis",
    detect: detect::detect,
    start: |from_start| Box::new(observer::Observer::new(from_start)),
};
