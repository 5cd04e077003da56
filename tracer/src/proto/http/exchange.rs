//! Which answer belongs to which request: answers come in the order of the requests (RFC 9112, 9.3.2).
//!
//! After a join it is not known whether an earlier request is still to be answered. So finished requests are held until
//! the client speaks again with everything answered. An answer too many before that shows that each belongs to the
//! request after it.

use std::collections::VecDeque;

use crate::request::{ErrorCode, InFlight, Request, Requests, Task, ValueRange};
use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;

/// Requests that may wait at a time.
pub(super) const PENDING: usize = 1024;
/// Finished requests that are held while the pairing is not sure.
const HELD: usize = 64;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub text: TextId,
    pub method: &'static str,
    pub started_at: Nanos,
    pub task: Task,
    pub load: Option<u32>,
    pub bytes: u64,
    pub values: Vec<Value>,
}

/// An answer, as far as it came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    pub status: u16,
    pub first_byte_at: Nanos,
    pub ended_at: Nanos,
    pub rows: u64,
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Exchange {
    pending: VecDeque<Entry>,
    /// Entries taken from the front so far, to find one again.
    taken: u64,
    current: Option<Answer>,
    held: VecDeque<(Entry, Answer)>,
    sure: bool,
    pub was_sure: bool,
    owed: u64,
}

impl Exchange {
    pub fn new(sure: bool) -> Self {
        Self { sure, was_sure: sure, ..Self::default() }
    }

    /// A request's head came. Returns its number.
    pub fn push(&mut self, entry: Entry, out: &mut Requests) -> u64 {
        if self.pending.len() >= PENDING {
            self.lose(out);
        }
        self.pending.push_back(entry);
        self.taken + self.pending.len() as u64
    }

    /// A request by its number, unless it is answered.
    pub fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let index = number.checked_sub(self.taken)?.checked_sub(1)?;
        self.pending.get_mut(usize::try_from(index).ok()?)
    }

    /// The oldest one: whose answer comes.
    pub fn front(&self) -> Option<&Entry> {
        self.pending.front()
    }

    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// The client begins a request.
    pub fn client_speaks(&mut self, out: &mut Requests) {
        if !self.sure && self.pending.is_empty() && self.current.is_none() && !self.held.is_empty() {
            self.settle(out);
        }
    }

    /// Hands out what is held.
    pub fn settle(&mut self, out: &mut Requests) {
        self.was_sure |= !self.held.is_empty();
        for (entry, answer) in std::mem::take(&mut self.held) {
            finish(entry, answer, None, out);
        }
        self.sure = true;
        self.owed = 0;
    }

    /// Bytes of the answer that is on its way.
    pub fn answer(&mut self, first_byte_at: Nanos, bytes: u64) -> &mut Answer {
        let answer = self.current.get_or_insert(Answer { first_byte_at, ..Answer::default() });
        answer.bytes = answer.bytes.saturating_add(bytes);
        answer
    }

    /// The answer on its way belongs to no request that was seen.
    pub fn is_unasked(&self) -> bool {
        self.pending.is_empty() && self.held.is_empty()
    }

    /// An answer is on its way.
    pub fn answers(&self) -> bool {
        self.current.is_some()
    }

    /// The answer is complete.
    pub fn answered(&mut self, at: Nanos, out: &mut Requests) {
        let Some(mut answer) = self.current.take() else { return };
        answer.ended_at = at;
        let Some(entry) = self.pending.pop_front() else { return self.extra(answer, out) };
        self.taken += 1;
        if self.sure {
            return finish(entry, answer, None, out);
        }
        if self.held.len() >= HELD {
            self.settle(out);
            return finish(entry, answer, None, out);
        }
        self.held.push_back((entry, answer));
    }

    /// An answer to no request that was seen.
    fn extra(&mut self, answer: Answer, out: &mut Requests) {
        if self.owed > 0 {
            self.owed -= 1;
        } else if self.was_sure {
            out.counts.answers_unmatched += 1;
        } else {
            out.counts.started_before += 1;
        }
        let mut later = answer;
        for (_, own) in self.held.iter_mut().rev() {
            std::mem::swap(own, &mut later);
        }
    }

    /// Requests and answers are out of step: what waits cannot be paired any more.
    pub fn lose(&mut self, out: &mut Requests) {
        let lost = (self.pending.len() + self.held.len()) as u64;
        out.counts.answers_unmatched += lost;
        out.counts.resyncs += 1;
        self.owed = self.owed.saturating_add(self.pending.len() as u64);
        self.taken += self.pending.len() as u64;
        self.pending.clear();
        self.held.clear();
        self.current = None;
        self.sure = false;
    }

    pub fn open(&self) -> u32 {
        u32::try_from(self.pending.len()).unwrap_or(u32::MAX)
    }

    pub fn in_flight(&self, out: &mut Vec<InFlight>) {
        out.extend(self.pending.iter().map(|entry| InFlight {
            text: entry.text,
            started_at: entry.started_at,
            task: entry.task,
            transaction: None,
            request_bytes: entry.bytes,
            load: entry.load,
            values: entry.values.clone(),
        }));
    }

    /// The connection ended: what waits gets no answer.
    pub fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.settle(out);
        let code = ErrorCode::new(ErrorCode::CONNECTION_CLOSED.as_bytes());
        for entry in std::mem::take(&mut self.pending) {
            let part = self.current.take().unwrap_or(Answer { first_byte_at: at, ..Answer::default() });
            finish(entry, Answer { ended_at: at, ..part }, Some(code), out);
        }
        self.current = None;
    }
}

fn finish(entry: Entry, answer: Answer, error: Option<ErrorCode>, out: &mut Requests) {
    let Answer { status, first_byte_at, ended_at, rows, bytes } = answer;
    let status = (status >= 400).then(|| ErrorCode::new(&digits(status)));
    let request = Request {
        text: entry.text,
        started_at: entry.started_at,
        first_byte_at,
        ended_at,
        task: entry.task,
        rows,
        request_bytes: entry.bytes,
        answer_bytes: bytes,
        error: error.or(status),
        transaction: None,
        cancelled: false,
        load: entry.load,
        values: ValueRange::default(),
    };
    out.push(request, &entry.values);
}

/// A status of three digits.
fn digits(status: u16) -> [u8; 3] {
    [status / 100, status / 10, status].map(|part| b'0' + u8::try_from(part % 10).unwrap_or(0))
}
