//! One connection: which phase it is in, and where the bytes of each direction go.
//!
//! Start-up packets, then messages; or joined in the middle and searching ([`super::join`]). Never fails: what does not
//! fit is counted and searched anew.

use super::answers::{Fit, is_asynchronous};
use super::early::Early;
use super::exchange::Exchange;
use super::frame::{Direction, Framer, Step};
use super::join::{Join, Note};
use super::resync::Tail;
use crate::proto::{Chunk, Moment, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::Texts;
use crate::time::Nanos;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The client's next bytes are a start-up packet.
    Opening,
    /// One byte of the server answers SSLRequest or GSSENCRequest.
    EncryptionAnswer,
    /// Both directions are framed and paired.
    Messages,
    /// Searching for a quiet boundary.
    Joining,
    /// Encrypted from here on.
    Opaque,
    /// Nothing more will come that matters.
    Ended,
}

/// The observer of one connection.
#[derive(Debug)]
pub(super) struct Observer {
    pub(super) phase: Phase,
    pub(super) exchange: Exchange,
    pub(super) frontend: Framer,
    pub(super) backend: Framer,
    pub(super) join: Join,
    /// Set while the server's bytes have a hole inside the answer to the one ReadyForQuery that is due.
    pub(super) hole: Option<Tail>,
    /// The client's framing is lost inside the data of COPY FROM STDIN, which does not matter until it ends.
    copy_unframed: bool,
    /// What paired was never sure since the capture began.
    pub(super) initial: bool,
    /// ReadyForQuery was the last answer.
    pub(super) ready: bool,
    /// The beginning of a start-up packet.
    pub(super) opening: Vec<u8>,
    pub(super) early: Early,
    /// The last chunk of each direction ended its transfer.
    client_starts: bool,
    server_starts: bool,
}

impl Observer {
    /// `from_start`: the first byte of the connection will be seen.
    pub(super) fn new(from_start: bool) -> Self {
        Self {
            phase: if from_start { Phase::Opening } else { Phase::Joining },
            exchange: Exchange::default(),
            frontend: Framer::new(Direction::Frontend),
            backend: Framer::new(Direction::Backend),
            join: Join::at_start(),
            hole: None,
            copy_unframed: false,
            initial: true,
            ready: false,
            opening: Vec::new(),
            early: Early::default(),
            client_starts: true,
            server_starts: true,
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
        match self.phase {
            Phase::Opening | Phase::EncryptionAnswer => self.open(moment, chunk, texts, out),
            Phase::Messages => self.client_messages(moment, chunk, texts, out),
            Phase::Joining => self.join_client(moment, chunk, starts, texts, out),
            Phase::Opaque | Phase::Ended => {}
        }
    }

    pub(super) fn server(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        match self.phase {
            Phase::Opening => {
                if !self.early.push(moment, chunk) {
                    self.lose(out);
                }
            }
            Phase::EncryptionAnswer => self.encryption_answer(chunk, out),
            Phase::Messages if !self.early.is_empty() => {
                if !self.early.push(moment, chunk) {
                    self.lose(out);
                }
            }
            Phase::Messages => self.server_messages(moment, chunk, texts, out),
            Phase::Joining => self.join_server(moment, chunk, starts, texts, out),
            Phase::Opaque | Phase::Ended => {}
        }
    }

    pub(super) fn client_messages(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if self.exchange.unsure && self.is_quiet() {
            self.initial = false;
            self.exchange.release(out);
        }
        if self.copy_unframed {
            return self.exchange.copy_unframed(chunk.len());
        }
        match chunk {
            Chunk::Skipped(skipped) => match self.frontend.skip(moment, skipped) {
                Step::Frame(frame) => self.exchange.frontend(&frame, texts, out),
                Step::More => {}
                Step::Lost => self.client_lost(skipped, out),
            },
            Chunk::Bytes(mut input) => loop {
                match self.frontend.next(moment, &mut input) {
                    Step::Frame(frame) => self.exchange.frontend(&frame, texts, out),
                    Step::More => break,
                    Step::Lost => {
                        let left = input.len() as u64;
                        self.client_lost(left, out);
                        break;
                    }
                }
            },
        }
        self.frontend.trim();
        if self.exchange.pending.is_full() || self.exchange.names.is_overfull() {
            self.lose(out);
        }
        if self.hole.is_some() && self.exchange.pending.ready_due() > 1 {
            self.lose(out);
        }
    }

    /// Nothing is due from either side.
    fn is_quiet(&self) -> bool {
        self.ready
            && self.exchange.pending.is_empty()
            && self.frontend.at_boundary()
            && self.backend.at_boundary()
            && self.hole.is_none()
    }

    fn client_lost(&mut self, passed: u64, out: &mut Requests) {
        if self.exchange.copies_in() {
            let bytes = self.frontend.unfinished_bytes() + passed;
            self.exchange.copy_unframed(bytes);
            self.exchange.expect_ready();
            self.copy_unframed = true;
        } else {
            self.lose(out);
        }
    }

    fn server_messages(&mut self, moment: Moment, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        if self.hole.is_some() {
            return self.search_tail(moment, chunk, texts, out);
        }
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => {
                let step = self.backend.skip(moment, skipped);
                let (note, fit) = match step {
                    Step::Frame(frame) => (Note::of(&frame), self.exchange.backend(&frame, texts, out)),
                    Step::More => return,
                    Step::Lost => return self.server_hole(moment, skipped, out),
                };
                return self.follow(note, fit, out);
            }
        };
        loop {
            if self.is_early(input) {
                if !self.early.push(moment, Chunk::Bytes(input)) {
                    self.lose(out);
                }
                return;
            }
            let (note, fit) = match self.backend.next(moment, &mut input) {
                Step::Frame(frame) => (Note::of(&frame), self.exchange.backend(&frame, texts, out)),
                Step::More => break,
                Step::Lost => {
                    self.lose(out);
                    self.join.lose_server();
                    break;
                }
            };
            self.follow(note, fit, out);
            if self.phase != Phase::Messages {
                // The rest of the chunk is framed, but pairs with nothing any more.
                if !input.is_empty() {
                    self.server(moment, Chunk::Bytes(input), false, texts, out);
                }
                return;
            }
        }
        self.backend.trim();
    }

    fn follow(&mut self, note: Note, fit: Fit, out: &mut Requests) {
        match fit {
            Fit::Yes if is_asynchronous(note.tag) => {}
            Fit::Yes => {
                self.ready = note.tag == b'Z';
                if self.ready && self.copy_unframed && self.exchange.pending.is_empty() {
                    // The next bytes of the client begin a message: the usual end of a long COPY.
                    self.copy_unframed = false;
                    self.frontend.reset();
                    self.phase = Phase::Joining;
                    self.join = Join::at_boundary();
                }
            }
            Fit::No => {
                self.lose(out);
                self.note(note, out);
            }
            Fit::SessionEnds => self.stop(Phase::Ended),
        }
    }

    pub(super) fn stop(&mut self, phase: Phase) {
        self.phase = phase;
        self.opening = Vec::new();
        self.early = Early::default();
        self.hole = None;
        self.exchange.drop_startup();
        self.frontend.reset();
        self.backend.reset();
    }

    /// Requests and answers are out of step, or a direction lost its framing: search for a quiet boundary.
    pub(super) fn lose(&mut self, out: &mut Requests) {
        if self.exchange.session.streaming {
            // Replication is no exchange of requests and answers: nothing is lost with its place in the stream.
            return self.stop(Phase::Ended);
        }
        let owed = self.exchange.lose(out);
        out.counts.resyncs += 1;
        let framed = self.hole.is_none() && matches!(self.phase, Phase::Messages);
        self.lose_quietly();
        self.join = Join::after_loss(owed, framed);
    }

    pub(super) fn lose_quietly(&mut self) {
        self.phase = Phase::Joining;
        self.join = Join::at_start();
        self.opening = Vec::new();
        self.early = Early::default();
        self.hole = None;
        self.copy_unframed = false;
        self.ready = false;
        self.frontend.reset();
    }
}

impl Protocol for Observer {
    fn feed(&mut self, moment: Moment, side: Side, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        match side {
            Side::Client => {
                let starts = std::mem::replace(&mut self.client_starts, moment.ends_transfer);
                self.client(moment, chunk, starts, texts, out);
                self.claim_early(texts, out);
            }
            Side::Server => {
                let starts = std::mem::replace(&mut self.server_starts, moment.ends_transfer);
                self.server(moment, chunk, starts, texts, out);
            }
        }
    }

    fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.exchange.close(at, out);
        self.stop(Phase::Ended);
    }

    fn capture_ends(&mut self, out: &mut Requests) {
        self.exchange.release(out);
    }

    fn in_flight(&self, out: &mut Vec<InFlight>) {
        self.exchange.in_flight(out);
    }

    fn open_requests(&self) -> u32 {
        u32::try_from(self.exchange.pending.executions()).unwrap_or(u32::MAX)
    }

    fn session(&self) -> &Session {
        &self.exchange.session
    }

    fn in_sync(&self) -> bool {
        // Once its pairing was sure, a search after a loss does not make it another protocol.
        !self.initial || !matches!(self.phase, Phase::Joining | Phase::Opening) || self.join.is_framed()
    }

    fn cancelled(&mut self, at: Nanos) {
        self.exchange.cancelled_at = Some(at);
    }
}
