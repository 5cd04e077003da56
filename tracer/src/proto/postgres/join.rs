//! Joins a connection whose beginning was not seen, and searches after a loss.
//!
//! Pairing begins where the server is quiet: its last message was ReadyForQuery, or nothing of it was seen yet, and the
//! client's next transfer reads as messages. Because an older answer may still be under way, what is paired then stays
//! unsure until the session was quiet once more. Never credits an answer that it could not place.

use super::answers::{is_asynchronous, is_completion};
use super::backend;
use super::frame::{Direction, Frame, HEADER_BYTES, Step};
use super::observer::{Observer, Phase};
use super::resync::{self, Tail};
use super::startup::{self, Opening};
use crate::proto::{Chunk, Moment};
use crate::request::Requests;
use crate::sql::Texts;

/// What is known while searching.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// Nothing is due from the server, as far as one can tell.
    quiet: bool,
    /// The server's stream is framed.
    framed: bool,
    /// Requests that were given up; their answers may still come and are counted already.
    owed: u64,
    /// A ReadyForQuery was seen since.
    ready: bool,
    tail: Tail,
}

impl Join {
    /// Nothing was seen yet.
    pub(super) fn at_start() -> Self {
        Self { quiet: true, ..Self::default() }
    }
    /// The server has just sent ReadyForQuery.
    pub(super) fn at_boundary() -> Self {
        Self { quiet: true, framed: true, ready: true, ..Self::default() }
    }
    /// Bytes or order were lost. `framed`: not the server's framing.
    pub(super) fn after_loss(owed: u64, framed: bool) -> Self {
        Self { framed, owed, ..Self::default() }
    }
    /// The server's messages were recognised.
    pub(super) fn is_framed(&self) -> bool {
        self.framed
    }
    /// The server's framing is lost too.
    pub(super) fn lose_server(&mut self) {
        self.framed = false;
        self.quiet = false;
        self.tail.clear();
    }
}

/// What matters of a server message that pairs with nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    pub tag: u8,
    ends_session: bool,
    replication: bool,
}

impl Note {
    pub(super) fn of(frame: &Frame<'_>) -> Self {
        Self::new(frame.tag, frame.body, frame.body_bytes)
    }
    fn new(tag: u8, body: &[u8], body_bytes: u32) -> Self {
        Self {
            tag,
            ends_session: tag == b'E' && backend::failure(body).ends_session,
            // Primary keepalive: k, position, time, flag ("Streaming Replication Protocol").
            replication: tag == b'd' && body_bytes == 18 && body.first() == Some(&b'k'),
        }
    }
}

impl Observer {
    pub(super) fn join_client(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if chunk.is_empty() {
            return;
        }
        let quiet = std::mem::replace(&mut self.join.quiet, false);
        let Chunk::Bytes(bytes) = chunk else { return };
        if !starts || !quiet {
            return;
        }
        if self.initial && !self.join.ready && matches!(startup::opening(bytes), Opening::Packet(_)) {
            self.phase = Phase::Opening;
            return self.open(moment, chunk, texts, out);
        }
        let chain = resync::chain(Direction::Frontend, bytes);
        let readable =
            chain.complete > 0 || chain.partial && matches!(bytes.first(), Some(b'Q' | b'P' | b'B'));
        if chain.broken || !readable {
            return;
        }
        self.phase = Phase::Messages;
        self.exchange.unsure = true;
        self.ready = false;
        self.frontend.reset();
        if !self.join.framed {
            self.backend.reset();
        }
        self.client_messages(moment, chunk, texts, out);
    }

    pub(super) fn join_server(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let _ = texts;
        if chunk.is_empty() {
            return;
        }
        if !self.join.framed {
            match chunk {
                Chunk::Bytes(bytes) if starts && reads_as_answers(bytes) => {
                    self.join.framed = true;
                    self.join.tail.clear();
                    self.backend.reset();
                }
                Chunk::Bytes(bytes) => {
                    self.join.quiet = false;
                    self.join.tail.push(moment, bytes);
                    if moment.ends_transfer && resync::ends_ready(self.join.tail.bytes()) {
                        self.join_tail(out);
                    }
                    return;
                }
                Chunk::Skipped(_) => {
                    self.join.quiet = false;
                    self.join.tail.clear();
                    return;
                }
            }
        }
        match chunk {
            Chunk::Skipped(skipped) => {
                let note = match self.backend.skip(moment, skipped) {
                    Step::Frame(frame) => Some(Note::of(&frame)),
                    Step::More => None,
                    Step::Lost => {
                        self.backend.reset();
                        return self.join.lose_server();
                    }
                };
                if let Some(note) = note {
                    self.note(note, out);
                }
            }
            Chunk::Bytes(mut input) => loop {
                let note = match self.backend.next(moment, &mut input) {
                    Step::Frame(frame) => Note::of(&frame),
                    Step::More => break,
                    Step::Lost => {
                        self.backend.reset();
                        return self.join.lose_server();
                    }
                };
                self.note(note, out);
            },
        }
        if !self.backend.at_boundary() {
            self.join.quiet = false;
        }
    }

    /// The end of an answer whose beginning was not seen.
    fn join_tail(&mut self, out: &mut Requests) {
        let Some(from) = resync::tail(self.join.tail.bytes()) else { return };
        let tail = std::mem::take(&mut self.join.tail);
        let mut rest = tail.bytes().get(from..).unwrap_or_default();
        while let Some((tag, body, body_bytes)) = resync::message(Direction::Backend, rest) {
            self.note(Note::new(tag, body, body_bytes), out);
            rest = rest.get(HEADER_BYTES + body.len()..).unwrap_or_default();
        }
        self.join.framed = true;
        self.backend.reset();
    }

    /// Counts a message of the server that pairs with nothing.
    pub(super) fn note(&mut self, note: Note, out: &mut Requests) {
        if is_asynchronous(note.tag) {
            return;
        }
        let was_quiet = std::mem::replace(&mut self.join.quiet, note.tag == b'Z');
        self.exchange.session.streaming |= note.replication;
        if note.tag == b'Z' {
            self.join.ready = true;
        } else if is_completion(note.tag) && !(was_quiet && note.ends_session) {
            // Until the first ReadyForQuery it is what was under way when the capture began.
            if self.initial && !(self.join.ready && self.join.owed > 0) {
                out.counts.started_before += 1;
            } else if self.join.owed > 0 {
                self.join.owed -= 1;
            } else {
                out.counts.answers_unmatched += 1;
            }
        }
    }
}

/// A transfer that begins with a message boundary: at least one complete message with fitting content, then no break.
fn reads_as_answers(bytes: &[u8]) -> bool {
    let chain = resync::chain(Direction::Backend, bytes);
    !chain.broken && chain.complete > 0
}
