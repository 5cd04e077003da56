//! One connection: where the bytes of each direction go, and which answer belongs to which request.
//!
//! Never fails: what does not fit is counted and searched anew. A loss in one direction costs the other one nothing, because
//! answers name their requests.

use super::answer::Walk;
use super::command::{self, Command};
use super::compressed::{Unpacked, Unpacker};
use super::message::{HEADER_BYTES, Header, Messages, OP_COMPRESSED, OP_GET_MORE, OP_MSG, OP_QUERY};
use super::pending::{Answered, InOrder, Pending};
use super::search::Search;
use super::shape::Shape;
use super::whole;
use crate::proto::framing::{Frame, Framer, Step};
use crate::proto::{Chunk, Moment, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::{self, TextId, Texts};
use crate::time::Nanos;

/// Kept of a request.
const REQUEST_BYTES: usize = 64 << 10;
/// Kept of a compressed message.
const COMPRESSED_BYTES: usize = 64 << 10;
/// Answers that may wait for their request: two threads, or a send that is recorded only after it returned.
const EARLY: usize = 4;
/// A text buffer larger than this is given back after use.
const RETAINED_BYTES: usize = 4 << 10;

/// One direction.
#[derive(Debug)]
struct Direction {
    framer: Framer<Messages>,
    /// Set while its place is not known.
    search: Option<Search>,
    /// The last chunk ended its transfer.
    starts: bool,
}

impl Direction {
    fn new(from_start: bool) -> Self {
        let search = (!from_start).then(Search::default);
        Self { framer: Framer::default(), search, starts: true }
    }

    fn lose(&mut self) {
        self.framer.reset();
        self.search = Some(Search::default());
    }
}

/// An answer whose request was not seen yet, if it ever will be.
#[derive(Debug)]
struct Early {
    answered: Answered,
    /// Its request was sent before the capture, else it was lost.
    before: bool,
    /// Requests that may still come before it is given up.
    patience: u8,
}

/// The observer of one connection.
#[derive(Debug)]
pub(super) struct Observer {
    client: Direction,
    server: Direction,
    walk: Walk,
    /// The walk stands in the body of the server's unfinished message.
    walking: bool,
    pub(super) pending: InOrder,
    early: Vec<Early>,
    /// Of an exhaust cursor whose request was not seen: the requestID of its last answer.
    stray: Option<i32>,
    session: Session,
    unpacker: Unpacker,
    text: Vec<u8>,
    /// Hellos on this connection, and whether it carried anything else.
    hellos: u32,
    carries_others: bool,
    joined: bool,
    /// Bytes of the client were lost.
    lost: bool,
    /// An answer found its request.
    paired: bool,
    /// The client's last message held a secret: its bytes are not to stay in a buffer.
    secret: bool,
}

impl Observer {
    /// `from_start`: the first byte of the connection will be seen.
    pub(super) fn new(from_start: bool) -> Self {
        Self {
            client: Direction::new(from_start),
            server: Direction::new(from_start),
            walk: Walk::default(),
            walking: false,
            pending: InOrder::default(),
            early: Vec::new(),
            stray: None,
            session: Session::default(),
            unpacker: Unpacker::default(),
            text: Vec::new(),
            hellos: 0,
            carries_others: false,
            joined: !from_start,
            lost: false,
            paired: false,
            secret: false,
        }
    }

    fn client(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => return self.client_hole(moment, skipped, texts, out),
        };
        let mut starts = starts;
        while !input.is_empty() {
            if let Some(search) = &mut self.client.search {
                let Some(found) = search.look(input, Side::Client, starts, moment.ends_transfer) else {
                    return;
                };
                self.client.search = None;
                self.client_frames(moment, &mut found.before.as_slice(), texts, out);
                input = input.get(found.from..).unwrap_or_default();
            }
            if !self.client_frames(moment, &mut input, texts, out) {
                self.lose_client(out);
            }
            starts = false;
        }
        self.client.framer.trim();
    }

    fn client_hole(&mut self, moment: Moment, skipped: u64, texts: &mut Texts, out: &mut Requests) {
        if skipped == 0 {
            return;
        }
        if let Some(search) = &mut self.client.search {
            return search.forget();
        }
        let mut framer = std::mem::take(&mut self.client.framer);
        match framer.skip(moment, skipped) {
            Step::Frame(frame) => self.client_frame(&frame, texts, out),
            Step::More => {}
            Step::Lost => self.lose_client(out),
        }
        if self.client.search.is_none() {
            self.client.framer = framer;
        }
    }

    /// False: its place is lost.
    fn client_frames(
        &mut self,
        moment: Moment,
        input: &mut &[u8],
        texts: &mut Texts,
        out: &mut Requests,
    ) -> bool {
        let mut framer = std::mem::take(&mut self.client.framer);
        let found = loop {
            match framer.next(moment, input, kept_of_request) {
                Step::Frame(frame) => self.client_frame(&frame, texts, out),
                Step::More => break true,
                Step::Lost => break false,
            }
            if std::mem::take(&mut self.secret) {
                framer.reset();
            }
        };
        self.client.framer = framer;
        found
    }

    fn lose_client(&mut self, out: &mut Requests) {
        out.counts.resyncs += 1;
        self.lost = true;
        self.client.lose();
    }

    fn client_frame(&mut self, frame: &Frame<'_, Header>, texts: &mut Texts, out: &mut Requests) {
        let Header { opcode, request_id, .. } = frame.header;
        let mut values = self.pending.values();
        let (command, text) = match opcode {
            OP_MSG | OP_QUERY | OP_COMPRESSED => {
                let mut unpacker = std::mem::take(&mut self.unpacker);
                let clipped = Frame { body: clip(frame.body, kept_of_request(&frame.header)), ..*frame };
                let read = match unpacker.unpack(&clipped) {
                    Some(unpacked) => self.statement(unpacked, frame.first.at, &mut values, texts),
                    None => Some((Command::default(), texts.label("(compressed)"))),
                };
                let secret = read.as_ref().is_some_and(|(command, _)| command.secret);
                self.secret = secret;
                unpacker.trim(secret);
                self.unpacker = unpacker;
                let Some(read) = read else {
                    // The server does not answer it.
                    self.pending.give_back(values);
                    self.carries_others = true;
                    out.counts.pushed += 1;
                    return;
                };
                read
            }
            OP_GET_MORE => (Command::default(), texts.label("(OP_GET_MORE)")),
            _ => {
                self.pending.give_back(values);
                out.counts.pushed += 1;
                return;
            }
        };
        let known = command.operation_bytes > 0 || opcode == OP_GET_MORE || opcode == OP_QUERY;
        let heartbeat = self.is_heartbeat(&command);
        if command.user.is_some() {
            self.session.user = command.user;
        }
        let request = Pending {
            request_id,
            last_answer: None,
            text,
            known,
            heartbeat,
            counts: command.counts,
            started_at: frame.first.at,
            task: frame.first.task,
            load: frame.first.load,
            request_bytes: frame.wire_bytes,
            values,
            // A hole may hide that no answer comes.
            doubtful: !known,
            first_byte_at: None,
            answer_bytes: 0,
            rows: 0,
            error: None,
        };
        self.pending.push(request, out);
        self.claim_early(out);
    }

    /// Text and values of a request. None: no answer will come.
    fn statement(
        &mut self,
        unpacked: Unpacked<'_>,
        at: Nanos,
        values: &mut Vec<crate::value::Value>,
        texts: &mut Texts,
    ) -> Option<(Command, TextId)> {
        let Unpacked { opcode, body, body_bytes } = unpacked;
        if opcode == OP_MSG && command::is_unanswered(body) {
            return None;
        }
        let body = clip(body, REQUEST_BYTES);
        self.text.clear();
        let extractor = if texts.passes_over_values() { None } else { Some(texts.extractor_mut()) };
        let mut shape = Shape { text: &mut self.text, values, extractor, at, cut: false };
        let command = match opcode {
            OP_MSG => Some(command::read_message(body, body_bytes, &mut shape)),
            OP_QUERY => command::read_query(body, &mut shape),
            _ => Some(Command::default()),
        };
        let cut = shape.cut;
        let Some(command) = command else { return Some((Command::default(), texts.label("(OP_QUERY)"))) };
        if command.operation_bytes == 0 {
            values.clear();
            return Some((command, texts.label("(not captured)")));
        }
        if cut {
            self.text.extend_from_slice(" …".as_bytes());
        }
        let operation = self.text.get(..command.operation_bytes).unwrap_or_default();
        let interned = sql::Command {
            operation: std::str::from_utf8(operation).unwrap_or_default(),
            text: &self.text,
            waits_by_design: command.waits_by_design,
        };
        let text = if cut {
            texts.intern_cut_command(interned, |whole| whole::fits(whole, &self.text, &command))
        } else {
            texts.intern_command(interned)
        };
        if self.text.capacity() > RETAINED_BYTES {
            self.text = Vec::new();
        }
        Some((command, text))
    }

    /// A hello that waits, or one more on a connection that carries nothing else, is how drivers watch a server.
    fn is_heartbeat(&mut self, command: &Command) -> bool {
        if !command.hello || command.in_session {
            self.carries_others = true;
            return false;
        }
        let watches = !self.carries_others && (self.hellos > 0 || self.joined);
        self.hellos = self.hellos.saturating_add(1);
        command.awaits || watches && !command.handshake
    }

    fn server(&mut self, moment: Moment, chunk: Chunk<'_>, starts: bool, out: &mut Requests) {
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => return self.server_hole(moment, skipped, out),
        };
        let mut starts = starts;
        while !input.is_empty() {
            if let Some(search) = &mut self.server.search {
                let Some(found) = search.look(input, Side::Server, starts, moment.ends_transfer) else {
                    return;
                };
                self.server.search = None;
                self.server_frames(moment, &mut found.before.as_slice(), out);
                input = input.get(found.from..).unwrap_or_default();
            }
            if !self.server_frames(moment, &mut input, out) {
                self.lose_server(out);
            }
            starts = false;
        }
        self.server.framer.trim();
        self.unpacker.trim(false);
    }

    fn server_hole(&mut self, moment: Moment, skipped: u64, out: &mut Requests) {
        if skipped == 0 {
            return;
        }
        if let Some(search) = &mut self.server.search {
            return search.forget();
        }
        let mut framer = std::mem::take(&mut self.server.framer);
        match framer.skip(moment, skipped) {
            Step::Frame(frame) => {
                self.walk.skip(skipped);
                self.server_frame(&frame, out);
            }
            Step::More => self.walk.skip(skipped),
            Step::Lost => self.lose_server(out),
        }
        if self.server.search.is_none() {
            self.server.framer = framer;
        }
    }

    /// False: its place is lost.
    fn server_frames(&mut self, moment: Moment, input: &mut &[u8], out: &mut Requests) -> bool {
        let mut framer = std::mem::take(&mut self.server.framer);
        let found = loop {
            let before = *input;
            // Of a message that comes in pieces, so many bytes were here before.
            let known_bytes = framer.unfinished_bytes();
            match framer.next(moment, input, kept_of_answer) {
                Step::Frame(frame) => {
                    self.walk_over(before, input, known_bytes, Some(&frame.header));
                    self.server_frame(&frame, out);
                }
                Step::More => {
                    let header = framer.unfinished().map(|(header, _)| header);
                    self.walk_over(before, input, known_bytes, header.as_ref());
                    break true;
                }
                Step::Lost => break false,
            }
        };
        self.server.framer = framer;
        found
    }

    /// Shows the walk what the framer took. `header`: of the message, once it is whole.
    fn walk_over(&mut self, before: &[u8], after: &[u8], known_bytes: u64, header: Option<&Header>) {
        let Some(header) = header else { return };
        if !self.walking {
            self.walk.begin(header.opcode, u64::from(header.body_bytes()));
            self.walking = true;
        }
        let taken = before.get(..before.len() - after.len()).unwrap_or_default();
        let known = usize::try_from(known_bytes).unwrap_or(usize::MAX);
        self.walk.feed(taken.get(HEADER_BYTES.saturating_sub(known)..).unwrap_or_default());
    }

    fn lose_server(&mut self, out: &mut Requests) {
        out.counts.resyncs += 1;
        self.pending.doubt();
        self.walking = false;
        self.server.lose();
    }

    fn server_frame(&mut self, frame: &Frame<'_, Header>, out: &mut Requests) {
        self.walking = false;
        let Header { opcode, request_id, response_to, .. } = frame.header;
        if opcode == OP_COMPRESSED {
            let clipped = Frame { body: clip(frame.body, COMPRESSED_BYTES), ..*frame };
            match self.unpacker.unpack(&clipped) {
                Some(unpacked) => {
                    self.walk.begin(unpacked.opcode, unpacked.body_bytes);
                    self.walk.feed(unpacked.body);
                    self.walk.skip(unpacked.body_bytes.saturating_sub(unpacked.body.len() as u64));
                }
                None => self.walk.begin(0, 0),
            }
        }
        let Frame { first, last, wire_bytes, .. } = *frame;
        let answered =
            Answered { request_id, response_to, first, last, wire_bytes, answer: self.walk.answer };
        if self.pending.answer(&answered, out) {
            self.paired = true;
            return;
        }
        if self.is_counted(&answered, out) {
            // A server that streams its hellos hears nothing from its client.
            self.paired = true;
            return;
        }
        if self.early.len() >= EARLY {
            give_up(&self.early.remove(0), out);
        }
        let before = self.joined && !self.lost;
        self.early.push(Early { answered, before, patience: 2 });
    }

    /// An answer without request that is counted already, or at once: it belongs to an exhaust cursor, whose request comes
    /// before all of its answers, or to a heartbeat from before the capture.
    fn is_counted(&mut self, answered: &Answered, out: &mut Requests) -> bool {
        let continues = self.stray.is_some_and(|last| last == answered.response_to);
        let more = answered.answer.more_to_come;
        if continues || more {
            self.stray = more.then_some(answered.request_id);
        }
        if answered.answer.hello && (more || self.joined) {
            out.counts.pushed += 1;
            return true;
        }
        continues
    }

    /// Gives waiting answers another try, now that a request was heard.
    fn claim_early(&mut self, out: &mut Requests) {
        if self.early.is_empty() {
            return;
        }
        for mut early in std::mem::take(&mut self.early) {
            if self.pending.answer(&early.answered, out) {
                self.paired = true;
                continue;
            }
            early.patience = early.patience.saturating_sub(1);
            if early.patience == 0 {
                give_up(&early, out);
            } else {
                self.early.push(early);
            }
        }
    }
}

/// Nobody asked for it.
fn give_up(early: &Early, out: &mut Requests) {
    if early.before {
        out.counts.started_before += 1;
    } else {
        out.counts.answers_unmatched += 1;
    }
}

fn kept_of_request(header: &Header) -> usize {
    if header.opcode == OP_COMPRESSED { COMPRESSED_BYTES } else { REQUEST_BYTES }
}

fn kept_of_answer(header: &Header) -> usize {
    if header.opcode == OP_COMPRESSED { COMPRESSED_BYTES } else { 0 }
}

fn clip(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(..most).unwrap_or(bytes)
}

impl Protocol for Observer {
    fn feed(&mut self, moment: Moment, side: Side, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        match side {
            Side::Client => {
                let starts = std::mem::replace(&mut self.client.starts, moment.ends_transfer);
                self.client(moment, chunk, starts, texts, out);
            }
            Side::Server => {
                let starts = std::mem::replace(&mut self.server.starts, moment.ends_transfer);
                self.server(moment, chunk, starts, out);
            }
        }
    }

    fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.capture_ends(out);
        let framer = &self.server.framer;
        let begun = match (framer.unfinished(), framer.first_byte_at()) {
            (Some((header, _)), Some(first)) => Some((header.response_to, first, framer.unfinished_bytes())),
            _ => None,
        };
        self.pending.close(at, begun, out);
        self.client.framer.reset();
        self.server.framer.reset();
    }

    fn capture_ends(&mut self, out: &mut Requests) {
        self.early.drain(..).for_each(|early| give_up(&early, out));
    }

    fn in_flight(&self, out: &mut Vec<InFlight>) {
        self.pending.in_flight(out);
    }

    fn open_requests(&self) -> u32 {
        u32::try_from(self.pending.open()).unwrap_or(u32::MAX)
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn in_sync(&self) -> bool {
        // Once an answer named its request, a search after a loss does not make it another protocol.
        self.paired || self.client.search.is_none() && self.server.search.is_none()
    }

    fn cancelled(&mut self, _at: Nanos) {}
}
