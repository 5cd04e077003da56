//! Takes the client's packets: each command that will be answered waits in the exchange, with its statement and values.

use std::collections::VecDeque;

use super::bytes::Bytes;
use super::command::{Command, is_block, query_text, used_database};
use super::exchange::{Due, Effect, Exchange, Fit, Kind, MOST_STATEMENTS_OF_TEXT, Op, Place};
use super::greeting::{self, Capabilities};
use super::observer::Phase;
use super::packet::PacketFrame;
use super::parameters::{self, Form};
use super::prepared::{LAST_PREPARED, Prepared};
use crate::proto::Moment;
use crate::request::{BackendKey, Requests};
use crate::sql::{self, LayoutId, Texts};
use crate::value::Value;

/// A text with a KILL or USE is no longer.
const LONGEST_SESSION_STATEMENT: usize = 512;
/// COM_STMT_EXECUTE: the client wants a cursor of any kind.
const CURSOR_TYPES: u8 = 0x07;
/// COM_STMT_EXECUTE: a count of parameters stands before them.
const PARAMETER_COUNT_AVAILABLE: u8 = 0x08;

/// What a cancel request for this connection id carries; there is no secret.
pub(super) fn backend_key(connection: u32) -> BackendKey {
    BackendKey { process_id: connection, secret_hash: 0 }
}

fn text_or_none(text: &[u8]) -> Option<String> {
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

impl Exchange {
    /// Takes a packet of the client.
    pub(super) fn client(&mut self, frame: &PacketFrame<'_>, texts: &mut Texts, out: &mut Requests) -> Fit {
        let header = frame.header;
        if let Some(pending) = self.continues {
            if !header.is_continued() {
                self.continues = None;
            }
            if pending {
                self.add_request_bytes(frame.wire_bytes);
                if let Some(op) = self.pending.back_mut() {
                    op.sequence = Some(header.sequence);
                }
            }
            return Fit::Yes;
        }
        if self.answer.place == Place::LocalInfile {
            self.add_request_bytes(frame.wire_bytes);
            self.answer.sequence = Some(header.sequence.wrapping_add(1));
            if header.payload_bytes == 0 {
                self.answer.place = Place::First;
            }
            return Fit::Yes;
        }
        if header.sequence != 0 {
            let authenticates =
                self.pending.front().is_some_and(|op| matches!(op.kind, Kind::Plain(Effect::User { .. })));
            if !authenticates {
                return Fit::No;
            }
            self.add_request_bytes(frame.wire_bytes);
            self.answer.sequence = Some(header.sequence.wrapping_add(1));
            return Fit::Yes;
        }
        let command = frame.body.first().and_then(|byte| Command::of(*byte));
        let Some(command) = command.filter(|command| command.may_have(header.payload_bytes)) else {
            return Fit::No;
        };
        if header.is_continued() {
            self.continues = Some(!matches!(command, Command::SendLongData));
        }
        self.command(command, frame, texts, out)
    }

    fn command(
        &mut self,
        command: Command,
        frame: &PacketFrame<'_>,
        texts: &mut Texts,
        out: &mut Requests,
    ) -> Fit {
        let mut rest = Bytes(frame.body.get(1..).unwrap_or_default());
        match command {
            Command::Query => self.query(frame, texts, out),
            Command::Execute => self.execute(frame, texts, out),
            Command::Prepare => {
                let (prepared, due) = self.prepare(frame, texts);
                self.push(Kind::Prepare(Some(Box::new(prepared))), due, frame);
            }
            Command::Close => {
                let Some(id) = rest.u32() else { return Fit::Yes };
                if self.sent_ahead(id).is_some() {
                    // It gets an id that no client asks for any more.
                    self.drop_unanswered();
                    return Fit::Yes;
                }
                let closed = self.statements.remove(id);
                self.end_cursor(closed.and_then(|closed| closed.cursor), out);
                self.drop_unanswered();
            }
            Command::SendLongData => {
                let (Some(id), Some(parameter)) = (rest.u32(), rest.u16()) else { return Fit::Yes };
                let bytes =
                    if self.compressed { std::mem::take(&mut self.wire_bytes) } else { frame.wire_bytes };
                let prepared = match self.sent_ahead(id) {
                    Some(prepared) => prepared,
                    None => self.statements.get_or_before(id, texts),
                };
                prepared.send_long_data(parameter, bytes);
            }
            Command::Reset => {
                let statement = rest.u32().unwrap_or(LAST_PREPARED);
                let due = self.prepared_due(statement, texts);
                self.push(Kind::Reset { statement }, due, frame);
            }
            Command::Fetch => {
                let statement = rest.u32().unwrap_or(LAST_PREPARED);
                let due = self.prepared_due(statement, texts);
                self.push(Kind::Fetch { statement }, due, frame);
            }
            Command::BulkExecute => {
                let statement = rest.u32().unwrap_or(LAST_PREPARED);
                let due = self.prepared_due(statement, texts);
                self.push(Kind::Execute { statement, cursor: false }, due, frame);
            }
            Command::ProcessKill => {
                if let Some(id) = rest.u32() {
                    out.cancels.push(backend_key(id));
                }
                self.push_label("(process kill)", Kind::Plain(Effect::None), frame, texts);
            }
            Command::InitDb => {
                let name = String::from_utf8_lossy(rest.0).into_owned();
                self.push_label("(init db)", Kind::Plain(Effect::Database(name)), frame, texts);
            }
            Command::ChangeUser => {
                let (user, database) = greeting::change_user(frame.body).unwrap_or_default();
                let effect = Effect::User { user: text_or_none(user), database: text_or_none(database) };
                self.push_label("(change user)", Kind::Plain(effect), frame, texts);
                return Fit::Secret;
            }
            Command::ResetConnection => {
                self.push_label("(reset connection)", Kind::Plain(Effect::Reset), frame, texts);
            }
            Command::Statistics => self.push_label("(statistics)", Kind::Statistics, frame, texts),
            Command::FieldList => self.push_label("(field list)", Kind::FieldList, frame, texts),
            Command::ProcessInfo => self.push_label("(process info)", Kind::Query, frame, texts),
            Command::Plain(name) => self.push_label(name, Kind::Plain(Effect::None), frame, texts),
            Command::Quit => self.session.terminated = true,
            Command::BinlogDump => {
                self.session.streaming = true;
                return Fit::Enters(Phase::Ended);
            }
        }
        Fit::Yes
    }

    /// The size of a command that has no answer belongs to nothing.
    fn drop_unanswered(&mut self) {
        self.wire_bytes = 0;
    }

    fn push_label(&mut self, label: &'static str, kind: Kind, frame: &PacketFrame<'_>, texts: &mut Texts) {
        let due = self.label(label, texts);
        self.push(kind, due, frame);
    }

    fn query(&mut self, frame: &PacketFrame<'_>, texts: &mut Texts, out: &mut Requests) {
        let truncated = frame.is_cut() || frame.header.is_continued();
        let Some(sql) = query_text(frame.body) else {
            let due = self.uncaptured(texts);
            return self.push(Kind::Query, due, frame);
        };
        if !has_more_statements(sql) {
            let due = self.statement(sql, truncated, frame.first, texts, out);
            self.push(Kind::Query, due, frame);
        } else {
            self.statements_of(sql, truncated, frame, texts, out);
        }
        if truncated && let Some(op) = self.pending.back_mut() {
            op.truncated = true;
        }
    }

    /// Several statements in one text, or one with semicolons inside.
    fn statements_of(
        &mut self,
        sql: &[u8],
        truncated: bool,
        frame: &PacketFrame<'_>,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let mut all = sql::statements(self.dialect, sql);
        let mut statements = all.by_ref().take(MOST_STATEMENTS_OF_TEXT).peekable();
        let first = statements.next().unwrap_or(sql);
        let cut = truncated && statements.peek().is_none();
        let due = self.statement(first, cut, frame.first, texts, out);
        let mut following = Vec::new();
        while let Some(sql) = statements.next() {
            let cut = truncated && statements.peek().is_none();
            following.push(self.statement(sql, cut, frame.first, texts, out));
        }
        following.reverse();
        let has_more = all.next().is_some();
        self.push(Kind::Query, due, frame);
        if let Some(op) = self.pending.back_mut() {
            op.truncated = has_more;
            self.requests_pending += following.len();
            op.following = following;
        }
    }

    /// One statement of a COM_QUERY, with its literals as values.
    fn statement(
        &mut self,
        sql: &[u8],
        truncated: bool,
        sent: Moment,
        texts: &mut Texts,
        out: &mut Requests,
    ) -> Due {
        let interned = texts.intern(self.dialect, sql, truncated, sent.at);
        let mut due = Due::of(interned.text);
        if !texts.literals().is_empty() {
            self.given.clear();
            self.given.extend_from_slice(texts.literals());
            due.values = self.buffer();
            texts.assemble(interned.layout, &[], &self.given, &mut due.values);
        }
        match texts.get(interned.text).operation.as_str() {
            "CALL" => due.calls = true,
            "BEGIN" => due.calls = is_block(sql),
            "USE" if sql.len() < LONGEST_SESSION_STATEMENT => due.database = used_database(sql),
            "KILL" if sql.len() < LONGEST_SESSION_STATEMENT => {
                out.cancels.extend(sql::kill_target(sql).map(|id| backend_key(low_32_bits(id))));
            }
            _ => {}
        }
        due
    }

    /// COM_STMT_PREPARE.
    fn prepare(&mut self, frame: &PacketFrame<'_>, texts: &mut Texts) -> (Prepared, Due) {
        let sql = frame.body.get(1..).unwrap_or_default();
        let truncated = frame.is_cut() || frame.header.is_continued();
        let interned = texts.intern(self.dialect, sql, truncated, frame.first.at);
        let prepared = Prepared::new(interned.text, true, interned.layout, texts.literals());
        (prepared, Due::of(interned.text))
    }

    /// The text of a statement by its id, and whether it was seen.
    fn prepared_due(&mut self, id: u32, texts: &mut Texts) -> Due {
        let prepared = match self.sent_ahead(id) {
            Some(prepared) => prepared,
            None => self.statements.get_or_before(id, texts),
        };
        Due { known: prepared.known, ..Due::of(prepared.text) }
    }

    /// What MariaDB's id of the last prepared statement means while its COM_STMT_PREPARE is not answered.
    fn sent_ahead(&mut self, id: u32) -> Option<&mut Prepared> {
        let at = self.place_ahead(id)?;
        prepared_at(&mut self.pending, at)
    }

    /// Where among the pending commands the COM_STMT_PREPARE is that such an id means, if it is there.
    fn place_ahead(&self, id: u32) -> Option<usize> {
        self.last_prepare_place().filter(|_| id == LAST_PREPARED)
    }

    fn execute(&mut self, frame: &PacketFrame<'_>, texts: &mut Texts, out: &mut Requests) {
        let mut rest = Bytes(frame.body.get(1..).unwrap_or_default());
        let (Some(id), Some(flags), Some(_iterations)) = (rest.u32(), rest.u8(), rest.u32()) else {
            let due = self.uncaptured(texts);
            return self.push(Kind::Execute { statement: LAST_PREPARED, cursor: false }, due, frame);
        };
        let attributes = match self.capabilities {
            Some(capabilities) => capabilities.has(Capabilities::QUERY_ATTRIBUTES),
            None => flags & PARAMETER_COUNT_AVAILABLE != 0,
        };
        let mut values = self.buffer();
        let mut given = std::mem::take(&mut self.given);
        given.clear();
        let passes_over_all = texts.passes_over_values();
        let ahead = self.place_ahead(id);
        let chance = &mut self.chance;
        let prepared = match ahead.and_then(|at| prepared_at(&mut self.pending, at)) {
            Some(prepared) => prepared,
            None => self.statements.get_or_before(id, texts),
        };
        let due = Due { known: prepared.known, ..Due::of(prepared.text) };
        let open = prepared.cursor.take();
        let long_data_bytes = prepared.long_data_bytes;
        let passes_over = !passes_over_all && prepared.passes_over_next(chance, frame.first.at);
        if passes_over {
            values.push(Value::PASSED_OVER);
        }
        let form = prepared.parameters.map(|parameters| Form { parameters, attributes });
        let Prepared { types, long_data, layout, literals, .. } = &mut *prepared;
        if let Some(form) = form.filter(|_| passes_over || passes_over_all) {
            parameters::execute_types(rest.0, form, types);
        } else if let Some(form) = form {
            let direct = *layout == LayoutId::PARAMETERS;
            parameters::execute_values(
                rest.0,
                form,
                types,
                long_data.as_deref(),
                texts.extractor_mut(),
                frame.first.at,
                if direct { &mut values } else { &mut given },
            );
            if !direct {
                texts.assemble(*layout, &given, literals, &mut values);
            }
        }
        prepared.forget_long_data();
        self.given = given;
        self.end_cursor(open, out);
        let cursor = flags & CURSOR_TYPES != 0;
        self.push(Kind::Execute { statement: id, cursor }, Due { values, ..due }, frame);
        if let Some(op) = self.pending.back_mut() {
            op.bytes = op.bytes.saturating_add(long_data_bytes);
        }
    }
}

/// What was sent to be prepared there, while its id is not known.
fn prepared_at(pending: &mut VecDeque<Op>, at: usize) -> Option<&mut Prepared> {
    match &mut pending.get_mut(at)?.kind {
        Kind::Prepare(prepared) => prepared.as_deref_mut(),
        _ => None,
    }
}

/// Connection ids have 64 bits, of which the greeting tells the low 32.
fn low_32_bits(id: u64) -> u32 {
    let [a, b, c, d, ..] = id.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Something follows a semicolon.
fn has_more_statements(sql: &[u8]) -> bool {
    let first = sql.iter().position(|byte| *byte == b';');
    first.is_some_and(|at| sql[at..].iter().any(|byte| *byte != b';' && !byte.is_ascii_whitespace()))
}
