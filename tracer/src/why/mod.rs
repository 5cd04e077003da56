//! Why slow: what sets the slow requests of a statement apart from its fast ones.
//!
//! `sample` keeps an unbiased, bounded part of the requests while the capture runs; `split` says which are slow;
//! `attribute` lists what is tried; `search` finds the conditions, `statistics` says whether chance could have made
//! them; `words` puts them into sentences. Never sees a value: only features and keyed hashes.

pub mod attribute;
pub mod examine;
pub mod sample;
pub mod search;
pub mod split;
pub mod statistics;
#[cfg(test)]
pub(crate) mod testdata;
pub mod words;

use crate::request::{ErrorCode, Task, TransactionStatus};
use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;

/// What is known of one request beside its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When its first byte was accepted.
    pub started_at: Nanos,
    /// Its latency; in flight: its age at the end of the capture.
    pub latency: Nanos,
    /// Number of its connection in the report.
    pub connection: u32,
    /// Number of its server's address in the capture.
    pub server: u32,
    /// Number of its database's name in the capture; 0: not known.
    pub database: u32,
    /// Who sent it.
    pub task: Task,
    /// It is the first request of a connection that was opened during the capture.
    pub first_on_connection: bool,
    /// Its connection was open before the capture.
    pub opened_before: bool,
    /// Time between the end of the request before on its connection and its start; `None` for the first one seen. Zero
    /// inside a pipeline.
    pub idle_before: Option<Nanos>,
    /// The statement before on its connection.
    pub previous: Option<TextId>,
    /// Transaction status before it.
    pub transaction: Option<TransactionStatus>,
    /// It is the n-th request of its transaction, from 1; 0: not in a transaction block, or not known.
    pub position: u16,
    /// Requests in flight to the same server when it started, itself not counted; `None`: not known.
    pub load: Option<u32>,
    /// Its size on the wire.
    pub request_bytes: u64,
    /// What the answer told; `None` while it is in flight.
    pub outcome: Option<ObservedOutcome>,
}

/// What an answer told. An effect of the request, never a cause of its slowness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObservedOutcome {
    /// Rows returned or affected.
    pub rows: u64,
    /// Size of the answer on the wire.
    pub answer_bytes: u64,
    /// The error code, if it failed.
    pub error: Option<ErrorCode>,
}

/// One request of a sample.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// It belongs to the slow ones.
    pub slow: bool,
    /// Everything but its values.
    pub facts: &'a Facts,
    /// Its values, by position in the statement. Shorter than elsewhere where the statement was cut.
    pub values: &'a [Value],
}

/// What a condition speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The value at this position of the statement, from 0.
    Value(u16),
    /// The server's address.
    Server,
    /// The database.
    Database,
    /// The connection.
    Connection,
    /// The process.
    Process,
    /// The thread.
    Thread,
    /// The moment of the start.
    Time,
    /// The transaction.
    Transaction,
    /// The request itself.
    Request,
    /// Other requests to the same server.
    Load,
    /// The answer: an effect.
    Answer,
}

/// Which property of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// NULL or not.
    IsNull,
    /// The sort of value ([`crate::value::Kind`]).
    Kind,
    /// TRUE or FALSE.
    Boolean,
    /// Negative or not.
    Sign,
    /// Zero or not.
    IsZero,
    /// Odd or even.
    Parity,
    /// Last decimal digit.
    LastDigit,
    /// Remainder by this number.
    Remainder(u8),
    /// A number's size: a range ([`crate::value::Size`]).
    Magnitude,
    /// Empty text or not.
    IsEmpty,
    /// Length of a text or of bytes: a range.
    Length,
    /// Class of the first character ([`crate::value::FirstCharacter`]).
    FirstCharacter,
    /// Characters outside ASCII or none.
    HasNonAscii,
    /// Hash of the first bytes: index into [`crate::value::PREFIX_BYTES`].
    Prefix(u8),
    /// UUID version.
    UuidVersion,
    /// How far a date or a point in time lies from now: a range.
    DistanceFromNow,
    /// Number of elements of an array or a list: a range.
    Elements,
    /// The value itself, by its hash.
    ValueHash,
    /// Which one: server, database, connection, process, thread.
    Identity,
    /// First on its connection or not.
    FirstOnConnection,
    /// Connection opened before the capture or during it.
    OpenedBefore,
    /// Idle time of the connection before it: a range.
    IdleBefore,
    /// Transaction status.
    Status,
    /// Position in the transaction: a range.
    Position,
    /// Size on the wire, of request or answer: a range.
    Bytes,
    /// The statement before it on the connection.
    Previous,
    /// Requests in flight: a range.
    InFlight,
    /// A window of time: a range.
    Window,
    /// Rows: a range.
    Rows,
    /// Error code.
    Error,
}

/// A property that every request has or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// Of what.
    pub subject: Subject,
    /// Which.
    pub feature: Feature,
}

/// Which values of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// One of these codes, sorted. What a code means is said at the attribute.
    OneOf(Vec<i64>),
    /// From the first code to the second, both included; `None`: no limit on that side.
    Between(Option<i64>, Option<i64>),
}

/// An attribute with some of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Of what.
    pub attribute: Attribute,
    /// Which values.
    pub values: Values,
}

/// What was found for one statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// One condition, or two that hold together.
    pub conditions: Vec<Condition>,
    /// Slow rows that meet it.
    pub slow_matched: u64,
    /// Slow rows.
    pub slow_total: u64,
    /// Fast rows that meet it.
    pub fast_matched: u64,
    /// Fast rows.
    pub fast_total: u64,
    /// Probability of such a difference by chance, corrected for everything that was tried.
    pub p_value: f64,
    /// How much of the question "slow or fast?" it answers: 0 nothing, 1 all (mutual information over entropy).
    pub explained: f64,
    /// Conditions on other subjects that the very same rows meet: the capture cannot tell which it is.
    pub same_rows: Vec<Condition>,
}
