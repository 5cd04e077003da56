//! One connection to a product that speaks HTTP: heads and bodies of both directions.

use super::body::{self, Body};
use super::clickhouse::Sql;
use super::detect::Product;
use super::exchange::{Entry, Exchange};
use super::fields::{Fields, request_line, status_line};
use super::head::{self, Head, Line};
use super::path::{self, Statements};
use crate::proto::{Chunk, Moment, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::{TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// One direction.
#[derive(Debug, Default)]
struct Direction {
    framed: bool,
    /// The last chunk ended its transfer.
    starts: bool,
    head: Head,
    fields: Fields,
    body: Body,
    /// No byte of the body has come.
    untouched: bool,
    /// The body belongs to no request that was seen.
    unasked: bool,
}

impl Direction {
    fn reset(&mut self) {
        self.head.reset();
        self.fields = Fields::default();
        self.body = Body::Done;
    }
}

/// The observer of one connection.
#[derive(Debug)]
pub(super) struct Observer {
    clickhouse: bool,
    client: Direction,
    server: Direction,
    exchange: Exchange,
    session: Session,
    statements: Statements,
    sql: Sql,
    /// Text and values of the request whose head is on its way.
    text: (TextId, Vec<Value>),
    /// Number of the request whose body is on its way.
    number: u64,
    server_at: Nanos,
    ended: bool,
}

impl Observer {
    /// `from_start`: the first byte of the connection will be seen.
    pub(super) fn new(from_start: bool, product: Product) -> Self {
        let direction = || Direction { framed: from_start, starts: true, ..Direction::default() };
        Self {
            clickhouse: product == Product::Clickhouse,
            client: direction(),
            server: direction(),
            exchange: Exchange::new(from_start),
            session: Session::default(),
            statements: Statements::default(),
            sql: Sql::default(),
            text: (Texts::OTHER, Vec::new()),
            number: 0,
            server_at: Nanos::default(),
            ended: false,
        }
    }

    fn client_chunk(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if !self.client.framed {
            if !(starts && begins(chunk, |line| request_line(line).is_some())) {
                return;
            }
            self.client.framed = true;
            self.client.reset();
        }
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => return self.client_skipped(skipped, texts, out),
        };
        while !input.is_empty() {
            if self.client.body == Body::Done {
                if self.client.head.at_boundary() {
                    self.request_begins(out);
                }
                match self.request_head(moment, &mut input, texts) {
                    head::Step::More => return,
                    head::Step::Lost => return self.client_lost(out),
                    head::Step::Done => self.request_sent(texts, out),
                }
                continue;
            }
            let before = input.len();
            let sql = &mut self.sql;
            let reads = self.clickhouse && !self.client.fields.encoded;
            let step = self.client.body.take(&mut input, moment.ends_transfer, |part| {
                if reads {
                    sql.body(part);
                }
            });
            let moved = (before - input.len()) as u64;
            if let Some(entry) = self.exchange.entry(self.number) {
                entry.bytes += moved;
            }
            match step {
                body::Step::Done => self.request_complete(texts),
                body::Step::More => {}
                body::Step::Lost => return self.client_lost(out),
            }
        }
    }

    fn client_skipped(&mut self, skipped: u64, texts: &mut Texts, out: &mut Requests) {
        if let Some(entry) = self.exchange.entry(self.number).filter(|_| self.client.body != Body::Done) {
            entry.bytes = entry.bytes.saturating_add(skipped);
        }
        self.sql.cut();
        match self.client.body.skip(skipped, false) {
            body::Step::Done => self.request_complete(texts),
            body::Step::More => {}
            body::Step::Lost if self.client.body == Body::Done => self.client_lost(out),
            body::Step::Lost => {
                // Chunks of one body: its request is known, and the next one begins a transfer.
                self.request_complete(texts);
                self.client.framed = false;
                out.counts.resyncs += u64::from(skipped > 0);
            }
        }
    }

    fn client_lost(&mut self, out: &mut Requests) {
        self.client.framed = false;
        self.sql.clear();
        self.exchange.lose(out);
    }

    fn request_begins(&mut self, out: &mut Requests) {
        if matches!(self.server.body, Body::Holed(_)) && !self.server.unasked {
            // A client that asks anew has read the answer to its end, whatever trailer it had.
            self.server.reset();
            self.exchange.answered(self.server_at, out);
        }
        self.exchange.client_speaks(out);
    }

    fn request_head(&mut self, moment: Moment, input: &mut &[u8], texts: &mut Texts) -> head::Step {
        let Self { client, statements, sql, text, clickhouse, session, .. } = self;
        let fields = &mut client.fields;
        client.head.next(moment, input, |line| match line {
            Line::First(first) => {
                let Some((method, target)) = request_line(first) else { return false };
                *fields = Fields { method, ..Fields::default() };
                let (_, query) = path::split(target);
                text.0 = statements.intern(method, target, moment.at, texts);
                text.1.clear();
                text.1.extend_from_slice(&statements.values);
                if *clickhouse {
                    sql.begin(query);
                    for (name, value) in path::parameters(query) {
                        name_session(session, name, value);
                    }
                }
                true
            }
            Line::Field(name, value) => {
                fields.take(line);
                if *clickhouse && let Some(name) = name.get("x-clickhouse-".len()..) {
                    name_session(session, &name.to_ascii_lowercase(), value);
                }
                true
            }
        })
    }

    /// The head of a request is complete.
    fn request_sent(&mut self, texts: &mut Texts, out: &mut Requests) {
        let Some(first) = self.client.head.first else { return };
        let fields = &self.client.fields;
        let entry = Entry {
            text: self.text.0,
            method: fields.method,
            started_at: first.at,
            task: first.task,
            load: first.load,
            bytes: self.client.head.bytes,
            values: self.text.1.clone(),
        };
        self.client.body = match fields.length {
            _ if fields.chunked => Body::CHUNKED,
            Some(length @ 1..) => Body::Length(length),
            _ => Body::Done,
        };
        if fields.encoded {
            self.sql.cut();
        }
        self.number = self.exchange.push(entry, out);
        self.client.head.reset();
        if self.client.body == Body::Done {
            self.request_complete(texts);
        }
    }

    /// The body of a request is complete: its text is known.
    fn request_complete(&mut self, texts: &mut Texts) {
        self.client.body = Body::Done;
        if !self.clickhouse {
            return;
        }
        let Some(entry) = self.exchange.entry(self.number) else { return self.sql.clear() };
        if let Some((interned, values)) = self.sql.intern(entry.started_at, texts) {
            entry.text = interned.text;
            entry.values.clear();
            entry.values.extend_from_slice(values);
        }
    }

    fn server_chunk(&mut self, moment: Moment, chunk: Chunk<'_>, starts: bool, out: &mut Requests) {
        let begins = starts && begins(chunk, |line| status_line(line).is_some());
        if !self.server.framed {
            if !begins {
                return;
            }
            self.server.framed = true;
            self.server.reset();
        }
        // An answer to an unseen HEAD tells the length of a body that does not come.
        if begins && self.server.untouched && self.server.unasked && self.server.body != Body::Done {
            self.server.reset();
        }
        self.server_at = moment.at;
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => return self.server_skipped(moment, skipped, out),
        };
        while !input.is_empty() && !self.ended {
            if self.server.body == Body::Done {
                let fields = &mut self.server.fields;
                let step = self.server.head.next(moment, &mut input, |line| match line {
                    Line::First(first) => {
                        *fields = Fields { status: status_line(first).unwrap_or(0), ..Fields::default() };
                        fields.status > 0
                    }
                    Line::Field(..) => {
                        fields.take(line);
                        true
                    }
                });
                match step {
                    head::Step::More => return,
                    head::Step::Lost => return self.server_lost(out),
                    head::Step::Done => self.answer_begins(moment, out),
                }
                continue;
            }
            let before = input.len();
            let step = self.server.body.take(&mut input, moment.ends_transfer, |_| {});
            self.server_moved(moment, (before - input.len()) as u64, step, out);
        }
    }

    fn server_skipped(&mut self, moment: Moment, skipped: u64, out: &mut Requests) {
        let bridges = self.exchange.waiting() <= 1;
        let step = self.server.body.skip(skipped, bridges);
        self.server_moved(moment, skipped, step, out);
    }

    /// Bytes of an answer's body moved.
    fn server_moved(&mut self, moment: Moment, bytes: u64, step: body::Step, out: &mut Requests) {
        if step == body::Step::Lost {
            return self.server_lost(out);
        }
        self.server.untouched = false;
        if self.server.unasked {
            return;
        }
        self.exchange.answer(moment.at, bytes);
        if step == body::Step::Done {
            self.exchange.answered(moment.at, out);
        }
    }

    fn server_lost(&mut self, out: &mut Requests) {
        self.server.framed = false;
        self.server.body = Body::Done;
        self.exchange.lose(out);
    }

    /// The head of an answer is complete.
    fn answer_begins(&mut self, moment: Moment, out: &mut Requests) {
        let first = self.server.head.first.map_or(moment.at, |first| first.at);
        let bytes = std::mem::take(&mut self.server.head).bytes;
        let fields = &self.server.fields;
        let method = self.exchange.front().map_or("", |entry| entry.method);
        let answer = self.exchange.answer(first, bytes);
        (answer.status, answer.rows) = (fields.status, fields.rows);
        let opens = fields.status == 101 || method == "CONNECT" && fields.status / 100 == 2;
        if fields.status / 100 == 1 && !opens {
            return;
        }
        // RFC 9112, 6.3.
        self.server.body = match fields.length {
            _ if opens || method == "HEAD" || matches!(fields.status, 204 | 304) => Body::Done,
            _ if fields.chunked => Body::CHUNKED,
            Some(0) => Body::Done,
            Some(length) => Body::Length(length),
            None => Body::UntilClose,
        };
        self.server.untouched = true;
        self.server.unasked = self.exchange.is_unasked();
        if self.server.unasked || self.server.body == Body::Done {
            self.exchange.answered(moment.at, out);
        }
        if opens {
            self.session.streaming = true;
            self.ended = true;
        }
    }
}

/// Reads `user` and `database` where they stand in the clear (ClickHouse manual, "HTTP Interface").
fn name_session(session: &mut Session, name: &[u8], value: &[u8]) {
    let slot = match name {
        b"user" => &mut session.user,
        b"database" => &mut session.database,
        _ => return,
    };
    let mut decoded = Vec::new();
    path::decode(value.get(..256).unwrap_or(value), true, &mut decoded);
    let text = String::from_utf8_lossy(&decoded);
    if !text.is_empty() && slot.as_deref() != Some(&*text) {
        *slot = Some(text.into_owned());
    }
}

/// The chunk begins with such a line, or with the beginning of a very long one.
fn begins(chunk: Chunk<'_>, fits: impl FnOnce(&[u8]) -> bool) -> bool {
    let Chunk::Bytes(bytes) = chunk else { return false };
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let line = bytes.get(..end).unwrap_or_default();
    fits(line.strip_suffix(b"\r").unwrap_or(line))
}

impl Protocol for Observer {
    fn feed(&mut self, moment: Moment, side: Side, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        if self.ended || chunk.is_empty() {
            return;
        }
        let direction = if side == Side::Client { &mut self.client } else { &mut self.server };
        let starts = std::mem::replace(&mut direction.starts, moment.ends_transfer);
        match side {
            Side::Client => self.client_chunk(moment, chunk, starts, texts, out),
            Side::Server => self.server_chunk(moment, chunk, starts, out),
        }
    }

    fn close(&mut self, at: Nanos, out: &mut Requests) {
        if self.server.body == Body::UntilClose && self.exchange.answers() {
            self.exchange.answered(self.server_at, out);
        }
        self.exchange.close(at, out);
        self.sql.clear();
        self.ended = true;
    }

    fn capture_ends(&mut self, out: &mut Requests) {
        self.exchange.settle(out);
    }

    fn in_flight(&self, out: &mut Vec<InFlight>) {
        let from = out.len();
        self.exchange.in_flight(out);
        if let Some(new) = out.get_mut(from..) {
            new.sort_by_key(|request| request.started_at);
        }
    }

    fn open_requests(&self) -> u32 {
        self.exchange.open()
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn in_sync(&self) -> bool {
        self.exchange.was_sure || self.ended || self.client.framed && self.server.framed
    }

    fn cancelled(&mut self, _at: Nanos) {}
}
