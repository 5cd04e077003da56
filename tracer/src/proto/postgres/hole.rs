//! A hole in the server's bytes inside one answer: the usual way of a large result, of which only head and tail of each
//! transfer are captured.
//!
//! The answer goes on until a transfer ends with messages that chain to ReadyForQuery. Its completions belong to the
//! last executions that wait; what was completed inside the hole is counted, and never guessed.

use super::answers::{Fit, is_completion};
use super::exchange::{Answer, Exchange};
use super::frame::{Direction, Frame, HEADER_BYTES};
use super::observer::Observer;
use super::pending::Kind;
use super::resync::{self, Tail};
use crate::proto::{Chunk, Moment};
use crate::request::Requests;
use crate::sql::Texts;

impl Observer {
    /// The server's framing is lost behind `skipped` bytes.
    pub(super) fn server_hole(&mut self, moment: Moment, skipped: u64, out: &mut Requests) {
        let pending = &self.exchange.pending;
        let plain = pending.front().is_some_and(|op| match op.kind {
            Kind::Startup => true,
            Kind::Streaming => false,
            _ => pending.executions() > 0,
        });
        if !plain || pending.ready_due() > 1 {
            self.lose(out);
            self.backend.reset();
            return self.join.lose_server();
        }
        let unfinished = self.backend.unfinished_bytes();
        let first_byte_at = self.backend.first_byte_at().unwrap_or(moment.at);
        self.exchange.answer_unframed(first_byte_at, unfinished + skipped);
        self.backend.reset();
        self.hole = Some(Tail::default());
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
        let Some(tail) = &mut self.hole else { return };
        match chunk {
            Chunk::Skipped(0) => {}
            Chunk::Skipped(_) => tail.clear(),
            Chunk::Bytes(bytes) => tail.push(moment, bytes),
        }
        // ReadyForQuery cannot come before its Sync.
        if !moment.ends_transfer || self.exchange.pending.ready_due() == 0 {
            return;
        }
        let Some(from) = resync::tail(tail.bytes()) else { return };
        let Some(tail) = self.hole.take() else { return };
        if self.end_hole(&tail, from, texts, out) {
            self.ready = true;
        } else {
            self.lose(out);
            self.join = super::join::Join::at_boundary();
        }
    }

    /// False: the tail does not fit what waits.
    fn end_hole(&mut self, tail: &Tail, from: usize, texts: &mut Texts, out: &mut Requests) -> bool {
        let bytes = tail.bytes();
        let frames = || frames(tail, from);
        let completions = frames().filter(|frame| is_completion(frame.tag)).count() as u64;
        let failed = frames().any(|frame| frame.tag == b'E');
        let waiting = self.exchange.pending.executions() as u64;
        if completions > waiting {
            return false;
        }
        // An error could be the answer to any of those that wait.
        let placed = if failed && completions < waiting { 0 } else { completions };
        self.exchange.assume_answered(waiting - placed, texts, out);
        out.counts.answers_unmatched += waiting - placed;
        let mut behind = (bytes.len() - from) as u64;
        for frame in frames() {
            behind -= frame.wire_bytes();
            let completes = placed > 0 && is_completion(frame.tag);
            if !completes && frame.tag != b'Z' {
                continue;
            }
            self.exchange.assume_up_to(frame.tag == b'Z', texts, out);
            if completes {
                self.exchange.uncount_answer(frame.wire_bytes() + behind);
            }
            if self.exchange.backend(&frame, texts, out) != Fit::Yes {
                return false;
            }
        }
        true
    }
}

/// The messages of a tail.
fn frames(tail: &Tail, from: usize) -> impl Iterator<Item = Frame<'_>> {
    let mut at = from;
    std::iter::from_fn(move || {
        let (tag, body, body_bytes) = resync::message(Direction::Backend, tail.bytes().get(at..)?)?;
        let first = tail.moment_at(at)?;
        at += HEADER_BYTES + body.len();
        let last = tail.moment_at(at.saturating_sub(1))?;
        Some(Frame { tag, body, body_bytes, first, last })
    })
}

impl Exchange {
    /// Bytes of the oldest answer that were not framed.
    fn answer_unframed(&mut self, first_byte_at: crate::time::Nanos, bytes: u64) {
        let Some(op) = self.pending.front() else { return };
        if self.answer.group != Some(op.group) {
            self.answer = Answer { group: Some(op.group), first_byte_at: Some(first_byte_at), bytes: 0 };
        }
        self.answer.bytes = self.answer.bytes.saturating_add(bytes);
    }

    /// They were counted with the hole, and are not part of this answer or will be counted again.
    fn uncount_answer(&mut self, bytes: u64) {
        self.answer.bytes = self.answer.bytes.saturating_sub(bytes);
    }

    /// So many executions were answered inside the hole, and what came before them.
    fn assume_answered(&mut self, executions: u64, texts: &mut Texts, out: &mut Requests) {
        for _ in 0..executions {
            self.assume_up_to(false, texts, out);
            if self.pending.pop().is_some() {
                self.answer = Answer::default();
            }
        }
    }

    /// What stands before the next execution (or ReadyForQuery) was answered inside the hole, and well: an error would
    /// have ended it.
    fn assume_up_to(&mut self, ready: bool, texts: &mut Texts, out: &mut Requests) {
        while let Some(op) = self.pending.front().copied() {
            if op.awaits_ready() || !ready && op.is_execution() {
                return;
            }
            self.front_done(texts, out);
        }
    }
}
