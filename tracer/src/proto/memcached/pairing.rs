//! Which answer belongs to which command.
//!
//! Text answers come in the order of their commands; only a command that asked for silence may have none. Binary
//! answers carry the opcode and the opaque of their command (case 45).
//!
//! After a join or a loss it is not known how many answers are still to come for commands that were not seen. Then
//! answers are held until the client speaks again with everything seen answered: the last answers belong to the
//! commands seen, and the ones before them to earlier commands. An answer that its command cannot have, or a value with
//! another key than it asked for, shows that this was wrong. Until answers came that none of the last [`REMEMBERED`] commands
//! before could have, or a pause of [`PAUSE`], requests count as presumed. Never pairs an answer with a command that cannot
//! have it.

use std::collections::VecDeque;

use super::answer::{Answer, Code};
use super::binary::same_tag;
use super::command::Kind;
use super::pending::{Entry, Pending};
use crate::request::{ErrorCode, InFlight, Request, Requests, ValueRange};
use crate::time::Nanos;

/// Answers held while the pairing is not sure.
pub(super) const HELD: usize = 256;
/// With everything answered that was seen and so long without a byte, no older answer is to come.
const PAUSE: Nanos = Nanos::from_secs(1);
/// Commands remembered while nothing proves the pairing: answers could be those of so many commands before at most.
const REMEMBERED: usize = 16;
/// How far an answer looks for its command, if not up to one that must have it.
const SEARCHED: usize = 1024;

/// A whole answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub answer: Answer,
    pub first_byte_at: Nanos,
    pub ended_at: Nanos,
    pub rows: u64,
    pub bytes: u64,
    /// [`super::answer::keys`] of its values; 0: none were looked at.
    pub keys: u64,
}

/// A binary answer: what its header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub tag: u64,
    pub error: Option<ErrorCode>,
    pub rows: u64,
    /// More answers to the same command follow.
    pub part: bool,
}

#[derive(Debug, Default)]
pub(super) struct Pairing {
    pub pending: Pending,
    sure: bool,
    /// It was sure at some time.
    pub was_sure: bool,
    /// No other pairing is possible, as far as [`REMEMBERED`] commands before.
    pub proven: bool,
    /// The commands that were paired last, the latest first.
    last: VecDeque<Entry>,
    /// Bit n is set: answers do not belong to the commands n + 1 places before.
    excluded: u16,
    /// Requests that were handed out without proof.
    presumed: u64,
    last_at: Nanos,
    /// Keys that the answer of several parts says.
    said: u64,
    held: VecDeque<Answered>,
    /// Answers to come for commands that were given up, and counted.
    owed: u64,
    /// An answer of several parts.
    current: Option<(Nanos, u64, u64)>,
    /// Answers that went to commands that asked for silence, and may have been those of later ones that did not.
    borrowed: u32,
}

impl Pairing {
    pub fn new(sure: bool) -> Self {
        Self { sure, was_sure: sure, proven: sure, ..Self::default() }
    }

    /// A part of an answer moved.
    pub fn part(&mut self, first_byte_at: Nanos, rows: u64, bytes: u64) {
        let (_, all_rows, all_bytes) = self.current.get_or_insert((first_byte_at, 0, 0));
        *all_rows += rows;
        *all_bytes = all_bytes.saturating_add(bytes);
    }

    /// The same part says such keys.
    pub fn says_keys(&mut self, keys: u64) {
        self.said |= keys;
    }

    /// The answer whose last part came is complete.
    pub fn text_answer(&mut self, answer: Answer, at: Nanos, out: &mut Requests) -> Option<Kind> {
        let (first_byte_at, rows, bytes) = self.current.take().unwrap_or((at, 0, 0));
        let keys = std::mem::take(&mut self.said);
        let answered = Answered { answer, first_byte_at, ended_at: at, rows, bytes, keys };
        self.last_at = at;
        if self.sure {
            return self.pair(answered, out);
        }
        if self.held.len() >= HELD {
            self.held.pop_front();
            self.count_extra(1, out);
        }
        self.held.push_back(answered);
        None
    }

    /// The client begins to speak: what is held becomes sure, if everything is answered.
    pub fn client_speaks(&mut self, at: Nanos, out: &mut Requests) {
        if !self.sure && !self.held.is_empty() && self.held.len() >= self.waiting() {
            self.settle(out);
        }
        if self.sure
            && !self.proven
            && self.pending.loud() == 0
            && self.last_at.0 > 0
            && at - self.last_at >= PAUSE
        {
            self.prove();
        }
    }

    fn prove(&mut self) {
        self.proven = true;
        self.presumed = 0;
        self.last = VecDeque::new();
    }

    /// An answer was paired with this command: what does it say of the commands before?
    fn weigh(&mut self, entry: Entry, answered: &Answered) {
        if !matches!(answered.answer, Answer::Error(_)) {
            for (n, before) in self.last.iter().enumerate() {
                let other_key = before.keys != 0 && answered.keys & !before.keys != 0;
                let other_tag = matches!(answered.answer, Answer::Meta { opaque, .. } if opaque != 0 && opaque != before.tag);
                if other_key || other_tag || answered.answer.ends(before.kind).is_none() {
                    self.excluded |= 1 << n;
                }
            }
        }
        self.last.truncate(REMEMBERED - 1);
        self.last.push_front(entry);
        if self.excluded == u16::MAX {
            self.prove();
        }
    }

    /// The capture or the connection ends: what was not proven will not be.
    pub fn count_presumed(&mut self, out: &mut Requests) {
        out.counts.presumed += std::mem::take(&mut self.presumed);
    }

    fn waiting(&self) -> usize {
        usize::try_from(self.pending.loud()).unwrap_or(usize::MAX)
    }

    /// Pairs what is held.
    pub fn settle(&mut self, out: &mut Requests) {
        if self.sure {
            return;
        }
        let extra = self.held.len().saturating_sub(self.waiting());
        self.held.drain(..extra);
        self.count_extra(extra as u64, out);
        self.owed = 0;
        self.sure = true;
        self.was_sure = true;
        let held = std::mem::take(&mut self.held);
        for answered in held {
            self.pair(answered, out);
        }
    }

    fn count_extra(&mut self, extra: u64, out: &mut Requests) {
        let owed = extra.min(self.owed);
        self.owed -= owed;
        if self.was_sure {
            out.counts.answers_unmatched += extra - owed;
        } else {
            out.counts.started_before += extra - owed;
        }
    }

    fn pair(&mut self, answered: Answered, out: &mut Requests) -> Option<Kind> {
        let answer = answered.answer;
        let tag = if let Answer::Meta { opaque, .. } = answer { opaque } else { 0 };
        let mut before = 0;
        let mut found = None;
        let walked = if self.pending.loud() > 0 { usize::MAX } else { SEARCHED };
        for entry in self.pending.iter().take(walked) {
            let asked = entry.keys == 0 || answered.keys & !entry.keys == 0;
            let fits = answer.ends(entry.kind).filter(|_| asked);
            // An error says no opaque; nor does an old server with a miss, which only a loud command has.
            let bare = !entry.silent && tag == 0 && matches!(answer, Answer::Meta { code: Code::Miss, .. });
            let same = entry.tag == tag || bare || matches!(answer, Answer::Error(_));
            if !entry.silent {
                found = fits.filter(|_| same);
                break;
            }
            if same && fits.is_some() && answer.breaks_silence(entry.kind) {
                found = fits;
                break;
            }
            before += 1;
        }
        let Some(rows) = found else {
            if self.borrowed > 0 && self.pending.loud() > 0 {
                // The silent one was silent indeed: the next loud one has had its answer.
                self.borrowed -= 1;
                while self.pending.pop().is_some_and(|entry| entry.silent) {}
                return self.pair(answered, out);
            }
            if self.pending.loud() == 0 {
                // Said unasked, as "too many open connections": nothing is out of step.
                out.counts.answers_unmatched += 1;
            } else {
                self.lose(out);
                self.owed = self.owed.saturating_sub(1);
            }
            return None;
        };
        for _ in 0..before {
            self.pending.pop();
        }
        let entry = self.pending.pop()?;
        if !self.proven {
            self.presumed += 1;
            self.weigh(entry, &answered);
        }
        let may_be_of = |later: &Entry| !later.silent && later.kind == entry.kind && later.tag == entry.tag;
        if entry.silent && self.pending.loud() > 0 && self.pending.iter().take(SEARCHED).any(may_be_of) {
            self.borrowed = self.borrowed.saturating_add(1);
        } else if self.pending.loud() == 0 {
            self.borrowed = 0;
        }
        let error = if let Answer::Error(code) = answer { Some(code) } else { None };
        self.finish(entry, Answered { rows: rows + answered.rows, ..answered }, error, out);
        Some(entry.kind)
    }

    /// A binary answer. False: its command was not seen.
    pub fn binary_answer(
        &mut self,
        header: Header,
        first: Nanos,
        last: Nanos,
        bytes: u64,
        out: &mut Requests,
    ) -> bool {
        let found = self.pending.iter().take(SEARCHED).position(|entry| same_tag(entry.tag, header.tag));
        let Some(before) = found else { return false };
        if before > 0 {
            self.current = None;
        }
        for _ in 0..before {
            // Commands are answered in order: this one's answer was lost, or it stayed silent.
            let skipped = self.pending.pop();
            out.counts.answers_unmatched += u64::from(skipped.is_some_and(|entry| !entry.silent));
        }
        self.part(first, header.rows, bytes);
        if header.part {
            return true;
        }
        let (first_byte_at, rows, bytes) = self.current.take().unwrap_or((first, 0, 0));
        let answered = Answered { answer: Answer::End, first_byte_at, ended_at: last, rows, bytes, keys: 0 };
        if let Some(entry) = self.pending.pop() {
            self.finish(entry, answered, header.error, out);
        }
        self.was_sure = true;
        true
    }

    /// A binary answer whose command was not seen.
    pub fn unmatched(&mut self, out: &mut Requests) {
        self.count_extra(1, out);
    }

    fn finish(&self, entry: Entry, answered: Answered, error: Option<ErrorCode>, out: &mut Requests) {
        let request = Request {
            text: entry.text,
            started_at: entry.started_at,
            first_byte_at: answered.first_byte_at,
            ended_at: answered.ended_at,
            task: entry.task,
            rows: answered.rows,
            request_bytes: entry.bytes,
            answer_bytes: answered.bytes,
            error,
            transaction: None,
            cancelled: false,
            load: entry.load,
            values: ValueRange::default(),
        };
        out.push(request, &self.pending.taken);
    }

    /// Commands and answers are out of step: what waits cannot be paired any more.
    pub fn lose(&mut self, out: &mut Requests) {
        let waiting = u64::from(self.pending.loud());
        out.counts.answers_unmatched += waiting;
        out.counts.resyncs += 1;
        let held = self.held.len() as u64;
        self.owed = self.owed.saturating_add(waiting.saturating_sub(held));
        self.pending.clear();
        self.held.clear();
        self.said = 0;
        self.proven = false;
        self.count_presumed(out);
        self.last = VecDeque::new();
        self.excluded = 0;
        self.current = None;
        self.borrowed = 0;
        self.sure = false;
    }

    /// Sent and not answered.
    pub fn open(&self) -> u32 {
        self.pending.loud().saturating_sub(u32::try_from(self.held.len()).unwrap_or(u32::MAX))
    }

    pub fn in_flight(&self, out: &mut Vec<InFlight>) {
        self.pending.in_flight(self.held.len(), out);
    }

    /// The connection ended: what waits gets no answer.
    pub fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.settle(out);
        self.count_presumed(out);
        let error = Some(ErrorCode::new(ErrorCode::CONNECTION_CLOSED.as_bytes()));
        while let Some(entry) = self.pending.pop() {
            if entry.silent {
                continue;
            }
            let (first_byte_at, rows, bytes) = self.current.take().unwrap_or((at, 0, 0));
            let answer = Answer::End;
            self.finish(
                entry,
                Answered { answer, first_byte_at, ended_at: at, rows, bytes, keys: 0 },
                error,
                out,
            );
        }
    }
}
