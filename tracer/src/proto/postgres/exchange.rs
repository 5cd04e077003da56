//! Pairs what the client asked with what the server answers, and hands out the finished requests.
//!
//! The server answers in order. So every message of the client that will be answered waits in [`Pending`], and names
//! change only when the answer confirms it: a failed Parse or Bind, and whatever the server skipped after an error,
//! leaves no trace. Never looks at bytes that were not framed, and never knows how they were.

use super::frame::Frame;
use super::frontend::{self, Object};
use super::names::{NameId, Names, Portal};
use super::parameters;
use super::pending::{Act, Kind, Op, Pending, Statement};
use crate::proto::{Moment, Session};
use crate::random::SplitMix64;
use crate::request::{Request, Requests, Task, TransactionStatus, ValueRange};
use crate::sql::{self, Dialect, Effect, LayoutId, TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// Requests held back until it is sure that they were paired rightly.
const HELD: usize = 1024;

/// Of a statement that was bound more often than this on one connection, only one in four executions has its values read:
/// at such a rate these are more than enough, and reading them is most of what comparing values costs.
const BINDS_READ: u32 = 8192;
/// Chance decides for so many at a time: a processor guesses wrong where each may be either.
const BINDS_TOSSED: u32 = 16;

/// Where the messages of one request begin.
#[derive(Clone, Copy, Debug)]
struct Group {
    id: u32,
    started_at: Nanos,
    task: Task,
    load: Option<u32>,
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
    held: Requests,
    /// Set when the session was the aim of a cancel request. The answer itself tells whether it worked (57014).
    pub(super) cancelled_at: Option<Nanos>,
    /// Room for the values of one message.
    pub(super) given: Vec<Value>,
    chance: SplitMix64,
    assembled: Vec<Value>,
}

impl Exchange {
    /// Takes a message of the client.
    pub(super) fn frontend(&mut self, frame: &Frame<'_>, texts: &mut Texts, out: &mut Requests) {
        match frame.tag {
            b'P' => {
                let (name, sql, behind) = frontend::parse(frame.body);
                if self.skipping.is_none() {
                    let name = self.names.id(name);
                    let (statement, layout) = self.statement(sql, behind.is_none(), frame.first.at, texts);
                    self.names.set_parsed(name);
                    if let Some(sent) = self.names.sent_mut(name) {
                        sent.set(layout, texts.literals());
                        parameters::parse_types(behind.unwrap_or_default(), &mut sent.types);
                    }
                    self.push_in_group(Kind::Parse { name, statement }, frame);
                }
            }
            b'B' => {
                let (portal, statement) = frontend::bind(frame.body);
                if self.skipping.is_none() {
                    let (portal, statement) = (self.names.id(portal), self.names.id(statement));
                    self.name_before(statement, texts);
                    self.push_in_group(Kind::Bind { portal, statement }, frame);
                    self.bind_values(statement, frame, texts);
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
            out.counts.skipped += (sql::statements(Dialect::Postgresql, sql).count() as u64).max(1);
            return;
        }
        self.next_group = self.next_group.wrapping_add(1);
        let mut first = true;
        let mut statements = sql::statements(Dialect::Postgresql, sql).peekable();
        // Nothing but comments: EmptyQueryResponse answers the whole.
        if statements.peek().is_none() {
            self.simple_statement(sql, truncated, first, frame, texts);
        }
        while let Some(sql) = statements.next() {
            let cut = truncated && statements.peek().is_none();
            self.simple_statement(sql, cut, first, frame, texts);
            first = false;
        }
        self.push_query_end(truncated);
    }

    /// One statement of a simple Query, with its literals as values.
    fn simple_statement(
        &mut self,
        sql: &[u8],
        truncated: bool,
        first: bool,
        frame: &Frame<'_>,
        texts: &mut Texts,
    ) {
        let (statement, layout) = self.statement(sql, truncated, frame.first.at, texts);
        self.given.clear();
        self.given.extend_from_slice(texts.literals());
        self.assembled.clear();
        if !self.given.is_empty() {
            match statement.act {
                // The literals of EXECUTE are the parameters of what it executes, unless other expressions are among them.
                Act::Execute { .. } if !are_arguments(&texts.get(statement.text).text) => {}
                Act::Execute { name } => match self.names.sent(name) {
                    Some(sent) => {
                        texts.assemble(sent.layout, &self.given, &sent.literals, &mut self.assembled);
                    }
                    None => self.assembled.extend_from_slice(&self.given),
                },
                _ => texts.assemble(layout, &[], &self.given, &mut self.assembled),
            }
        }
        self.push_alone(Kind::Statement { statement, first }, frame);
        self.pending.fill_last(|values| values.extend_from_slice(&self.assembled));
    }

    /// Gives the Bind that was pushed last its values, by position in its statement.
    fn bind_values(&mut self, statement: NameId, frame: &Frame<'_>, texts: &mut Texts) {
        if texts.passes_over_values() {
            return;
        }
        let Self { names, pending, given, chance, .. } = self;
        let Some(sent) = names.sent_mut(statement) else { return };
        let at = frame.first.at;
        sent.binds = sent.binds.saturating_add(1);
        if sent.binds > BINDS_READ && sent.binds.is_multiple_of(BINDS_TOSSED) {
            sent.passes_over = !one_in_four(chance, at);
        }
        if sent.passes_over {
            return pending.fill_last(|values| values.push(Value::PASSED_OVER));
        }
        if sent.layout == LayoutId::PARAMETERS {
            return pending.fill_last(|values| {
                parameters::bind_values(frame.body, &sent.types, texts.extractor_mut(), at, values);
            });
        }
        given.clear();
        parameters::bind_values(frame.body, &sent.types, texts.extractor_mut(), at, given);
        pending.fill_last(|values| texts.assemble(sent.layout, given, &sent.literals, values));
    }

    /// Normalised once, here; never again by an Execute. Its literals are those that `texts` has last seen.
    fn statement(
        &mut self,
        sql: &[u8],
        truncated: bool,
        at: Nanos,
        texts: &mut Texts,
    ) -> (Statement, LayoutId) {
        let act = match sql::effect(sql) {
            Effect::None | Effect::Listen => Act::None,
            Effect::Prepare { name, body } => {
                let name = self.names.id(&name);
                self.names.set_parsed(name);
                let body = texts.intern(Dialect::Postgresql, body, truncated, at);
                if let Some(sent) = self.names.sent_mut(name) {
                    sent.set(body.layout, texts.literals());
                    sent.types.clear();
                }
                Act::Prepare { name, text: body.text }
            }
            Effect::Execute { name } => {
                let name = self.names.id(&name);
                self.name_before(name, texts);
                Act::Execute { name }
            }
            Effect::Deallocate { name } => Act::Deallocate { name: self.names.id(&name) },
            Effect::DeallocateAll => Act::DeallocateAll,
        };
        let interned = texts.intern(Dialect::Postgresql, sql, truncated, at);
        (Statement { text: interned.text, known: true, act }, interned.layout)
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
            let Moment { at, task, load, .. } = frame.first;
            Group { id: *next, started_at: at, task, load, bytes: 0 }
        });
        group.bytes += frame.wire_bytes();
        let Group { id, started_at, task, load, bytes } = *group;
        self.pending.push(Op { kind, group: id, started_at, task, bytes, load, values: 0 });
    }

    pub(super) fn push_alone(&mut self, kind: Kind, frame: &Frame<'_>) {
        if !matches!(kind, Kind::Statement { .. }) {
            self.next_group = self.next_group.wrapping_add(1);
        }
        let (group, bytes) = (self.next_group, frame.wire_bytes());
        let Moment { at, task, load, .. } = frame.first;
        self.pending.push(Op { kind, group, started_at: at, task, bytes, load, values: 0 });
    }

    /// StartupMessage was sent.
    pub(super) fn push_startup(&mut self, moment: Moment) {
        self.unsure = false;
        let Moment { at, task, load, .. } = moment;
        let group = self.next_group;
        self.pending.push(Op { kind: Kind::Startup, group, started_at: at, task, bytes: 0, load, values: 0 });
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
            self.pending.push(Op { kind: Kind::Sync, values: 0, ..op });
        }
    }

    /// ReadyForQuery is due behind the last message.
    fn push_query_end(&mut self, more: bool) {
        if let Some(last) = self.pending.back().copied() {
            self.pending.push(Op { kind: Kind::QueryEnd { more }, values: 0, ..last });
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
    pub(super) fn emit(&mut self, request: Request, values: &[Value], out: &mut Requests) {
        if !self.unsure {
            out.push(request, values);
            return;
        }
        self.held.push(request, values);
        if self.held.finished.len() >= HELD {
            self.release(out);
        }
    }

    /// The pairing was right: the session was quiet before it.
    pub(super) fn release(&mut self, out: &mut Requests) {
        self.unsure = false;
        out.append_finished(&mut self.held);
        self.held = Requests::default();
    }

    /// The pairing is lost. Everything that waits for an answer will not get one. Returns how many requests that were.
    pub(super) fn lose(&mut self, out: &mut Requests) -> u64 {
        let lost = self.pending.executions() as u64;
        out.counts.answers_unmatched += lost + self.held.finished.len() as u64;
        self.held = Requests::default();
        while let Some(op) = self.pending.pop() {
            // Most likely it was prepared. Had the name been taken, the server would have refused.
            if let Kind::Parse { name, statement } = op.kind
                && self.names.statement(name).is_none()
            {
                self.names.set_statement(name, statement);
            }
        }
        self.forget_unnamed();
        self.forget_sent_unnamed();
        while let Some((_, portal)) = self.names.close_any_portal() {
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

    /// Some messages were not seen: what was sent to be prepared may be another statement by now.
    fn forget_sent_unnamed(&mut self) {
        let unnamed = self.names.id(b"");
        self.names.forget_sent(unnamed);
    }

    /// A suspended portal has ended: its request did at its last PortalSuspended.
    pub(super) fn end_portal(
        &mut self,
        portal: Option<(NameId, Portal)>,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let Some((name, Portal { statement, suspended: Some(read) })) = portal else { return };
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
            load: read.load,
            values: ValueRange::default(),
        };
        let values = self.names.take_values(name);
        self.emit(request, &values, out);
        self.names.give_values(name, values);
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

/// The normalised text of an EXECUTE has nothing but literals in its parentheses.
fn are_arguments(execute: &str) -> bool {
    let arguments = execute.split_once('(').and_then(|(_, behind)| behind.trim_end().strip_suffix(')'));
    arguments.is_some_and(|arguments| arguments.split(',').all(|argument| argument.trim() == "?"))
}

/// True once in four times. By chance and not every fourth time: programs have rhythms of their own.
fn one_in_four(chance: &mut SplitMix64, at: Nanos) -> bool {
    chance.stir(at.0);
    chance.next_bits() & 3 == 0
}
