//! What the server's messages mean for the oldest pending message of the client.

use super::backend::{self, Failure};
use super::exchange::{Answer, Exchange};
use super::frame::Frame;
use super::names::Suspended;
use super::pending::{Act, Kind, Op, Statement};
use crate::request::{ErrorCode, Request, Requests, TransactionStatus, ValueRange};
use crate::sql::{TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// How a message of the server fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It was expected, or belongs to no request.
    Yes,
    /// No pending message has this answer: requests and answers are out of step.
    No,
    /// The server refused the session or ended it.
    SessionEnds,
}

/// These arrive at any time and answer nothing ("Asynchronous Operations" in the protocol documentation).
pub(super) fn is_asynchronous(tag: u8) -> bool {
    matches!(tag, b'N' | b'A' | b'S')
}

/// These end a request.
pub(super) fn is_completion(tag: u8) -> bool {
    matches!(tag, b'C' | b'I' | b's' | b'E' | b'V')
}

/// SQLSTATE query_canceled (PostgreSQL 15, Appendix A): by a cancel request, and also by a time limit of the server.
const QUERY_CANCELED: &str = "57014";

impl Exchange {
    /// Takes a message of the server.
    pub(super) fn backend(&mut self, frame: &Frame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        if is_asynchronous(frame.tag) {
            return Fit::Yes;
        }
        while self.pending.front().is_some_and(|op| matches!(op.kind, Kind::CopyEnd)) {
            self.pending.pop();
        }
        let Some(op) = self.pending.front().copied() else {
            // The server ends an idle session (57P01, 57P05, 25P03): no answer to anything.
            let farewell = frame.tag == b'E' && backend::failure(frame.body).ends_session;
            return if farewell { Fit::Yes } else { Fit::No };
        };
        match (frame.tag, op.kind) {
            (_, Kind::Startup) => return self.startup(frame, out),
            (_, Kind::Streaming) if frame.tag != b'Z' => return Fit::Yes,
            (b'E', _) => {
                self.count_answer(&op, frame);
                self.fail(op, frame, texts, out);
                return Fit::Yes;
            }
            (b'Z', _) => return self.ready(op, frame, texts, out),
            _ => {}
        }
        match (frame.tag, op.kind) {
            (b'1', Kind::Parse { .. })
            | (b'2', Kind::Bind { .. })
            | (b'3', Kind::CloseStatement { .. } | Kind::ClosePortal { .. })
            | (b'T' | b'n', Kind::DescribeStatement { .. } | Kind::DescribePortal { .. }) => {
                self.count_answer(&op, frame);
                self.front_done(texts, out);
                Fit::Yes
            }
            (b't', Kind::DescribeStatement { name }) => {
                self.count_answer(&op, frame);
                self.names.describe(name, frame.body);
                Fit::Yes
            }
            _ => self.execution(op, frame, texts, out),
        }
    }

    /// Takes the oldest message out; its values are in `given` then.
    fn pop_answered(&mut self) -> Option<Op> {
        self.given.clear();
        self.given.extend_from_slice(self.pending.front_values());
        self.pending.pop()
    }

    /// The server has done what the oldest message asked, one that executes nothing.
    pub(super) fn front_done(&mut self, texts: &mut Texts, out: &mut Requests) {
        let Some(op) = self.pop_answered() else { return };
        let ended = match op.kind {
            Kind::Parse { name, statement } => {
                self.names.set_statement(name, statement);
                None
            }
            Kind::Bind { portal, statement } => {
                let statement = self.prepared(statement, texts);
                let replaced = self.names.set_portal(portal, statement);
                self.end_portal(replaced, texts, out);
                let room = self.names.take_values(portal);
                self.names.give_values(portal, std::mem::replace(&mut self.given, room));
                None
            }
            Kind::CloseStatement { name } => {
                self.names.drop_statement(name);
                None
            }
            Kind::ClosePortal { name } => self.names.close_portal(name),
            _ => None,
        };
        self.end_portal(ended, texts, out);
    }

    fn execution(&mut self, op: Op, frame: &Frame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        match (frame.tag, op.kind) {
            (b'T', Kind::Statement { .. } | Kind::QueryEnd { .. })
            | (b'D', Kind::Execute { .. } | Kind::Statement { .. } | Kind::QueryEnd { .. })
            | (b'd' | b'c', Kind::Execute { .. } | Kind::Statement { .. } | Kind::QueryEnd { .. })
            | (b'H', Kind::Execute { .. } | Kind::Statement { .. } | Kind::QueryEnd { .. }) => {
                self.count_answer(&op, frame);
            }
            (b'G', Kind::Execute { .. } | Kind::Statement { .. } | Kind::QueryEnd { .. }) => {
                self.count_answer(&op, frame);
                let ended = self.pending.swallow_syncs();
                self.copy_in = !ended;
            }
            (b'W', Kind::Execute { .. } | Kind::Statement { .. }) => {
                self.session.streaming = true;
                self.pending.start_streaming();
            }
            (b's', Kind::Execute { .. }) => {
                self.count_answer(&op, frame);
                self.pending.pop();
                self.suspend(op, frame, texts);
            }
            (b'C' | b'I', Kind::Execute { .. } | Kind::Statement { .. })
            | (b'V', Kind::FunctionCall { .. }) => {
                self.count_answer(&op, frame);
                self.pop_answered();
                let rows = if frame.tag == b'C' { backend::rows(frame.body) } else { 0 };
                self.complete(op, Some(frame.body), rows, None, frame.last.at, texts, out);
            }
            // A replication command may have several results, as BASE_BACKUP has: all of them are its answer.
            (b'C', Kind::QueryEnd { .. }) if self.session.streaming => self.count_answer(&op, frame),
            // The server found more statements than we did in a text that was cut.
            (b'C' | b'I', Kind::QueryEnd { more }) if more || !self.unsure => {
                self.count_answer(&op, frame);
                let rows = if frame.tag == b'C' { backend::rows(frame.body) } else { 0 };
                self.complete(op, Some(frame.body), rows, None, frame.last.at, texts, out);
            }
            _ => return Fit::No,
        }
        Fit::Yes
    }

    /// ReadyForQuery.
    fn ready(&mut self, op: Op, frame: &Frame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        match op.kind {
            // It was split into more statements than the server found.
            Kind::Statement { first: false, .. } => {
                while self.pending.front().is_some_and(|op| !op.awaits_ready()) {
                    out.counts.answers_unmatched += 1;
                    self.pending.pop();
                }
            }
            _ if !op.awaits_ready() => return Fit::No,
            _ => {}
        }
        self.pending.pop();
        self.answer = Answer::default();
        self.copy_in = false;
        if matches!(op.kind, Kind::Statement { .. } | Kind::QueryEnd { .. }) {
            // A simple Query destroys the unnamed statement and portal ("Extended Query" in the documentation).
            self.forget_unnamed();
            let unnamed = self.names.id(b"");
            let old = self.names.close_portal(unnamed);
            self.end_portal(old, texts, out);
        }
        let status = backend::status(frame.body);
        if status == Some(TransactionStatus::Idle) {
            while let Some(portal) = self.names.close_any_portal() {
                self.end_portal(Some(portal), texts, out);
            }
        }
        self.status = status;
        if self.pending.is_empty() && self.group_is_closed() {
            self.names.sweep();
        }
        Fit::Yes
    }

    fn startup(&mut self, frame: &Frame<'_>, out: &mut Requests) -> Fit {
        match frame.tag {
            b'E' => {
                self.session.login_error = Some(backend::failure(frame.body).code);
                out.counts.logins_refused += 1;
                return Fit::SessionEnds;
            }
            b'K' => self.session.backend_key = backend::backend_key(frame.body),
            b'Z' => {
                self.pending.pop();
                self.status = backend::status(frame.body);
            }
            b'R' | b'v' => {}
            _ => return Fit::No,
        }
        Fit::Yes
    }

    /// ErrorResponse: the request that it answers has failed, and what follows up to the next Sync is skipped.
    fn fail(&mut self, op: Op, frame: &Frame<'_>, texts: &mut Texts, out: &mut Requests) {
        let Failure { code, .. } = backend::failure(frame.body);
        let at = frame.last.at;
        match op.kind {
            // The implicit transaction of a pipeline commits at Sync. ReadyForQuery still follows.
            Kind::Sync => {
                let text = texts.label("(implicit commit)");
                self.respond(op, (text, true), 0, Some(code), at, &[], out);
            }
            Kind::QueryEnd { .. } => self.complete(op, None, 0, Some(code), at, texts, out),
            Kind::CloseStatement { .. } | Kind::ClosePortal { .. } => {
                self.pending.pop();
                self.skip_to_sync(op.group, out);
            }
            Kind::Statement { .. } | Kind::FunctionCall { .. } => {
                self.pop_answered();
                self.complete(op, None, 0, Some(code), at, texts, out);
                while self.pending.front().is_some_and(|op| !op.awaits_ready()) {
                    out.counts.skipped += self.pending.pop().map_or(0, |op| u64::from(op.is_execution()));
                }
            }
            _ => {
                if let Kind::Parse { name, .. } = op.kind {
                    self.names.forget_sent(name);
                    if self.names.name(name).is_empty() {
                        // It is dropped before the new text is parsed (`exec_parse_message`, postgres.c).
                        self.names.drop_statement(name);
                    }
                }
                self.pop_answered();
                let bytes = self.pending.group_bytes(&op);
                self.complete(Op { bytes, ..op }, None, 0, Some(code), at, texts, out);
                self.skip_to_sync(op.group, out);
            }
        }
        self.copy_in = false;
        if self.status == Some(TransactionStatus::InTransaction) {
            self.status = Some(TransactionStatus::Failed);
        }
    }

    fn skip_to_sync(&mut self, failed: u32, out: &mut Requests) {
        while let Some(op) = self.pending.front() {
            if op.kind == Kind::Sync {
                return;
            }
            let own = op.group == failed && matches!(op.kind, Kind::Execute { .. });
            out.counts.skipped += u64::from(op.is_execution() && !own);
            self.pending.pop();
        }
        self.skipping = Some(failed);
    }

    fn suspend(&mut self, op: Op, frame: &Frame<'_>, texts: &mut Texts) {
        let Kind::Execute { portal, limit } = op.kind else { return };
        let answer = std::mem::take(&mut self.answer);
        if self.names.portal(portal).is_none() {
            // Bound before the capture.
            let text = texts.intern_prepared_before(b"");
            self.names.set_portal(portal, Statement { text, known: false, act: Act::None });
        }
        let transaction = self.status;
        let Some(open) = self.names.portal_mut(portal) else { return };
        let read = open.suspended.get_or_insert_with(|| {
            Box::new(Suspended {
                started_at: op.started_at,
                first_byte_at: answer.first_byte_at.unwrap_or(frame.first.at),
                ended_at: frame.last.at,
                task: op.task,
                transaction,
                rows: 0,
                request_bytes: 0,
                answer_bytes: 0,
                load: op.load,
            })
        });
        read.ended_at = frame.last.at;
        // Suspended means: as many rows as the limit said.
        read.rows += u64::from(limit);
        read.request_bytes += op.bytes;
        read.answer_bytes += answer.bytes;
    }

    /// An execution ended. `tag`: the body of CommandComplete, where that ended it.
    #[expect(clippy::too_many_arguments, reason = "facts of one answer, used once")]
    pub(super) fn complete(
        &mut self,
        op: Op,
        tag: Option<&[u8]>,
        rows: u64,
        error: Option<ErrorCode>,
        at: Nanos,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let statement = match op.kind {
            Kind::Parse { statement, .. }
            | Kind::Statement { statement, .. }
            | Kind::FunctionCall { statement } => statement,
            Kind::Bind { statement, .. } | Kind::DescribeStatement { name: statement } => {
                self.prepared(statement, texts)
            }
            Kind::Execute { portal, .. } | Kind::DescribePortal { name: portal } => match self
                .names
                .portal(portal)
            {
                Some(portal) => portal.statement,
                None => Statement { text: texts.intern_prepared_before(b""), known: false, act: Act::None },
            },
            _ => Statement { text: texts.label("(statement not captured)"), known: true, act: Act::None },
        };
        let text = self.text(statement, texts);
        match op.kind {
            Kind::Execute { portal, .. } | Kind::DescribePortal { name: portal } => {
                let values = self.names.take_values(portal);
                let open = self.names.portal(portal).is_some();
                self.respond(op, text, rows, error, at, if open { &values } else { &[] }, out);
                self.names.give_values(portal, values);
            }
            _ if op.values > 0 => {
                let values = std::mem::take(&mut self.given);
                self.respond(op, text, rows, error, at, &values, out);
                self.given = values;
            }
            _ => self.respond(op, text, rows, error, at, &[], out),
        }
        if let Some(tag) = tag {
            self.apply(statement.act);
            self.follow(tag);
        }
    }

    /// A cancel request ends what runs when it comes: it says nothing of a request that began later.
    fn was_cancelled(&mut self, started_at: Nanos, error: Option<ErrorCode>) -> bool {
        let Some(at) = self.cancelled_at else { return false };
        let ended_by_it = started_at <= at && error.is_some_and(|error| error.as_str() == QUERY_CANCELED);
        if ended_by_it || started_at > at {
            self.cancelled_at = None;
        }
        ended_by_it
    }

    #[expect(clippy::too_many_arguments, reason = "facts of one answer, used once")]
    fn respond(
        &mut self,
        op: Op,
        (text, known): (TextId, bool),
        rows: u64,
        error: Option<ErrorCode>,
        ended_at: Nanos,
        values: &[Value],
        out: &mut Requests,
    ) {
        let answer = std::mem::take(&mut self.answer);
        let cancelled = self.was_cancelled(op.started_at, error);
        let mut request = Request {
            text,
            started_at: op.started_at,
            first_byte_at: answer.first_byte_at.unwrap_or(ended_at),
            ended_at,
            task: op.task,
            rows,
            request_bytes: op.bytes,
            answer_bytes: answer.bytes,
            error,
            transaction: self.status,
            cancelled,
            load: op.load,
            values: ValueRange::default(),
        };
        if let Kind::Execute { portal, .. } = op.kind
            && let Some(read) = self.names.portal_mut(portal).and_then(|portal| portal.suspended.take())
        {
            request.started_at = read.started_at;
            request.first_byte_at = read.first_byte_at;
            request.task = read.task;
            request.transaction = read.transaction;
            request.load = read.load;
            request.rows += read.rows;
            request.request_bytes += read.request_bytes;
            request.answer_bytes += read.answer_bytes;
        }
        out.counts.statements_unnamed += u64::from(!known);
        self.emit(request, values, out);
    }

    /// The effect of a completed statement on the session's names.
    fn apply(&mut self, act: Act) {
        match act {
            Act::None | Act::Execute { .. } => {}
            Act::Prepare { name, text } => {
                self.names.set_statement(name, Statement { text, known: true, act: Act::None });
            }
            Act::Deallocate { name } => self.names.drop_statement(name),
            Act::DeallocateAll => self.names.drop_named_statements(),
        }
    }

    /// Transaction status before the next request of the same pipeline; ReadyForQuery tells it for sure.
    fn follow(&mut self, tag: &[u8]) {
        match tag.split(|byte| matches!(byte, b' ' | 0)).next() {
            Some(b"BEGIN" | b"START") => self.status = Some(TransactionStatus::InTransaction),
            // ROLLBACK may be ROLLBACK TO, and both may chain.
            Some(b"COMMIT" | b"ROLLBACK") => self.status = None,
            _ => {}
        }
    }

    /// The statement of a name as it is now; unknown ones were prepared before the capture.
    fn prepared(&mut self, name: super::names::NameId, texts: &mut Texts) -> Statement {
        self.names.statement(name).unwrap_or_else(|| {
            let text = self.before(name, texts);
            Statement { text, known: false, act: Act::None }
        })
    }

    fn count_answer(&mut self, op: &Op, frame: &Frame<'_>) {
        if self.answer.group != Some(op.group) {
            self.answer = Answer { group: Some(op.group), first_byte_at: Some(frame.first.at), bytes: 0 };
        }
        self.answer.bytes += frame.wire_bytes();
    }
}
