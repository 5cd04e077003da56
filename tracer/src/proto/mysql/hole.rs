//! A hole in the server's bytes inside one answer: the usual way of a large result, of which only head and tail of each
//! transfer are captured.
//!
//! The answer goes on until a transfer ends with the packet that ends it. Where none is seen, it ended before the client
//! sent its next command. Rows inside the hole are not counted, and never guessed.

use super::answer;
use super::exchange::{Answer, Exchange, Kind, Place};
use super::observer::{Observer, Phase};
use super::packet::{Header, Packet, split};
use crate::proto::framing::{Format as _, Frame};
use crate::proto::{Chunk, Moment};
use crate::request::Requests;
use crate::sql::Texts;
use crate::time::Nanos;

/// Bytes kept of a tail.
pub(super) const TAIL_BYTES: usize = 4 << 10;
/// A packet that ends an answer is no longer: ERR has a message of up to 512 bytes, OK may have changes of the session.
const LONGEST_END: usize = 1 << 10;

/// What came behind the hole. Its `Debug` shows no content.
pub(super) struct Hole {
    tail: Vec<u8>,
    last_at: Nanos,
}

impl std::fmt::Debug for Hole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.tail.len())
    }
}

impl Observer {
    /// The server's framing is lost behind `skipped` bytes.
    pub(super) fn server_lost(&mut self, moment: Moment, skipped: u64, out: &mut Requests) {
        let first_byte_at = self.server.first_byte_at().unwrap_or(moment.at);
        // A packet that comes out of a compressed one was counted with that.
        let wire_bytes = match self.exchange.compressed {
            true => 0,
            false => self.server.unfinished_bytes().saturating_add(skipped),
        };
        self.hole_begins(moment, first_byte_at, wire_bytes, out);
    }

    /// So many bytes of the server, since a first one, are not framed.
    pub(super) fn hole_begins(
        &mut self,
        moment: Moment,
        first_byte_at: Nanos,
        wire_bytes: u64,
        out: &mut Requests,
    ) {
        if self.phase != Phase::Commands || !self.exchange.answers_one_result() {
            return self.lose(out);
        }
        self.exchange.answer_unframed(first_byte_at, wire_bytes);
        self.server.reset();
        self.hole = Some(Hole { tail: Vec::new(), last_at: moment.at });
    }

    /// Server bytes behind a hole.
    pub(super) fn search_tail(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        self.exchange.answer_unframed(moment.at, chunk.len());
        let Some(hole) = &mut self.hole else { return };
        hole.last_at = moment.at;
        let Chunk::Bytes(bytes) = chunk else { return hole.tail.clear() };
        if bytes.len() >= TAIL_BYTES {
            hole.tail.clear();
        } else if hole.tail.len() + bytes.len() > 2 * TAIL_BYTES {
            hole.tail.drain(..hole.tail.len() - TAIL_BYTES);
        }
        hole.tail.extend_from_slice(bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default());
        // What is inside compressed packets cannot be told without their beginning.
        if !moment.ends_transfer || self.exchange.compressed {
            return;
        }
        let Some((header, payload)) = end_of_answer(&hole.tail) else { return };
        let (body_bytes, wire_bytes) = (payload.len() as u64, (payload.len() + Packet::HEADER_BYTES) as u64);
        self.exchange.resume(header, wire_bytes);
        let frame = Frame { header, body: payload, body_bytes, wire_bytes, first: moment, last: moment };
        self.exchange.server(&frame, texts, out);
        self.initial = false;
        self.hole = None;
        self.server.reset();
    }

    /// The client goes on, so the answer with the hole was complete.
    pub(super) fn end_hole(&mut self, out: &mut Requests) {
        if let Some(hole) = self.hole.take() {
            self.exchange.assume_ended(hole.last_at, out);
            self.server.reset();
        }
    }
}

/// EOF, OK or ERR that ends with the tail.
fn end_of_answer(tail: &[u8]) -> Option<(Header, &[u8])> {
    for len in 5..=LONGEST_END {
        let from = tail.len().checked_sub(len + Packet::HEADER_BYTES)?;
        let (header, payload, _) = split(tail.get(from..)?)?;
        if usize::try_from(header.payload_bytes) != Ok(len) {
            continue;
        }
        let ends = match answer::end(payload, header.payload_bytes) {
            Some(end) => end.status.is_plausible(),
            None => payload.get(3) == Some(&b'#') && answer::failure(payload).is_some(),
        };
        if ends {
            return Some((header, payload));
        }
    }
    None
}

impl Exchange {
    /// One command waits, and its answer is one that may be large.
    fn answers_one_result(&self) -> bool {
        match self.pending.front() {
            Some(op) if self.pending.len() == 1 && op.following.is_empty() => {
                matches!(op.kind, Kind::Query | Kind::Execute { .. } | Kind::Fetch { .. })
            }
            _ => false,
        }
    }

    /// Bytes of the oldest answer that were not framed.
    pub(super) fn answer_unframed(&mut self, first_byte_at: Nanos, bytes: u64) {
        self.answer.first_byte_at.get_or_insert(first_byte_at);
        self.answer.bytes = self.answer.bytes.saturating_add(bytes);
    }

    /// The next packet is the one with this header, at the end of the rows. It was counted with the hole.
    fn resume(&mut self, header: Header, wire_bytes: u64) {
        let is_fetch = self.pending.front().is_some_and(|op| matches!(op.kind, Kind::Fetch { .. }));
        self.answer = Answer {
            place: if is_fetch { Place::First } else { Place::Rows { started: true } },
            sequence: Some(header.sequence),
            continued: false,
            bytes: self.answer.bytes.saturating_sub(wire_bytes),
            ..self.answer
        };
    }

    /// The only answer that was due has ended unseen.
    fn assume_ended(&mut self, at: Nanos, out: &mut Requests) {
        let Some(op) = self.pending.front() else { return };
        let request = self.finished(op, None, at);
        self.transaction = None;
        let Some(op) = self.pop() else { return };
        if let Kind::Fetch { statement } = op.kind {
            if let Some(cursor) = self.statements.get_mut(statement).and_then(|own| own.cursor.as_mut()) {
                cursor.add(&op, &request);
            }
            return;
        }
        out.counts.statements_unnamed += u64::from(!op.due.known);
        out.push(request, &op.due.values);
        self.give_back(op.due.values);
    }
}
