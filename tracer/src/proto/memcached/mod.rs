//! memcached over TCP or a Unix socket: the text protocol with its meta commands, and the binary protocol, watched from
//! either side, from the first byte or joined in the middle. Not memcached's UDP protocol.
//!
//! Sources: memcached's `doc/protocol.txt` (text and meta commands, version 1.6), the wiki page "BinaryProtocolRevamped"
//! with `protocol_binary.h` (binary), and `proto_text.c` of 1.6 for what becomes of a line that is wrong.
//!
//! What counts as what:
//! - A request is one command that the server answers. A `get` with many keys is one request; its rows are the values
//!   found. A miss, NOT_STORED, EXISTS and NOT_FOUND are answers with 0 rows and no errors.
//! - A command that asks for silence (the meta flag `q`, a quiet opcode) is a request only where it gets an answer all
//!   the same: a value found, or an error. Silence has no latency. With `noreply` there never is an answer.
//! - `watch` turns the connection into a stream of log lines: no requests from then on.
//!
//! The statement is the command with the pattern of its key ([`super::key_pattern`]). Both protocols give the same text.
//!
//! Memory of one connection: `pending::PENDING` commands, 16 KiB of an unfinished line, 300 bytes of a binary body,
//! `pairing::HELD` answers while the pairing is not sure, and the hashes of [`super::key_words`]. Data blocks and SASL
//! messages are never kept.

mod answer;
mod binary;
mod command;
mod detect;
mod lines;
mod observer;
mod pairing;
mod pending;
mod statement;
#[cfg(test)]
mod tests;
mod text;

use super::Entry;

/// The registry entry.
pub const ENTRY: Entry = Entry {
    name: "memcached",
    detect: detect::detect,
    start: |from_start| Box::new(observer::Observer::new(from_start)),
};
