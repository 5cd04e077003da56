//! Takes the server's packets: what each means for the oldest command that waits.

use super::answer::{self, CONNECTION_KILLED, Failure, Okay, PROGRESS, QUERY_INTERRUPTED};
use super::cursor::Cursor;
use super::exchange::{Answer, Effect, Exchange, Fit, Kind, Op, Place};
use super::packet::PacketFrame;
use crate::request::Requests;
use crate::sql::Texts;
use crate::time::Nanos;

/// A packet that ends rows has no more bytes than this.
const LONGEST_END: u32 = 1 << 10;

/// Its first bytes are missing, and its length does not tell that it does not end the rows.
fn may_end_unseen(frame: &PacketFrame<'_>) -> bool {
    let unseen = frame.is_cut() && frame.body.first().is_none_or(|byte| *byte == 0xfe);
    unseen && frame.header.payload_bytes <= LONGEST_END
}

impl Exchange {
    /// Takes a packet of the server.
    pub(super) fn server(&mut self, frame: &PacketFrame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        let header = frame.header;
        if !self.answer.continued
            && self.stray_eof.take() == Some(header.sequence)
            && header.payload_bytes == 5
            && let Some(status) = answer::eof(frame.body)
        {
            self.deprecate_eof = Some(false);
            self.set_status(status);
            return Fit::Yes;
        }
        let is_error = frame.body.first() == Some(&0xff) && !self.answer.continued;
        let Some(op) = self.pending.front() else {
            // The server ends an idle session.
            return if is_error && answer::failure(frame.body).is_some() { Fit::Yes } else { Fit::No };
        };
        let expected = self.answer.sequence.or(op.sequence.map(|last| last.wrapping_add(1)));
        if expected.is_some_and(|expected| header.sequence != expected) && !self.compressed && !is_error {
            return Fit::No;
        }
        let answer = &mut self.answer;
        answer.first_byte_at.get_or_insert(frame.first.at);
        if !self.compressed {
            answer.bytes = answer.bytes.saturating_add(frame.wire_bytes);
        }
        answer.sequence = Some(header.sequence.wrapping_add(1));
        if std::mem::replace(&mut answer.continued, header.is_continued()) {
            return Fit::Yes;
        }
        let fit = if is_error {
            match answer::failure(frame.body) {
                Some(failure) => {
                    if failure.number != PROGRESS {
                        self.fail(failure, frame.last.at, out);
                    }
                    Fit::Yes
                }
                None => Fit::No,
            }
        } else {
            self.place(frame, texts, out)
        };
        if fit == Fit::No && frame.is_cut() { Fit::Unknown } else { fit }
    }

    fn place(&mut self, frame: &PacketFrame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        match self.answer.place {
            Place::Rows { started } => self.row(started, frame, texts, out),
            Place::First => self.first(frame, texts, out),
            Place::Definitions { left } => {
                if !answer::is_column_definition(frame.body) {
                    return Fit::No;
                }
                let left = left.saturating_sub(1);
                self.answer.place =
                    if left > 0 { Place::Definitions { left } } else { Place::Rows { started: false } };
                Fit::Yes
            }
            Place::PreparedParameters { .. } | Place::PreparedColumns { .. } => self.definition(frame),
            Place::LocalInfile => Fit::No,
        }
    }

    /// A row, or what ends the rows.
    fn row(&mut self, started: bool, frame: &PacketFrame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        let Some(end) = answer::end(frame.body, frame.header.payload_bytes) else {
            if may_end_unseen(frame) {
                return Fit::No;
            }
            let binary = self.pending.front().is_some_and(|op| matches!(op.kind, Kind::Execute { .. }));
            if binary && frame.body.first().is_some_and(|byte| *byte != 0) {
                return Fit::No;
            }
            if !started {
                self.deprecate_eof.get_or_insert(true);
                self.answer.place = Place::Rows { started: true };
            }
            self.answer.rows = self.answer.rows.saturating_add(1);
            return Fit::Yes;
        };
        if !end.status.is_plausible() {
            return Fit::No;
        }
        let opens_cursor = end.status.cursor_exists()
            && self.pending.front().is_some_and(|op| matches!(op.kind, Kind::Execute { cursor: true, .. }));
        if opens_cursor {
            return self.open_cursor(end, frame.last.at, out);
        }
        let behind_definitions = !started && frame.header.payload_bytes == 5;
        if behind_definitions && self.deprecate_eof != Some(true) {
            self.deprecate_eof = Some(false);
            self.answer.place = Place::Rows { started: true };
            return Fit::Yes;
        }
        self.answer.has_rows = true;
        self.result(end, false, frame.last.at, texts, out)
    }

    /// The first packet of an answer, or of one of its results.
    fn first(&mut self, frame: &PacketFrame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        let Some(op) = self.pending.front_mut() else { return Fit::No };
        let (payload, payload_bytes, at) = (frame.body, frame.header.payload_bytes, frame.last.at);
        let first = payload.first().copied();
        match &mut op.kind {
            Kind::Query | Kind::Execute { .. } => match first {
                Some(0) if payload_bytes >= 7 => match answer::okay(payload) {
                    Some(okay) if okay.status.is_plausible() => self.result(okay, true, at, texts, out),
                    _ => Fit::No,
                },
                Some(0xfb) if matches!(op.kind, Kind::Query) => {
                    self.answer.place = Place::LocalInfile;
                    Fit::Yes
                }
                _ => match answer::column_count(payload) {
                    Some(count) if payload_bytes <= 10 => {
                        self.answer.place = if count.definitions_follow {
                            Place::Definitions { left: count.columns }
                        } else {
                            Place::Rows { started: false }
                        };
                        Fit::Yes
                    }
                    _ => Fit::No,
                },
            },
            Kind::Prepare(prepared) => {
                let Some(okay) = answer::prepare_ok(payload) else { return Fit::No };
                if let Some(mut prepared) = prepared.take() {
                    prepared.parameters = Some(okay.parameters);
                    let old = self.statements.insert(okay.statement, *prepared);
                    self.statements.last = Some(okay.statement);
                    self.end_cursor(old.and_then(|old| old.cursor), out);
                }
                self.answer.place = match (okay.definitions_follow, okay.parameters, okay.columns) {
                    (false, ..) | (true, 0, 0) => {
                        self.pop();
                        return Fit::Yes;
                    }
                    (true, 0, left) => Place::PreparedColumns { left },
                    (true, left, columns) => Place::PreparedParameters { left, columns },
                };
                Fit::Yes
            }
            Kind::Fetch { .. } => match answer::end(payload, payload_bytes) {
                Some(end) => {
                    self.fetched(end, at, out);
                    Fit::Yes
                }
                None if first.is_none_or(|byte| byte == 0) && !may_end_unseen(frame) => {
                    self.answer.rows = self.answer.rows.saturating_add(1);
                    Fit::Yes
                }
                None => Fit::No,
            },
            Kind::Reset { statement } => {
                let statement = *statement;
                let Some(okay) = answer::okay(payload).filter(|_| first == Some(0)) else { return Fit::No };
                self.set_status(okay.status);
                self.pop();
                let reset = self.statements.get_mut(statement);
                let cursor = reset.and_then(|reset| {
                    reset.forget_long_data();
                    reset.cursor.take()
                });
                self.end_cursor(cursor, out);
                Fit::Yes
            }
            Kind::Plain(effect) => {
                let authenticates = matches!(effect, Effect::User { .. });
                // AuthMoreData and AuthSwitchRequest of COM_CHANGE_USER.
                if authenticates && matches!(first, Some(1 | 0xfe)) {
                    return Fit::Yes;
                }
                let okay = match first {
                    Some(0) => answer::okay(payload),
                    _ => answer::end(payload, payload_bytes),
                };
                let Some(okay) = okay.filter(|okay| okay.status.is_plausible()) else { return Fit::No };
                self.plain(okay, at, texts, out)
            }
            Kind::Statistics => {
                let okay = Okay { affected_rows: 0, status: Default::default() };
                // Its answer has no status.
                let (transaction, dialect) = (self.transaction, self.dialect);
                let fit = self.result(okay, true, at, texts, out);
                (self.transaction, self.dialect) = (transaction, dialect);
                fit
            }
            Kind::FieldList => match answer::end(payload, payload_bytes) {
                Some(end) => self.result(end, false, at, texts, out),
                None if answer::is_column_definition(payload) => Fit::Yes,
                None => Fit::No,
            },
        }
    }

    /// OK to a command that changes the session.
    fn plain(&mut self, okay: Okay, at: Nanos, texts: &mut Texts, out: &mut Requests) -> Fit {
        let effect = match self.pending.front_mut().map(|op| &mut op.kind) {
            Some(Kind::Plain(effect)) => std::mem::replace(effect, Effect::None),
            _ => Effect::None,
        };
        let fit = self.result(okay, true, at, texts, out);
        match effect {
            Effect::None => {}
            Effect::Database(name) => self.session.database = Some(name),
            Effect::Reset => {
                self.end_cursors(out);
                self.statements.clear();
            }
            Effect::User { user, database } => {
                self.session.user = user;
                self.session.database = database;
                self.end_cursors(out);
                self.statements.clear();
            }
        }
        fit
    }

    /// Definitions of a prepared statement's parameters and columns.
    fn definition(&mut self, frame: &PacketFrame<'_>) -> Fit {
        let is_eof = frame.header.payload_bytes == 5 && answer::eof(frame.body).is_some();
        if !is_eof && !answer::is_column_definition(frame.body) {
            return Fit::No;
        }
        let behind = self.deprecate_eof;
        if is_eof {
            self.deprecate_eof = Some(false);
        }
        let next = match self.answer.place {
            Place::PreparedParameters { left: 0, columns: 0 } | Place::PreparedColumns { left: 0 }
                if is_eof =>
            {
                None
            }
            Place::PreparedParameters { left: 0, columns } if is_eof => {
                Some(Place::PreparedColumns { left: columns })
            }
            Place::PreparedParameters { left: 0, columns } => {
                self.deprecate_eof = Some(true);
                match columns {
                    0 => return Fit::No,
                    1 => None,
                    _ => Some(Place::PreparedColumns { left: columns - 1 }),
                }
            }
            Place::PreparedParameters { .. } | Place::PreparedColumns { .. } if is_eof => return Fit::No,
            Place::PreparedParameters { left, columns } => match (left - 1, columns, behind) {
                (0, 0, Some(true) | None) => None,
                (0, columns, Some(true)) => Some(Place::PreparedColumns { left: columns }),
                (left, columns, _) => Some(Place::PreparedParameters { left, columns }),
            },
            Place::PreparedColumns { left: 0 } => return Fit::No,
            Place::PreparedColumns { left } => match (left - 1, self.deprecate_eof) {
                (0, Some(true) | None) => None,
                (left, _) => Some(Place::PreparedColumns { left }),
            },
            _ => return Fit::No,
        };
        match next {
            Some(place) => self.answer.place = place,
            None => {
                if self.deprecate_eof.is_none() {
                    self.stray_eof = self.answer.sequence;
                }
                self.pop();
            }
        }
        Fit::Yes
    }

    /// A result has ended, by OK (`by_ok`) or behind its rows.
    fn result(&mut self, end: Okay, by_ok: bool, at: Nanos, texts: &mut Texts, out: &mut Requests) -> Fit {
        let more = end.status.more_results();
        if by_ok && !self.answer.has_rows {
            self.answer.rows = self.answer.rows.saturating_add(end.affected_rows);
        }
        let Some(op) = self.pending.front() else { return Fit::No };
        let alone = op.following.is_empty() && !op.truncated;
        if more && (alone || op.due.calls && !by_ok) {
            // All results of a CALL are its own. So are those of one statement that is none: EXECUTE of a prepared one.
            self.answer.place = Place::First;
            self.set_status(end.status);
            return Fit::Yes;
        }
        let request = self.finished(op, None, at);
        self.set_status(end.status);
        let next = if more { Some(self.following(texts)) } else { None };
        let Some(op) = self.pending.front_mut() else { return Fit::No };
        out.counts.statements_unnamed += u64::from(!op.due.known);
        if let Some(database) = op.due.database.take() {
            self.session.database = Some(database);
        }
        match next {
            Some(next) => {
                let done = std::mem::replace(&mut op.due, next);
                out.push(request, &done.values);
                self.give_back(done.values);
                self.answer = Answer { sequence: self.answer.sequence, ..Answer::default() };
            }
            None => {
                let Some(op) = self.pop() else { return Fit::No };
                // It was split into more statements than the server found.
                out.counts.answers_unmatched += op.following.len() as u64;
                out.push(request, &op.due.values);
                self.give_back(op.due.values);
            }
        }
        Fit::Yes
    }

    /// The statement whose result comes next.
    fn following(&mut self, texts: &mut Texts) -> super::exchange::Due {
        let next = self.pending.front_mut().and_then(|op| op.following.pop());
        match next {
            Some(due) => {
                self.requests_pending = self.requests_pending.saturating_sub(1);
                due
            }
            None => self.uncaptured(texts),
        }
    }

    /// ERR: the command has failed, and what follows in the same text is not executed.
    fn fail(&mut self, failure: Failure, at: Nanos, out: &mut Requests) {
        let Some(op) = self.pending.front() else { return };
        let mut request = self.finished(op, Some(failure.code), at);
        let Some(op) = self.pop() else { return };
        out.counts.skipped += op.following.len() as u64;
        let cursor = match op.kind {
            Kind::Fetch { statement } => {
                let Some(cursor) = self.statements.get_mut(statement).and_then(|own| own.cursor.take())
                else {
                    out.counts.started_before += 1;
                    return;
                };
                Some(cursor)
            }
            _ => None,
        };
        if let Some(mut cursor) = cursor {
            cursor.request.error = request.error;
            cursor.add(&op, &request);
            cursor.request.cancelled = self.was_cancelled(cursor.request.started_at, failure.number);
            return self.end_cursor(Some(cursor), out);
        }
        request.cancelled = self.was_cancelled(op.started_at, failure.number);
        out.counts.statements_unnamed += u64::from(!op.due.known);
        out.push(request, &op.due.values);
        self.give_back(op.due.values);
    }

    /// A KILL ends what runs when it comes: it says nothing of a request that began later.
    pub(super) fn was_cancelled(&mut self, started_at: Nanos, number: u16) -> bool {
        let Some(at) = self.cancelled_at else { return false };
        let interrupted = number == QUERY_INTERRUPTED || CONNECTION_KILLED.contains(&number);
        let by_it = started_at <= at && interrupted;
        if by_it || started_at > at {
            self.cancelled_at = None;
        }
        by_it
    }

    fn open_cursor(&mut self, end: Okay, at: Nanos, out: &mut Requests) -> Fit {
        let Some(op) = self.pending.front() else { return Fit::No };
        let request = self.finished(op, None, at);
        self.set_status(end.status);
        let Some(Op { kind: Kind::Execute { statement, .. }, due, .. }) = self.pop() else { return Fit::No };
        let cursor = Some(Box::new(Cursor { request, values: due.values, known: due.known }));
        // A cursor of a statement that was closed or forgotten meanwhile will not be read.
        let over = match self.statements.get_mut(statement) {
            Some(prepared) => std::mem::replace(&mut prepared.cursor, cursor),
            None => cursor,
        };
        self.end_cursor(over, out);
        Fit::Yes
    }

    /// The rows of a COM_STMT_FETCH have ended.
    fn fetched(&mut self, end: Okay, at: Nanos, out: &mut Requests) {
        let Some(op) = self.pending.front() else { return };
        let read = self.finished(op, None, at);
        self.set_status(end.status);
        let Some(op) = self.pop() else { return };
        let Kind::Fetch { statement } = op.kind else { return };
        let over = end.status.last_row_sent() || !end.status.cursor_exists();
        let Some(own) = self.statements.get_mut(statement) else { return };
        let Some(cursor) = &mut own.cursor else {
            // It was opened before the capture.
            out.counts.started_before += u64::from(over);
            return;
        };
        cursor.add(&op, &read);
        if over {
            let cursor = own.cursor.take();
            self.end_cursor(cursor, out);
        }
    }
}
