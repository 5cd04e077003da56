//! What a protocol says of the traffic: finished requests, requests in flight, and what it had to give up on.
//!
//! Never holds a literal or a bind value, only their features ([`crate::value`]).

use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;

/// The thread that made a socket call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Task {
    /// Process id (the kernel's tgid), in the root pid namespace.
    pub pid: u32,
    /// Thread id (the kernel's pid), in the root pid namespace.
    pub tid: u32,
}

/// An error code as the server gave it: SQLSTATE for PostgreSQL, number and SQLSTATE for MySQL (`1062/23000`), the first
/// word of a Redis error, MongoDB's code name, an HTTP status. At most 31 bytes of printable ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode {
    len: u8,
    bytes: [u8; 31],
}

impl ErrorCode {
    /// The connection ended before the answer did: not a code of any server.
    pub const CONNECTION_CLOSED: &'static str = "closed";

    /// Keeps the first 31 bytes; everything that is not printable ASCII becomes `?`.
    pub fn new(code: &[u8]) -> Self {
        let mut bytes = [0; 31];
        let mut len = 0u8;
        for (slot, byte) in bytes.iter_mut().zip(code) {
            *slot = if byte.is_ascii_graphic() { *byte } else { b'?' };
            len += 1;
        }
        Self { len, bytes }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or("?")
    }
}

impl std::fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Transaction status of the session, as PostgreSQL's ReadyForQuery tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionStatus {
    /// `I`: not in a transaction block.
    Idle,
    /// `T`: in a transaction block.
    InTransaction,
    /// `E`: in a failed transaction block.
    Failed,
}

/// One finished request: a unit that the server answered on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its statement text, interned.
    pub text: TextId,
    /// When the kernel had accepted the first byte of the request.
    pub started_at: Nanos,
    /// When the process had received the first byte of the answer.
    pub first_byte_at: Nanos,
    /// When the process had received the last byte of the answer.
    pub ended_at: Nanos,
    /// The thread that sent the first byte of the request.
    pub task: Task,
    /// Rows returned or affected, from the server's own count.
    pub rows: u64,
    /// Size of the request on the wire.
    pub request_bytes: u64,
    /// Size of the answer on the wire.
    pub answer_bytes: u64,
    /// Set when the answer is an error.
    pub error: Option<ErrorCode>,
    /// The session's transaction status before this request, where known.
    pub transaction: Option<TransactionStatus>,
    /// It ended with an error after a cancel request for its session had been seen on another connection.
    pub cancelled: bool,
    /// Requests in flight to the same server when it started, itself not counted; `None`: not known.
    pub load: Option<u32>,
    /// Its values, by position in the statement.
    pub values: ValueRange,
}

/// Values kept of one request: those of its first so many positions.
pub const MOST_VALUES: usize = 32;

/// Where the values of a request stand in [`Requests::values`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValueRange {
    start: u32,
    len: u16,
}

impl Request {
    /// From the first byte accepted to the last byte received.
    pub fn latency(&self) -> Nanos {
        self.ended_at - self.started_at
    }
    /// From the first byte accepted to the first byte received.
    pub fn first_byte(&self) -> Nanos {
        self.first_byte_at - self.started_at
    }
}

/// A request sent and not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Its statement text, interned.
    pub text: TextId,
    /// When the kernel had accepted the first byte of the request.
    pub started_at: Nanos,
    /// The thread that sent the first byte of the request.
    pub task: Task,
    /// The session's transaction status before it, where known.
    pub transaction: Option<TransactionStatus>,
    /// Its size on the wire, as far as sent.
    pub request_bytes: u64,
    /// Requests in flight to the same server when it started, itself not counted; `None`: not known.
    pub load: Option<u32>,
    /// Its values, by position in the statement.
    pub values: Vec<Value>,
}

/// What one connection's protocol counted beside the requests. Everything here can make a number wrong,
/// so all of it reaches the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answers to requests that were sent before the capture.
    pub started_before: u64,
    /// Answers whose request is unknown, and requests whose answer was lost, by a gap or lost framing.
    pub answers_unmatched: u64,
    /// Finished requests whose answer was found by counting from a moment that only looked quiet, on a connection joined in
    /// the middle: if a request was in flight then, they have the answers of others.
    pub presumed: u64,
    /// Sessions that the server refused at their login (PostgreSQL, MySQL).
    pub logins_refused: u64,
    /// Statements that the server did not run: after an error in a pipeline, or in a transaction that was given up.
    pub skipped: u64,
    /// How often a parser lost its place and had to search for the next message.
    pub resyncs: u64,
    /// Requests whose statement text is not known (prepared before the capture).
    pub statements_unnamed: u64,
    /// Messages outside of requests and answers (pub/sub, MONITOR, heartbeats, writes that ask for no answer): no part of
    /// any latency.
    pub pushed: u64,
}

impl Counts {
    /// Adds what another connection counted, or this one since.
    pub fn add(&mut self, other: &Self) {
        self.started_before += other.started_before;
        self.answers_unmatched += other.answers_unmatched;
        self.presumed += other.presumed;
        self.logins_refused += other.logins_refused;
        self.skipped += other.skipped;
        self.resyncs += other.resyncs;
        self.statements_unnamed += other.statements_unnamed;
        self.pushed += other.pushed;
    }
}

/// Identifies a session to the server for a cancel request (PostgreSQL: process id and secret of BackendKeyData; MySQL:
/// the connection id that KILL names).
/// Kept in memory to tie a CancelRequest to its session, and never shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BackendKey {
    /// The server's process id of the session.
    pub process_id: u32,
    /// A hash of the secret; [`BackendKey::NO_SECRET`]: the process id alone, which says something at that server only.
    pub secret_hash: u64,
}

impl BackendKey {
    /// The protocol's cancel requests carry no secret.
    pub const NO_SECRET: u64 = 0;
}

impl std::fmt::Debug for BackendKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackendKey({})", self.process_id)
    }
}

/// What a protocol hands out while it is fed.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// Finished requests, in the order in which their answers ended.
    pub finished: Vec<Request>,
    /// The values of all of them.
    pub values: Vec<Value>,
    /// Cancel requests seen; the connection table finds the session that each one means.
    pub cancels: Vec<BackendKey>,
    /// Counted beside the requests.
    pub counts: Counts,
}

impl Requests {
    /// Adds a finished request with its values, as many as [`MOST_VALUES`].
    pub fn push(&mut self, mut request: Request, values: &[Value]) {
        let values = values.get(..MOST_VALUES).unwrap_or(values);
        let len = u16::try_from(values.len()).unwrap_or(0);
        let start = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        request.values = ValueRange { start, len };
        self.values.extend_from_slice(values);
        self.finished.push(request);
    }

    /// The values of one of the finished requests.
    pub fn values_of(&self, request: &Request) -> &[Value] {
        let ValueRange { start, len } = request.values;
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        self.values.get(start..start.saturating_add(usize::from(len))).unwrap_or_default()
    }

    /// Forgets the finished requests, and keeps their room.
    pub fn clear_finished(&mut self) {
        self.finished.clear();
        self.values.clear();
    }

    /// Moves the finished requests of another one to the end of these.
    pub fn append_finished(&mut self, other: &mut Self) {
        let shift = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        for mut request in other.finished.drain(..) {
            request.values.start = request.values.start.saturating_add(shift);
            self.finished.push(request);
        }
        self.values.append(&mut other.values);
    }
}
