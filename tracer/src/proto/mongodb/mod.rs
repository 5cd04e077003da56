//! MongoDB wire protocol, watched from either side, from the first byte or joined in the middle.
//!
//! Source of the formats: MongoDB manual, "MongoDB Wire Protocol"; MongoDB driver specifications "OP_MSG", "OP_COMPRESSED" and
//! "Server Discovery and Monitoring"; BSON specification, version 1.1.
//!
//! What counts as what:
//! - A request is a command that the server answers, in OP_MSG, in OP_QUERY on `$cmd`, or compressed. It runs from the chunk
//!   with the first byte of its message to the chunk with the last byte of its last answer: of an exhaust cursor, the answer
//!   without moreToCome. Requests and answers belong together by requestID and responseTo.
//! - A message that the server does not answer (a command with moreToCome, legacy OP_INSERT and the like) is no request: it is
//!   counted as `pushed`.
//! - A heartbeat is no request, each answer to one is counted as `pushed`: a hello that waits for a change of the topology, and
//!   a repeated hello on a connection that carries nothing else. The hello of a handshake is a request.
//! - The statement is the command's name, its namespace, and the shape of what it asks for, without values. Of a command
//!   that is not known here, and of those that carry secrets, it is the name and the database only.
//!
//! Memory of one connection: 64 KiB of a message's beginning (64 KiB of a compressed one, 1 MiB for a moment while it is
//! decompressed), `pending::PENDING` requests without answer with their values, 288 bytes of an answer. Of an answer only
//! counts and codes are read; a password is never read.

mod answer;
mod bson;
mod command;
mod compressed;
mod detect;
mod message;
mod names;
mod observer;
mod pending;
mod search;
mod shape;
#[cfg(test)]
mod tests;
mod verbs;
mod whole;

use super::Entry;

/// The registry entry.
pub const ENTRY: Entry = Entry {
    name: "mongodb",
    detect: detect::detect,
    start: |from_start| Box::new(observer::Observer::new(from_start)),
};
