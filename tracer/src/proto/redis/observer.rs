//! One connection: where the bytes of each direction go, and whether pairing can be believed.
//!
//! The protocol has no mark that the server is done with everything. So after a join or a loss pairing begins where the
//! client speaks after the server, and is held back until it is proven or presumed ([`super::proof`]). An answer that nobody
//! waits for disproves it, also later; one whose type the command cannot have answers an earlier command, and pairing goes on
//! one place further. What nothing speaks for is not handed out. Never fails: what does not fit is counted.

use super::client::{self, Commands};
use super::early::Early;
use super::exchange::{Exchange, Fit};
use super::pending::PENDING;
use super::server::{self, Answers};
use crate::proto::{Chunk, Moment, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::Texts;
use crate::time::Nanos;

/// With nothing in flight and so long without a byte, presumably no older answer is under way.
const SILENCE: Nanos = Nanos::from_millis(5);
/// After so long, none is.
const PAUSE: Nanos = Nanos::from_secs(1);
/// An answer and its command are seen in the wrong order only within so long.
const EARLY: Nanos = Nanos::from_millis(1);
/// Requests held back; then they are presumed to be right, or given up.
const HELD: usize = 4096;
/// So many answers may be older than the commands that were seen.
const MOST_OLDER: u32 = 4096;

/// The end of an answer with holes where its parts are: what is known of it.
#[derive(Clone, Copy, Debug)]
struct Hole {
    /// The last two bytes.
    tail: [u8; 2],
    ends_transfer: bool,
    bytes: u64,
    at: Nanos,
}

impl Hole {
    /// An answer may end here.
    fn may_end(&self) -> bool {
        self.tail == *b"\r\n" && self.ends_transfer
    }
}

/// The observer of one connection.
#[derive(Debug)]
pub(super) struct Observer {
    pub(super) exchange: Exchange,
    commands: Commands,
    answers: Answers,
    /// The server's bytes are framed.
    framed: bool,
    /// Pairing was never sure yet.
    initial: bool,
    /// The first command since pairing began is not complete.
    begins: bool,
    /// Nothing more will come that matters.
    ended: bool,
    /// An answer that was under way at the beginning is counted.
    counted_before: bool,
    hole: Option<Hole>,
    early: Early,
    /// The early answers belong to commands that were paired with the answers before them.
    early_is_older: bool,
    /// Who spoke last.
    last: Option<Side>,
    last_server_at: Nanos,
    /// The last chunk of each direction ended its transfer.
    client_starts: bool,
    server_starts: bool,
}

impl Observer {
    /// `from_start`: the first byte of the connection will be seen.
    pub(super) fn new(from_start: bool) -> Self {
        let mut exchange = Exchange::default();
        exchange.gap = !from_start;
        Self {
            exchange,
            commands: Commands::default(),
            answers: Answers::default(),
            framed: from_start,
            initial: !from_start,
            begins: false,
            ended: false,
            counted_before: false,
            hole: None,
            early: Early::default(),
            early_is_older: false,
            last: None,
            last_server_at: Nanos::default(),
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
        let turned = starts && self.last != Some(Side::Client);
        self.last = Some(Side::Client);
        self.hole_ends(out);
        if turned && self.exchange.unproven {
            self.weigh(moment, out);
        }
        if self.exchange.gap {
            if !turned || !self.exchange.pending.is_empty() || self.framed && !self.answers.at_boundary() {
                return;
            }
            self.begin(out);
        }
        match chunk {
            Chunk::Skipped(skipped) => match self.commands.skip(skipped) {
                client::Step::Command(command) => self.exchange.command(&command, texts, out),
                client::Step::More => {}
                client::Step::Lost => self.lose_client(texts, out),
            },
            Chunk::Bytes(mut input) => loop {
                match self.commands.next(moment, &mut input) {
                    client::Step::Command(command) if self.begins && command.inline => {
                        // Any line could be one: rather the middle of something else.
                        self.no_beginning();
                        break;
                    }
                    client::Step::Command(command) => {
                        self.begins = false;
                        self.exchange.command(&command, texts, out);
                        if self.exchange.gap || self.exchange.replicates {
                            break;
                        }
                    }
                    client::Step::More => break,
                    client::Step::Lost if self.begins => {
                        self.no_beginning();
                        break;
                    }
                    client::Step::Lost => {
                        self.lose_client(texts, out);
                        break;
                    }
                }
            },
        }
        self.commands.wipe();
    }

    /// Pairing begins, as far as one can tell.
    fn begin(&mut self, out: &mut Requests) {
        // What MULTI has queued: whether it ran is not known.
        out.counts.answers_unmatched += self.exchange.drop_pending();
        self.commands.reset();
        self.answers.reset();
        self.framed = true;
        self.exchange.begin(out);
        self.begins = true;
    }

    /// Where pairing began, no command did.
    fn no_beginning(&mut self) {
        self.exchange.gap = true;
        self.begins = false;
        self.commands.reset();
    }

    /// The client speaks again: is what was paired in step?
    fn weigh(&mut self, moment: Moment, out: &mut Requests) {
        if self.exchange.gap || !self.framed {
            return;
        }
        if !self.exchange.pending.is_empty() || !self.commands.at_boundary() || !self.answers.at_boundary() {
            return self.exchange.proof.turn_ahead();
        }
        if self.open() > 0 || !std::mem::take(&mut self.exchange.paired) {
            return;
        }
        self.exchange.proof.quiet_turn();
        let silence = moment.at - self.last_server_at;
        if silence >= PAUSE {
            self.initial = false;
            self.exchange.proven(out);
        } else if self.exchange.unsure && (silence >= SILENCE || self.exchange.proof.was_quiet()) {
            self.presume(out);
        }
    }

    fn presume(&mut self, out: &mut Requests) {
        self.initial = false;
        self.exchange.release(out);
    }

    /// A hole, or bytes that are no commands: how many commands they were is not known.
    fn lose_client(&mut self, texts: &mut Texts, out: &mut Requests) {
        // One that was being sent will be answered, right behind those that wait.
        if let Some(command) = self.commands.unfinished() {
            self.exchange.command(&command, texts, out);
        }
        out.counts.resyncs += u64::from(!self.exchange.gap);
        self.exchange.gap = true;
        self.commands.reset();
    }

    fn server(&mut self, moment: Moment, chunk: Chunk<'_>, starts: bool, out: &mut Requests) {
        self.last = Some(Side::Server);
        self.last_server_at = moment.at;
        if let Some(hole) = &mut self.hole {
            hole.bytes += chunk.len();
            hole.at = moment.at;
            hole.ends_transfer = moment.ends_transfer;
            hole.tail = match chunk {
                Chunk::Bytes([.., before, last]) => [*before, *last],
                Chunk::Bytes([last]) => [hole.tail[1], *last],
                Chunk::Bytes([]) => hole.tail,
                Chunk::Skipped(_) => [0; 2],
            };
            return;
        }
        if !self.framed {
            if !starts || !matches!(chunk, Chunk::Bytes(_)) {
                return self.count_before(out);
            }
            self.answers.reset();
            self.framed = true;
        }
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => {
                if self.answers.at_boundary() && self.is_early(0) {
                    return self.stash(moment, chunk, out);
                }
                match self.answers.skip(skipped) {
                    server::Step::Answer(answer) => self.answer(&answer, moment, out),
                    server::Step::More => {}
                    server::Step::Lost => self.open_hole(moment, out),
                }
                return;
            }
        };
        while let Some(first) = input.first() {
            if self.answers.at_boundary() {
                if self.is_early(*first) {
                    return self.stash(moment, Chunk::Bytes(input), out);
                }
                self.answers.wants_elements = self.exchange.wants_elements();
            }
            match self.answers.next(moment, &mut input) {
                server::Step::Answer(answer) => {
                    self.answer(&answer, moment, out);
                    if self.exchange.replicates || !self.framed {
                        return;
                    }
                }
                server::Step::More => {}
                server::Step::Lost => return self.lose_server(out),
            }
        }
    }

    #[inline]
    fn answer(&mut self, answer: &server::Answer, moment: Moment, out: &mut Requests) {
        if self.early_is_older {
            return self.older(out);
        }
        // What a replica tells its primary; nobody else says it.
        if self.initial && answer.kind == b'*' && answer.word.bytes() == b"REPLCONF" {
            self.exchange.replicates = true;
            return;
        }
        match self.exchange.answer(answer, &self.answers.elements, moment.at, out) {
            Fit::Paired if self.exchange.unproven && self.exchange.proof.complete() => {
                self.initial = false;
                self.exchange.proven(out);
            }
            Fit::Paired | Fit::Pushed => {}
            Fit::Unasked => self.unasked(out),
            Fit::Older => self.older(out),
        }
        self.answers.give_back();
    }

    /// An answer that nobody waits for.
    fn unasked(&mut self, out: &mut Requests) {
        if self.exchange.gap {
            if self.exchange.owed > 0 {
                self.exchange.owed -= 1;
            } else if self.initial {
                out.counts.started_before += 1;
                self.counted_before = true;
            } else {
                out.counts.answers_unmatched += 1;
            }
            return;
        }
        if self.exchange.unsure {
            // Everything since was paired one too early.
            let dropped = self.exchange.drop_held();
            if self.initial {
                out.counts.started_before += 1;
                out.counts.answers_unmatched += dropped;
            } else {
                out.counts.answers_unmatched += dropped + 1;
            }
        } else {
            out.counts.answers_unmatched += 1;
            out.counts.resyncs += 1;
        }
        self.exchange.gap = true;
    }

    /// An answer to a command that was sent before pairing began: what came since is one place further.
    fn older(&mut self, out: &mut Requests) {
        out.counts.resyncs += u64::from(!self.exchange.unsure);
        out.counts.answers_unmatched += self.exchange.older(out);
        if self.initial {
            out.counts.started_before += 1;
        } else {
            out.counts.answers_unmatched += 1;
        }
        if self.exchange.older > MOST_OLDER {
            // Rather a command that is never answered stands before them.
            out.counts.answers_unmatched += self.exchange.drop_pending();
            self.exchange.gap = true;
        }
    }

    /// A hole in the server's bytes hides the parts of an answer. If only one request waits, it belongs to it up to the next
    /// word of the client.
    fn open_hole(&mut self, moment: Moment, out: &mut Requests) {
        if self.exchange.gap || self.exchange.pending.len() != 1 || self.answers.at_boundary() {
            return self.lose_server(out);
        }
        self.hole = Some(Hole { tail: [0; 2], ends_transfer: false, bytes: 0, at: moment.at });
    }

    /// The client speaks, or the connection ends: the answer with holes is over, where it can be.
    fn hole_ends(&mut self, out: &mut Requests) {
        let Some(hole) = self.hole.take() else { return };
        match self.answers.unfinished() {
            Some(answer) if hole.may_end() => {
                let answer = server::Answer { bytes: answer.bytes + hole.bytes, ..*answer };
                self.exchange.answered(&answer, &self.answers.elements, hole.at, out);
                self.answers.reset();
            }
            _ => self.lose_server(out),
        }
    }

    /// The server's framing is lost: what waits gets no answer that could be recognised.
    fn lose_server(&mut self, out: &mut Requests) {
        let dropped = self.exchange.drop_pending();
        if self.initial {
            self.count_before(out);
        } else {
            out.counts.resyncs += 1;
        }
        out.counts.answers_unmatched += dropped;
        self.exchange.owed = dropped;
        self.exchange.gap = true;
        self.framed = false;
        self.answers.reset();
    }

    /// An answer whose beginning was not seen.
    fn count_before(&mut self, out: &mut Requests) {
        if self.initial && !std::mem::replace(&mut self.counted_before, true) {
            out.counts.started_before += 1;
        }
    }

    /// An answer to a command that was not seen yet: two threads, or a send that was recorded after it.
    fn is_early(&self, first: u8) -> bool {
        if !self.early.is_empty() {
            // Its end may begin like anything.
            return true;
        }
        let exchange = &self.exchange;
        exchange.pending.is_empty()
            && !exchange.unsure
            && !exchange.gap
            && first != b'>'
            && !exchange.listens()
    }

    fn stash(&mut self, moment: Moment, chunk: Chunk<'_>, out: &mut Requests) {
        if !self.early.push(moment, chunk) {
            self.early = Early::default();
            out.counts.answers_unmatched += 1;
            self.lose_server(out);
        }
    }

    /// Gives waiting answers another try, now that the client was heard.
    fn claim_early(&mut self, moment: Moment, out: &mut Requests) {
        if self.early.is_empty() || self.exchange.pending.is_empty() && !self.commands.at_boundary() {
            return;
        }
        let early = std::mem::take(&mut self.early);
        let late = early.first_at().is_some_and(|first| moment.at - first > EARLY);
        self.early_is_older = self.exchange.unproven && late;
        if self.exchange.pending.is_empty() {
            // Nobody asked for it.
            out.counts.resyncs += u64::from(!self.exchange.gap);
            self.exchange.gap = true;
        }
        early.play(|moment, chunk| self.server(moment, chunk, false, out));
        self.early_is_older = false;
    }

    fn open(&self) -> usize {
        self.exchange.pending.len() + self.exchange.queued.len()
    }

    fn end_if_stream(&mut self) {
        if self.exchange.replicates {
            self.exchange.session.streaming = true;
            self.exchange.drop_pending();
            if self.initial {
                self.exchange.drop_held();
            }
            self.stop();
        }
    }

    fn stop(&mut self) {
        self.ended = true;
        self.commands.reset();
        self.answers.reset();
        self.hole = None;
        self.early = Early::default();
    }
}

impl Protocol for Observer {
    fn feed(&mut self, moment: Moment, side: Side, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        if self.ended || chunk.is_empty() {
            return;
        }
        match side {
            Side::Client => {
                let starts = std::mem::replace(&mut self.client_starts, moment.ends_transfer);
                self.client(moment, chunk, starts, texts, out);
                self.claim_early(moment, out);
            }
            Side::Server => {
                let starts = std::mem::replace(&mut self.server_starts, moment.ends_transfer);
                self.server(moment, chunk, starts, out);
                if self.exchange.held.finished.len() >= HELD {
                    if self.exchange.fits() {
                        self.presume(out);
                    } else {
                        out.counts.answers_unmatched += self.exchange.drop_held();
                    }
                }
            }
        }
        self.end_if_stream();
    }

    fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.capture_ends(out);
        out.counts.answers_unmatched += u64::from(!self.early.is_empty());
        let Exchange { queued, pending, .. } = &mut self.exchange;
        queued.close(at, out);
        pending.close(at, out);
        self.stop();
    }

    fn capture_ends(&mut self, out: &mut Requests) {
        if self.hole.is_some_and(|hole| hole.may_end()) {
            self.hole_ends(out);
        }
        if self.exchange.unsure && !self.exchange.fits() {
            out.counts.answers_unmatched += self.exchange.drop_held();
        } else {
            self.exchange.release(out);
        }
        self.exchange.count_presumed(out);
    }

    fn in_flight(&self, out: &mut Vec<InFlight>) {
        let from = out.len();
        self.exchange.queued.in_flight(out);
        self.exchange.pending.in_flight(out);
        if let Some(new) = out.get_mut(from..) {
            new.sort_by_key(|request| request.started_at);
        }
    }

    fn open_requests(&self) -> u32 {
        u32::try_from(self.open().min(2 * PENDING)).unwrap_or(u32::MAX)
    }

    fn session(&self) -> &Session {
        &self.exchange.session
    }

    fn in_sync(&self) -> bool {
        !self.initial || self.ended || self.framed && !self.exchange.gap || self.exchange.listens()
    }

    /// Redis has no cancel requests.
    fn cancelled(&mut self, _at: Nanos) {}
}

#[cfg(test)]
impl Observer {
    /// Some of the client's bytes that are kept hold this.
    pub(super) fn keeps(&self, text: &[u8]) -> bool {
        self.commands.keeps(text)
    }
    /// Room for elements of EXEC's answer.
    pub(super) fn kept_elements(&self) -> usize {
        self.answers.elements.capacity()
    }
    /// Bytes of the client that are kept.
    pub(super) fn kept_bytes(&self) -> usize {
        self.commands.kept_bytes()
    }
}
