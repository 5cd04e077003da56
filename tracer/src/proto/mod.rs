//! Database protocols: each watches both directions of one connection and says which requests it saw.
//!
//! A protocol is one folder or file here and one word in [`REGISTRY`]. It never knows which kernel backend ran, never
//! reads a clock, and never fails: a confused parser resynchronises and counts it.

pub mod decompress;
pub mod framing;
mod http;
mod key_pattern;
mod key_words;
mod memcached;
mod mongodb;
mod mysql;
pub mod postgres;
mod redis;
#[cfg(test)]
mod text_dialogue;

use crate::request::{BackendKey, ErrorCode, InFlight, Requests, Task};
use crate::sql::Texts;
use crate::time::Nanos;

/// Whose bytes these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Bytes that the database client sends.
    Client,
    /// Bytes that the database server sends.
    Server,
}

/// A piece of one direction's byte stream, in stream order and without overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// These bytes moved.
    Bytes(&'a [u8]),
    /// So many bytes moved and were not captured (longer than the capture limit, unreadable, or lost).
    Skipped(u64),
}

impl Chunk<'_> {
    /// Length on the wire.
    pub fn len(&self) -> u64 {
        match self {
            Chunk::Bytes(bytes) => bytes.len() as u64,
            Chunk::Skipped(n) => *n,
        }
    }
    /// True when nothing moved.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// When, by whom, and in what shape a chunk moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When the transfer was complete.
    pub at: Nanos,
    /// The thread that made the call.
    pub task: Task,
    /// This chunk is the last one of its transfer (one send or receive call). A parser that lost its place
    /// may expect a message boundary after it when the other side is to speak next.
    pub ends_transfer: bool,
    /// Requests in flight to the same server, on any connection, before this chunk; `None`: not known.
    pub load: Option<u32>,
}

/// What is known of the session on a connection, as far as its bytes told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// User name from the start-up message. Raw: outputs make it safe for a terminal.
    pub user: Option<String>,
    /// Database name from the start-up message. Raw: outputs make it safe for a terminal.
    pub database: Option<String>,
    /// The server refused the session: its code. A login is no request, so no request has this error.
    pub login_error: Option<ErrorCode>,
    /// The rest of the connection is encrypted: nothing can be decoded.
    pub tls: bool,
    /// Not a request-response session (replication): kept out of latency. A session that only listens needs no mark: it
    /// has no request while it waits.
    pub streaming: bool,
    /// The client said that it leaves (PostgreSQL's Terminate). The kernel does not tell the local close of a Unix socket.
    pub terminated: bool,
    /// What a cancel request for this session carries.
    pub backend_key: Option<BackendKey>,
}

/// A protocol's observer of one connection.
pub trait Protocol: Send {
    /// Takes the next piece of one direction. Any split of the stream into chunks gives the same requests.
    fn feed(&mut self, moment: Moment, side: Side, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests);
    /// The connection ended: whatever was in flight will get no answer.
    fn close(&mut self, at: Nanos, out: &mut Requests);
    /// The capture ended, the connection goes on: hand out what was held back until its pairing was sure.
    fn capture_ends(&mut self, _out: &mut Requests) {}
    /// Requests sent and not answered, oldest first, appended to `out`.
    fn in_flight(&self, out: &mut Vec<InFlight>);
    /// How many requests are sent and not answered, without looking at each.
    fn open_requests(&self) -> u32;
    /// What is known of the session by now.
    fn session(&self) -> &Session;
    /// The parser has found its place in both directions. When false for long, the guess of the protocol was wrong.
    fn in_sync(&self) -> bool;
    /// The session's current request was cancelled through another connection.
    fn cancelled(&mut self, at: Nanos);
}

/// One piece of a connection's beginning, as far as captured, for detection.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// True: the traced process sent it. False: received.
    pub sent: bool,
    /// The bytes; empty where they were not captured.
    pub bytes: &'a [u8],
    /// Bytes moved right after `bytes` that were not captured.
    pub skipped: u64,
}

/// What a detector says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detection {
    /// Cannot be this protocol.
    No,
    /// Could be; more bytes are needed.
    Maybe,
    /// It is, and the traced process is this side.
    Yes(Side),
}

/// A protocol's entry in the registry.
pub struct Entry {
    /// OpenTelemetry `db.system.name` value, also the name for `--protocol`.
    pub name: &'static str,
    /// Decides from the first pieces seen of a connection, in any port, from either side, also mid-stream.
    pub detect: fn(&[Piece<'_>]) -> Detection,
    /// A new observer for a connection. `from_start`: its first byte was seen.
    pub start: fn(from_start: bool) -> Box<dyn Protocol>,
}

/// Every protocol that dbtap knows. Help, filters, detection and tests walk it.
pub const REGISTRY: &[Entry] = &[
    postgres::ENTRY,
    mysql::ENTRY,
    redis::ENTRY,
    memcached::ENTRY,
    mongodb::ENTRY,
    http::ELASTICSEARCH,
    http::OPENSEARCH,
    http::CLICKHOUSE,
    http::HTTP,
];
