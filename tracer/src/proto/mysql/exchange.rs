//! What the client asked and the server has not answered yet, and what both agreed upon.
//!
//! The server answers in order, so the oldest command gets the next answer. Most clients wait for each answer; those of
//! MariaDB may send ahead. Never looks at bytes that were not framed.

use std::collections::VecDeque;

use super::answer::Status;
use super::cursor::Cursor;
use super::greeting::Capabilities;
use super::observer::Phase;
use super::packet::PacketFrame;
use super::prepared::{Prepared, Statements};
use crate::proto::{Moment, Session, Side};
use crate::random::SplitMix64;
use crate::request::{ErrorCode, Request, Requests, Task, TransactionStatus, ValueRange};
use crate::sql::{Dialect, TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// Commands that one session may have unanswered, and statements in them.
pub(super) const MOST_PENDING: usize = 10_000;
/// Statements of one text that are told apart.
pub(super) const MOST_STATEMENTS_OF_TEXT: usize = 4_096;
/// Value buffers that wait for their next use.
const SPARE_BUFFERS: usize = 4;
/// A value buffer larger than this is not kept.
const SPARE_VALUES: usize = 64;

/// What kind of answer is due.
#[derive(Debug)]
pub(super) enum Kind {
    /// OK, ERR, LOCAL INFILE, or results in text.
    Query,
    /// The same in binary. `cursor`: one was asked for.
    Execute { statement: u32, cursor: bool },
    /// Rows of an open cursor.
    Fetch { statement: u32 },
    /// The statement's id, and definitions.
    Prepare(Option<Box<Prepared>>),
    /// OK drops the cursor.
    Reset { statement: u32 },
    /// OK, EOF or ERR.
    Plain(Effect),
    /// Any one packet.
    Statistics,
    /// Definitions, without a count before them.
    FieldList,
}

/// What OK does to the session.
#[derive(Debug)]
pub(super) enum Effect {
    None,
    /// All prepared statements are gone.
    Reset,
    Database(String),
    /// COM_CHANGE_USER: authentication packets come first. Statements are gone too.
    User {
        user: Option<String>,
        database: Option<String>,
    },
}

/// One statement whose result is due.
#[derive(Debug)]
pub(super) struct Due {
    pub text: TextId,
    /// Its text was seen.
    pub known: bool,
    pub values: Vec<Value>,
    /// CALL and the like: results of its own, then OK.
    pub calls: bool,
    /// USE: the session's database once it succeeded.
    pub database: Option<String>,
}

/// One command that is not answered yet.
#[derive(Debug)]
pub(super) struct Op {
    pub kind: Kind,
    pub due: Due,
    /// The statements behind it, the next one last.
    pub following: Vec<Due>,
    /// More statements may lie in the part of the text that was not captured, or not told apart.
    pub truncated: bool,
    pub started_at: Nanos,
    pub task: Task,
    pub load: Option<u32>,
    pub bytes: u64,
    /// Sequence number of the client's last packet, where it was seen.
    pub sequence: Option<u8>,
}

impl Op {
    /// Its answer ends a request, also where it is no error.
    pub(super) fn is_request(&self) -> bool {
        !matches!(self.kind, Kind::Prepare(_) | Kind::Reset { .. } | Kind::Fetch { .. })
    }
    /// How many requests it stands for.
    pub(super) fn requests(&self) -> usize {
        if self.is_request() { 1 + self.following.len() } else { 0 }
    }
}

/// Where in the answer of the oldest command the server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    First,
    /// So many column definitions are due.
    Definitions {
        left: u64,
    },
    /// Rows, and before the first one EOF may come.
    Rows {
        started: bool,
    },
    /// Definitions of a prepared statement: of its parameters, then of its columns. Behind each EOF may come.
    PreparedParameters {
        left: u16,
        columns: u16,
    },
    PreparedColumns {
        left: u16,
    },
    /// The client sends a file.
    LocalInfile,
}

/// The answer that is arriving.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    pub place: Place,
    pub first_byte_at: Option<Nanos>,
    pub bytes: u64,
    pub rows: u64,
    /// Rows were returned, so that affected rows do not count.
    pub has_rows: bool,
    /// The number that the next packet has.
    pub sequence: Option<u8>,
    /// The next packet continues the one before.
    pub continued: bool,
}

/// The exchange of commands and answers on one connection.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) statements: Statements,
    pub(super) pending: VecDeque<Op>,
    /// Commands that were answered.
    popped: u64,
    /// The number of the last COM_STMT_PREPARE, counted as they were sent.
    last_prepare: Option<u64>,
    pub(super) session: Session,
    pub(super) answer: Answer,
    pub(super) transaction: Option<TransactionStatus>,
    pub(super) dialect: Dialect,
    /// What both sides can; `None`: the login was not seen.
    pub(super) capabilities: Option<Capabilities>,
    /// Whether OK stands in place of EOF behind rows, once it is known.
    pub(super) deprecate_eof: Option<bool>,
    /// An EOF with this number may still follow an answer that is complete without it.
    pub(super) stray_eof: Option<u8>,
    /// Packets come from inside compressed ones: their numbers may jump, and their sizes are not those on the wire.
    pub(super) compressed: bool,
    /// Size of compressed packets of the client that no command has yet.
    pub(super) wire_bytes: u64,
    /// The last command's packet goes on in the next one. Inside: a command is pending for it.
    pub(super) continues: Option<bool>,
    pub(super) requests_pending: usize,
    pub(super) cancelled_at: Option<Nanos>,
    pub(super) chance: SplitMix64,
    pub(super) given: Vec<Value>,
    labels: Vec<(&'static str, TextId)>,
    spare: Vec<Vec<Value>>,
}

impl Due {
    /// A statement without values.
    pub(super) fn of(text: TextId) -> Self {
        Self { text, known: true, values: Vec::new(), calls: false, database: None }
    }
}

impl Exchange {
    /// Of a session without any command so far.
    pub(super) fn new() -> Self {
        Self { dialect: Dialect::Mysql, ..Self::default() }
    }

    /// Lexical rules, and transaction status, as the server told them last.
    pub(super) fn set_status(&mut self, status: Status) {
        self.transaction = Some(status.transaction());
        self.dialect =
            if status.no_backslash_escapes() { Dialect::MysqlNoBackslashEscapes } else { Dialect::Mysql };
    }

    /// Room for the values of one statement.
    pub(super) fn buffer(&mut self) -> Vec<Value> {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn give_back(&mut self, mut buffer: Vec<Value>) {
        if self.spare.len() < SPARE_BUFFERS && (1..=SPARE_VALUES).contains(&buffer.capacity()) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// A command was sent that will be answered.
    pub(super) fn push(&mut self, kind: Kind, due: Due, frame: &PacketFrame<'_>) {
        let Moment { at, task, load, .. } = frame.first;
        let bytes = if self.compressed { std::mem::take(&mut self.wire_bytes) } else { frame.wire_bytes };
        let op = Op {
            kind,
            due,
            following: Vec::new(),
            truncated: false,
            started_at: at,
            task,
            load,
            bytes,
            sequence: Some(frame.header.sequence),
        };
        self.requests_pending += op.requests();
        if matches!(op.kind, Kind::Prepare(_)) {
            self.last_prepare = Some(self.popped + self.pending.len() as u64);
        }
        self.pending.push_back(op);
    }

    /// Bytes that belong to the last command.
    pub(super) fn add_request_bytes(&mut self, wire_bytes: u64) {
        let bytes = if self.compressed { std::mem::take(&mut self.wire_bytes) } else { wire_bytes };
        if let Some(op) = self.pending.back_mut() {
            op.bytes = op.bytes.saturating_add(bytes);
        }
    }

    /// A compressed packet has passed.
    pub(super) fn count_wire(&mut self, side: Side, wire_bytes: u64) {
        if side == Side::Client {
            self.wire_bytes = self.wire_bytes.saturating_add(wire_bytes);
        } else if !self.pending.is_empty() {
            self.answer.bytes = self.answer.bytes.saturating_add(wire_bytes);
        }
    }

    /// The client's packets up to the answer are not framed any more.
    pub(super) fn client_unframed(&mut self) {
        self.continues = None;
        if self.answer.place == Place::LocalInfile {
            self.answer.place = Place::First;
            self.answer.sequence = None;
        }
        if let Some(op) = self.pending.back_mut() {
            op.sequence = None;
        }
    }

    pub(super) fn pop(&mut self) -> Option<Op> {
        let op = self.pending.pop_front()?;
        self.popped += 1;
        self.requests_pending -= op.requests();
        self.answer = Answer::default();
        Some(op)
    }

    /// Where the last COM_STMT_PREPARE stands in `pending`. So nobody needs to look for it among all of them.
    pub(super) fn last_prepare_place(&self) -> Option<usize> {
        usize::try_from(self.last_prepare?.checked_sub(self.popped)?).ok()
    }

    /// The request of a statement whose result has ended.
    pub(super) fn finished(&self, op: &Op, error: Option<ErrorCode>, ended_at: Nanos) -> Request {
        Request {
            text: op.due.text,
            started_at: op.started_at,
            first_byte_at: self.answer.first_byte_at.unwrap_or(ended_at),
            ended_at,
            task: op.task,
            rows: self.answer.rows,
            request_bytes: op.bytes,
            answer_bytes: self.answer.bytes,
            error,
            transaction: self.transaction,
            cancelled: false,
            load: op.load,
            values: ValueRange::default(),
        }
    }

    /// A cursor is over: its request ended with its last fetch.
    pub(super) fn end_cursor(&mut self, cursor: Option<Box<Cursor>>, out: &mut Requests) {
        if let Some(cursor) = cursor {
            self.push_cursor(*cursor, out);
        }
    }

    fn push_cursor(&mut self, cursor: Cursor, out: &mut Requests) {
        out.counts.statements_unnamed += u64::from(!cursor.known);
        let Cursor { request, values, .. } = cursor;
        out.push(request, &values);
        self.give_back(values);
    }

    /// All cursors are over.
    pub(super) fn end_cursors(&mut self, out: &mut Requests) {
        for cursor in self.statements.take_cursors() {
            self.push_cursor(cursor, out);
        }
    }

    /// The pairing is lost. Everything that waits for an answer will not get one.
    pub(super) fn lose(&mut self, out: &mut Requests) {
        out.counts.answers_unmatched += self.requests_pending as u64;
        out.counts.answers_unmatched += self.statements.take_cursors().len() as u64;
        self.pending.clear();
        self.last_prepare = None;
        self.requests_pending = 0;
        self.answer = Answer::default();
        self.continues = None;
        self.stray_eof = None;
        self.transaction = None;
        self.wire_bytes = 0;
    }

    /// What stands for a command without a text.
    pub(super) fn label(&mut self, label: &'static str, texts: &mut Texts) -> Due {
        let known = self.labels.iter().find(|(known, _)| *known == label).map(|(_, text)| *text);
        let text = known.unwrap_or_else(|| {
            let text = texts.label(label);
            self.labels.push((label, text));
            text
        });
        Due::of(text)
    }

    /// What stands for a statement whose text was not captured.
    pub(super) fn uncaptured(&mut self, texts: &mut Texts) -> Due {
        self.label("(statement not captured)", texts)
    }
}

/// How a packet fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It was expected.
    Yes,
    /// It was not: this is no such packet, or commands and answers are out of step.
    No,
    /// It was expected, and it held a secret: nothing of it may stay in a buffer.
    Secret,
    /// It may be: what would tell was not captured.
    Unknown,
    /// It was expected, and another phase begins behind it.
    Enters(Phase),
}
