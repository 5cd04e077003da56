//! One connection: which phase it is in, and where the bytes of each direction go.
//!
//! The login, then commands; or joined in the middle and searching ([`super::join`]). Never fails: what does not fit is
//! counted and searched anew.

use super::compressed::Compressed;
use super::exchange::{Exchange, Fit, MOST_PENDING, Place};
use super::hole::Hole;
use super::join::Join;
use super::packet::Packet;
use crate::proto::framing::{Framer, Step};
use crate::proto::{Chunk, Moment, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::Texts;
use crate::time::Nanos;

/// Bytes kept of a command that comes in pieces.
const COMMAND_BYTES: usize = 64 << 10;
/// Bytes kept of a packet of the login. Its text fields come first.
const LOGIN_BYTES: usize = 1 << 10;
/// Bytes kept of an answer's packet that comes in pieces: enough for what its first fields tell.
const ANSWER_BYTES: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The server's greeting is due.
    Greeting,
    /// The client's answer to it is.
    Login,
    /// Secrets go to and fro.
    Authentication,
    /// Commands and answers.
    Commands,
    /// Searching for a command.
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
    pub(super) client: Framer<Packet>,
    pub(super) server: Framer<Packet>,
    /// Set where packets travel compressed.
    pub(super) compressed: Option<Box<Compressed>>,
    pub(super) join: Join,
    /// Set while the server's bytes have a hole inside an answer.
    pub(super) hole: Option<Hole>,
    /// No answer has fitted its command so far.
    pub(super) initial: bool,
    /// The client's framing is lost inside a command or a file whose beginning is known.
    pub(super) client_unframed: bool,
    /// The last chunk of each direction ended its transfer.
    client_starts: bool,
    server_starts: bool,
}

impl Observer {
    /// `from_start`: the first byte of the connection will be seen.
    pub(super) fn new(from_start: bool) -> Self {
        Self {
            phase: if from_start { Phase::Greeting } else { Phase::Joining },
            exchange: Exchange::new(),
            client: Framer::default(),
            server: Framer::default(),
            compressed: None,
            join: Join::default(),
            hole: None,
            initial: true,
            client_unframed: false,
            client_starts: true,
            server_starts: true,
        }
    }

    /// Bytes of the client, in a phase where they are packets.
    pub(super) fn client_packets(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if chunk.is_empty() {
            return;
        }
        if self.client_unframed {
            if !self.exchange.pending.is_empty() {
                return self.exchange.add_request_bytes(chunk.len());
            }
            self.client_unframed = false;
            self.client.reset();
        }
        if self.hole.is_some() && self.client.at_boundary() {
            self.end_hole(out);
        }
        let (mut input, skipped) = match chunk {
            Chunk::Bytes(bytes) => (bytes, 0),
            Chunk::Skipped(skipped) => (&[][..], skipped),
        };
        loop {
            let phase = self.phase;
            let data = self.exchange.answer.place == Place::LocalInfile || self.exchange.continues.is_some();
            let step = if skipped > 0 {
                self.client.skip(moment, skipped)
            } else {
                self.client.next(moment, &mut input, |header| match phase {
                    Phase::Login => LOGIN_BYTES,
                    Phase::Commands if header.sequence == 0 && !data => COMMAND_BYTES,
                    _ => 0,
                })
            };
            let fit = match step {
                Step::More => break,
                Step::Lost => return self.client_lost(skipped, moment, texts, out),
                Step::Frame(frame) => match phase {
                    Phase::Commands => self.exchange.client(&frame, texts, out),
                    Phase::Login => self.exchange.login(&frame),
                    Phase::Authentication => Fit::Yes,
                    _ => return,
                },
            };
            match fit {
                Fit::Yes => {}
                Fit::Secret => self.client.reset(),
                Fit::No | Fit::Unknown => return self.lose(out),
                Fit::Enters(phase) => self.enter(phase),
            }
            if skipped > 0 {
                break;
            }
        }
        self.client.trim();
        if self.exchange.pending.len().max(self.exchange.requests_pending) > MOST_PENDING {
            self.lose(out);
        }
    }

    /// Bytes of the server, in a phase where they are packets.
    pub(super) fn server_packets(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if chunk.is_empty() {
            return;
        }
        if self.hole.is_some() {
            return self.search_tail(moment, chunk, texts, out);
        }
        let (mut input, skipped) = match chunk {
            Chunk::Bytes(bytes) => (bytes, 0),
            Chunk::Skipped(skipped) => (&[][..], skipped),
        };
        loop {
            let phase = self.phase;
            let step = if skipped > 0 {
                self.server.skip(moment, skipped)
            } else {
                let keep = if phase == Phase::Commands { ANSWER_BYTES } else { LOGIN_BYTES };
                self.server.next(moment, &mut input, |_| keep)
            };
            let idle = self.exchange.pending.is_empty();
            let fit = match step {
                Step::More => break,
                Step::Lost => return self.server_lost(moment, skipped, out),
                Step::Frame(frame) => match phase {
                    Phase::Commands => self.exchange.server(&frame, texts, out),
                    Phase::Greeting => self.exchange.greeting(&frame),
                    Phase::Login | Phase::Authentication => self.exchange.authentication(&frame),
                    _ => return,
                },
            };
            match fit {
                Fit::Yes | Fit::Secret => self.initial &= phase != Phase::Commands || idle,
                Fit::Unknown => return self.server_lost(moment, 0, out),
                Fit::No => {
                    // An answer to nothing that was seen.
                    out.counts.answers_unmatched +=
                        u64::from(phase == Phase::Commands && self.exchange.pending.is_empty());
                    return self.lose(out);
                }
                Fit::Enters(phase) => {
                    out.counts.logins_refused += u64::from(self.exchange.session.login_error.is_some());
                    self.enter(phase);
                    if self.compressed.is_some() {
                        return self.inflate(Side::Server, moment, Chunk::Bytes(input), texts, out);
                    }
                }
            }
            if skipped > 0 {
                break;
            }
        }
        self.server.trim();
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        match phase {
            Phase::Opaque | Phase::Ended => self.stop(phase),
            Phase::Authentication => self.client.reset(),
            Phase::Commands => {
                self.initial = false;
                if self.exchange.agreed_to_compress() {
                    self.compress();
                }
            }
            _ => {}
        }
    }

    /// From here on packets travel compressed.
    pub(super) fn compress(&mut self) {
        self.exchange.compressed = true;
        self.compressed = Some(Box::default());
    }

    fn stop(&mut self, phase: Phase) {
        self.phase = phase;
        self.hole = None;
        self.compressed = None;
        self.client.reset();
        self.server.reset();
        self.join.forget();
    }

    /// The client's framing is lost behind so many bytes.
    fn client_lost(&mut self, skipped: u64, moment: Moment, texts: &mut Texts, out: &mut Requests) {
        let sends_file = self.exchange.answer.place == Place::LocalInfile;
        let unfinished = self.client.unfinished_bytes();
        if sends_file || self.exchange.continues == Some(true) {
            self.exchange.add_request_bytes(unfinished.saturating_add(skipped));
            self.exchange.client_unframed();
            self.client_unframed = true;
            return;
        }
        if self.phase == Phase::Commands && self.exchange.continues.is_none() {
            // The beginning of a command that goes on in further packets: enough to know it.
            let first = self.client.first_byte();
            if let (Some((header, body)), Some(first)) = (self.client.unfinished(), first)
                && header.is_continued()
                && header.sequence == 0
            {
                let frame = crate::proto::framing::Frame {
                    header,
                    body,
                    body_bytes: u64::from(header.payload_bytes),
                    wire_bytes: unfinished.saturating_add(skipped),
                    first,
                    last: moment,
                };
                if self.exchange.client(&frame, texts, out) == Fit::Yes && !self.exchange.pending.is_empty() {
                    self.exchange.client_unframed();
                    self.client_unframed = true;
                    return;
                }
            }
        }
        self.lose(out);
    }

    /// Commands and answers are out of step, or a direction lost its framing: search for the next command.
    pub(super) fn lose(&mut self, out: &mut Requests) {
        if self.phase == Phase::Ended || self.exchange.session.terminated {
            return self.stop(Phase::Ended);
        }
        self.exchange.lose(out);
        // Before anything was paired, this was only a wrong beginning.
        out.counts.resyncs += u64::from(!self.initial);
        self.lose_quietly();
    }

    pub(super) fn lose_quietly(&mut self) {
        self.phase = Phase::Joining;
        self.hole = None;
        self.client_unframed = false;
        self.client.reset();
        self.server.reset();
        self.join.forget();
    }
}

impl Protocol for Observer {
    fn feed(&mut self, moment: Moment, side: Side, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        let starts = match side {
            Side::Client => std::mem::replace(&mut self.client_starts, moment.ends_transfer),
            Side::Server => std::mem::replace(&mut self.server_starts, moment.ends_transfer),
        };
        match (self.phase, side) {
            (Phase::Opaque | Phase::Ended, _) => {}
            (Phase::Joining, Side::Client) => self.join_client(moment, chunk, starts, texts, out),
            (Phase::Joining, Side::Server) => self.join_server(moment, chunk, starts, texts, out),
            (Phase::Greeting, Side::Client) => {
                self.lose_quietly();
                self.join_client(moment, chunk, starts, texts, out);
            }
            _ if self.compressed.is_some() => self.inflate(side, moment, chunk, texts, out),
            (_, Side::Client) => self.client_packets(moment, chunk, texts, out),
            (_, Side::Server) => self.server_packets(moment, chunk, texts, out),
        }
    }

    fn close(&mut self, at: Nanos, out: &mut Requests) {
        if self.hole.is_some() && self.phase == Phase::Commands {
            self.hole = None;
        }
        self.exchange.close(at, out);
        self.stop(Phase::Ended);
    }

    fn in_flight(&self, out: &mut Vec<InFlight>) {
        self.exchange.in_flight(out);
    }

    fn open_requests(&self) -> u32 {
        u32::try_from(self.exchange.requests_pending).unwrap_or(u32::MAX)
    }

    fn session(&self) -> &Session {
        &self.exchange.session
    }

    fn in_sync(&self) -> bool {
        // Once its pairing was sure, a search after a loss does not make it another protocol.
        !self.initial || matches!(self.phase, Phase::Opaque | Phase::Ended)
    }

    fn cancelled(&mut self, at: Nanos) {
        self.exchange.cancelled_at = Some(at);
    }
}
