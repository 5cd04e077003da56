//! Pairs what the client asked with what the server answers, and hands out the finished requests.
//!
//! The server answers in order. So every message of the client that will be answered waits in [`Pending`], and names
//! change only when the answer confirms it: a failed Parse or Bind, and whatever the server skipped after an error,
//! leaves no trace. Never looks at bytes that were not framed, and never knows how they were.

use super::frame::Frame;
use super::frontend::{self, Object};
use super::names::{NameId, Names, Portal};
use super::pending::{Act, Kind, Op, Pending, Statement};
use crate::proto::{Moment, Session};
use crate::request::{Request, Requests, Task, TransactionStatus};
use crate::sql::{self, Effect, TextId, Texts};
use crate::time::Nanos;

/// Requests held back until it is sure that they were paired rightly.
const HELD: usize = 1024;

/// Where the messages of one request begin.
#[derive(Clone, Copy, Debug)]
struct Group {
    id: u32,
    started_at: Nanos,
    task: Task,
    bytes: u64,
}

/// The answer that is arriving.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    pub group: Option<u32>,
    pub first_byte_at: Option<Nanos>,
    pub bytes: u64,
}

/// The exchange of messages on one connection.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) names: Names,
    pub(super) pending: Pending,
    pub(super) session: Session,
    pub(super) answer: Answer,
    pub(super) status: Option<TransactionStatus>,
    /// The server skips everything up to a Sync that the client has not sent yet. Inside: the group that failed.
    pub(super) skipping: Option<u32>,
    /// COPY FROM STDIN is on: the client sends data.
    pub(super) copy_in: bool,
    group: Option<Group>,
    next_group: u32,
    /// Joined in the middle: an older answer may still be under way, so what is paired now is not sure yet.
    pub(super) unsure: bool,
    held: Vec<Request>,
    /// Set when the session was the aim of a cancel request. The answer itself tells whether it worked (57014).
    pub(super) cancelled_at: Option<Nanos>,
}

impl Exchange {
    /// Takes a message of the client.
    pub(super) fn frontend(&mut self, frame: &Frame<'_>, texts: &mut Texts, out: &mut Requests) {
        match frame.tag {
            b'P' => {
                let (name, sql, truncated) = frontend::parse(frame.body);
                if self.skipping.is_none() {
                    let statement = self.statement(sql, truncated, texts);
                    let name = self.names.id(name);
                    self.names.set_parsed(name);
                    self.push_in_group(Kind::Parse { name, statement }, frame);
                }
            }
            b'B' => {
                let (portal, statement) = frontend::bind(frame.body);
                if self.skipping.is_none() {
                    let (portal, statement) = (self.names.id(portal), self.names.id(statement));
                    self.name_before(statement, texts);
                    self.push_in_group(Kind::Bind { portal, statement }, frame);
                }
            }
            b'D' | b'C' => {
                if let Some(object) = frontend::object(frame.body)
                    && self.skipping.is_none()
                {
                    let kind = self.object(object, frame.tag == b'D');
                    self.push_in_group(kind, frame);
                }
            }
            b'E' => {
                let (portal, limit) = frontend::execute(frame.body);
                match self.skipping {
                    None => {
                        let portal = self.names.id(portal);
                        if self.names.portal(portal).is_none() && self.names.opened_before().is_none() {
                            let text = texts.intern_prepared_before(b"");
                            self.names.set_opened_before(text);
                        }
                        self.push_in_group(Kind::Execute { portal, limit }, frame);
                    }
                    // The Execute of the group that failed is the failed request itself.
                    Some(failed) if self.group.is_some_and(|group| group.id == failed) => {}
                    Some(_) => out.counts.skipped += 1,
                }
                self.group = None;
            }
            b'S' => {
                self.group = None;
                self.skipping = None;
                if !self.copy_in {
                    self.push_alone(Kind::Sync, frame);
                }
            }
            b'H' => self.group = None,
            b'Q' => self.simple_query(frame, texts, out),
            b'F' => {
                self.group = None;
                if self.skipping.is_none() {
                    let text = texts.label("(function call)");
                    let statement = Statement { text, known: true, act: Act::None };
                    self.push_alone(Kind::FunctionCall { statement }, frame);
                    self.push_query_end(false);
                } else {
                    out.counts.skipped += 1;
                }
            }
            b'd' => self.copy_bytes(frame.wire_bytes()),
            b'c' | b'f' => {
                self.copy_bytes(frame.wire_bytes());
                if !std::mem::take(&mut self.copy_in) && !self.pending.is_empty() {
                    self.push_alone(Kind::CopyEnd, frame);
                }
            }
            // Terminate.
            b'X' => self.session.terminated = true,
            // Password messages belong to the start-up.
            _ => {}
        }
    }

    fn simple_query(&mut self, frame: &Frame<'_>, texts: &mut Texts, out: &mut Requests) {
        self.group = None;
        let (sql, end) = frontend::cstring(frame.body);
        let truncated = end.is_none();
        if self.skipping.is_some() {
            out.counts.skipped += (sql::statements(sql).count() as u64).max(1);
            return;
        }
        self.next_group = self.next_group.wrapping_add(1);
        let mut first = true;
        let mut statements = sql::statements(sql).peekable();
        // Nothing but comments: EmptyQueryResponse answers the whole.
        if statements.peek().is_none() {
            let statement = self.statement(sql, truncated, texts);
            self.push_alone(Kind::Statement { statement, first }, frame);
        }
        while let Some(sql) = statements.next() {
            let cut = truncated && statements.peek().is_none();
            let statement = self.statement(sql, cut, texts);
            self.push_alone(Kind::Statement { statement, first }, frame);
            first = false;
        }
        self.push_query_end(truncated);
    }

    /// Normalised once, here; never again by an Execute.
    fn statement(&mut self, sql: &[u8], truncated: bool, texts: &mut Texts) -> Statement {
        let text = texts.intern_sql(sql, truncated);
        let act = match sql::effect(sql) {
            Effect::None | Effect::Listen => Act::None,
            Effect::Prepare { name, body } => {
                let name = self.names.id(&name);
                self.names.set_parsed(name);
                Act::Prepare { name, text: texts.intern_sql(body, truncated) }
            }
            Effect::Execute { name } => {
                let name = self.names.id(&name);
                self.name_before(name, texts);
                Act::Execute { name }
            }
            Effect::Deallocate { name } => Act::Deallocate { name: self.names.id(&name) },
            Effect::DeallocateAll => Act::DeallocateAll,
        };
        Statement { text, known: true, act }
    }

    fn name_before(&mut self, name: NameId, texts: &mut Texts) {
        if self.names.is_unseen(name) {
            let text = self.before(name, texts);
            self.names.set_before(name, text);
        }
    }

    /// The text that stands for a statement that was never seen.
    pub(super) fn before(&self, name: NameId, texts: &mut Texts) -> TextId {
        match self.names.name(name) {
            frontend::UNREAD => texts.label("(name not captured)"),
            name => texts.intern_prepared_before(name),
        }
    }

    fn object(&mut self, object: Object<'_>, describe: bool) -> Kind {
        match object {
            Object::Statement(name) => {
                let name = self.names.id(name);
                if describe { Kind::DescribeStatement { name } } else { Kind::CloseStatement { name } }
            }
            Object::Portal(name) => {
                let name = self.names.id(name);
                if describe { Kind::DescribePortal { name } } else { Kind::ClosePortal { name } }
            }
        }
    }

    fn push_in_group(&mut self, kind: Kind, frame: &Frame<'_>) {
        let next = &mut self.next_group;
        let group = self.group.get_or_insert_with(|| {
            *next = next.wrapping_add(1);
            Group { id: *next, started_at: frame.first.at, task: frame.first.task, bytes: 0 }
        });
        group.bytes += frame.wire_bytes();
        let Group { id, started_at, task, bytes } = *group;
        self.pending.push(Op { kind, group: id, started_at, task, bytes });
    }

    pub(super) fn push_alone(&mut self, kind: Kind, frame: &Frame<'_>) {
        if !matches!(kind, Kind::Statement { .. }) {
            self.next_group = self.next_group.wrapping_add(1);
        }
        let (group, bytes) = (self.next_group, frame.wire_bytes());
        self.pending.push(Op { kind, group, started_at: frame.first.at, task: frame.first.task, bytes });
    }

    /// StartupMessage was sent.
    pub(super) fn push_startup(&mut self, moment: Moment) {
        self.unsure = false;
        let (started_at, task) = (moment.at, moment.task);
        self.pending.push(Op { kind: Kind::Startup, group: self.next_group, started_at, task, bytes: 0 });
    }

    /// The session was refused.
    pub(super) fn drop_startup(&mut self) {
        while self.pending.pop().is_some() {}
    }

    /// COPY FROM STDIN is under way, and nothing else.
    pub(super) fn copies_in(&self) -> bool {
        self.copy_in && self.pending.front().is_some_and(Op::is_execution) && self.pending.executions() == 1
    }

    /// The Sync behind the COPY data will not be seen.
    pub(super) fn expect_ready(&mut self) {
        if self.pending.ready_due() == 0
            && let Some(op) = self.pending.back().copied()
        {
            self.pending.push(Op { kind: Kind::Sync, ..op });
        }
    }

    /// ReadyForQuery is due behind the last message.
    fn push_query_end(&mut self, more: bool) {
        if let Some(last) = self.pending.back().copied() {
            self.pending.push(Op { kind: Kind::QueryEnd { more }, ..last });
        }
    }

    /// The data of a COPY is part of its request.
    fn copy_bytes(&mut self, bytes: u64) {
        if let Some(op) = self.pending.front_mut()
            && op.is_execution()
            && self.copy_in
        {
            op.bytes = op.bytes.saturating_add(bytes);
        }
    }

    /// Bytes of the client that were not framed because COPY data passes by.
    pub(super) fn copy_unframed(&mut self, bytes: u64) {
        self.copy_bytes(bytes);
    }

    /// Hands a request out, or holds it back while its pairing is not sure.
    pub(super) fn emit(&mut self, request: Request, out: &mut Requests) {
        if !self.unsure {
            out.finished.push(request);
            return;
        }
        self.held.push(request);
        if self.held.len() >= HELD {
            self.release(out);
        }
    }

    /// The pairing was right: the session was quiet before it.
    pub(super) fn release(&mut self, out: &mut Requests) {
        self.unsure = false;
        out.finished.append(&mut self.held);
        self.held = Vec::new();
    }

    /// The pairing is lost. Everything that waits for an answer will not get one. Returns how many requests that were.
    pub(super) fn lose(&mut self, out: &mut Requests) -> u64 {
        let lost = self.pending.executions();
        out.counts.answers_unmatched += lost + self.held.len() as u64;
        self.held = Vec::new();
        while let Some(op) = self.pending.pop() {
            // Most likely it was prepared. Had the name been taken, the server would have refused.
            if let Kind::Parse { name, statement } = op.kind
                && self.names.statement(name).is_none()
            {
                self.names.set_statement(name, statement);
            }
        }
        self.forget_unnamed();
        while let Some(portal) = self.names.close_any_portal() {
            out.counts.answers_unmatched += u64::from(portal.suspended.is_some());
        }
        self.names.sweep();
        self.answer = Answer::default();
        self.group = None;
        self.skipping = None;
        self.copy_in = false;
        self.status = None;
        lost
    }

    /// No message of an unfinished group is around.
    pub(super) fn group_is_closed(&self) -> bool {
        self.group.is_none()
    }

    /// The unnamed statement is not known any more.
    pub(super) fn forget_unnamed(&mut self) {
        let unnamed = self.names.id(b"");
        self.names.drop_statement(unnamed);
    }

    /// A suspended portal has ended: its request did at its last PortalSuspended.
    pub(super) fn end_portal(&mut self, portal: Option<Portal>, texts: &mut Texts, out: &mut Requests) {
        let Some(Portal { statement, suspended: Some(read) }) = portal else { return };
        let (text, known) = self.text(statement, texts);
        out.counts.statements_unnamed += u64::from(!known);
        let request = Request {
            text,
            started_at: read.started_at,
            first_byte_at: read.first_byte_at,
            ended_at: read.ended_at,
            task: read.task,
            rows: read.rows,
            request_bytes: read.request_bytes,
            answer_bytes: read.answer_bytes,
            error: None,
            transaction: read.transaction,
            cancelled: false,
            load: 0,
            values: crate::request::ValueRange::default(),
        };
        self.emit(request, out);
    }

    /// The text to credit, and whether it was seen. EXECUTE is credited to what it executes.
    pub(super) fn text(&self, statement: Statement, texts: &mut Texts) -> (TextId, bool) {
        match statement.act {
            Act::Execute { name } => match self.names.statement(name) {
                Some(body) => (body.text, body.known),
                None => (self.before(name, texts), false),
            },
            _ => (statement.text, statement.known),
        }
    }
}
