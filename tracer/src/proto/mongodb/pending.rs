//! Requests that were sent and not answered, known by their requestID.
//!
//! Bounded: past the limit the oldest is given up.

use std::collections::VecDeque;

use super::answer::Answer;
use crate::proto::Moment;
use crate::request::{ErrorCode, InFlight, Request, Requests, Task, ValueRange};
use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;

/// Requests of one connection without answer. Drivers have one, or a few.
pub(super) const PENDING: usize = 256;
/// Buffers for values that wait for their next use.
const SPARE: usize = 4;

/// A request without its last answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub request_id: i32,
    /// Of an exhaust cursor: the requestID of the last answer, which the next one names.
    pub last_answer: Option<i32>,
    pub text: TextId,
    /// Its statement is known.
    pub known: bool,
    pub heartbeat: bool,
    pub counts: bool,
    pub started_at: Nanos,
    pub task: Task,
    pub load: Option<u32>,
    pub request_bytes: u64,
    pub values: Vec<Value>,
    /// Its answer may have been lost.
    pub doubtful: bool,
    /// Of the answers so far.
    pub first_byte_at: Option<Nanos>,
    pub answer_bytes: u64,
    pub rows: u64,
    pub error: Option<ErrorCode>,
}

/// One whole answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub request_id: i32,
    pub response_to: i32,
    pub first: Moment,
    pub last: Moment,
    pub wire_bytes: u64,
    pub answer: Answer,
}

/// Requests in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    requests: VecDeque<Pending>,
    heartbeats: usize,
    spare: Vec<Vec<Value>>,
}

impl Pending {
    /// Adds what an answer says.
    fn add(&mut self, answered: &Answered) {
        self.first_byte_at.get_or_insert(answered.first.at);
        self.answer_bytes += answered.wire_bytes;
        self.rows += answered.answer.rows(self.counts);
        self.error = self.error.or_else(|| answered.answer.error());
        self.last_answer = Some(answered.request_id);
    }

    fn finished(&self, ended_at: Nanos) -> Request {
        Request {
            text: self.text,
            started_at: self.started_at,
            first_byte_at: self.first_byte_at.unwrap_or(ended_at),
            ended_at,
            task: self.task,
            rows: self.rows,
            request_bytes: self.request_bytes,
            answer_bytes: self.answer_bytes,
            error: self.error,
            transaction: None,
            cancelled: false,
            load: self.load,
            values: ValueRange::default(),
        }
    }
}

impl InOrder {
    /// An empty buffer for the values of a request.
    pub fn values(&mut self) -> Vec<Value> {
        self.spare.pop().unwrap_or_default()
    }

    /// A buffer is not needed any more.
    pub fn give_back(&mut self, mut values: Vec<Value>) {
        if self.spare.len() < SPARE {
            values.clear();
            self.spare.push(values);
        }
    }

    /// Adds a request.
    pub fn push(&mut self, request: Pending, out: &mut Requests) {
        if self.requests.len() >= PENDING {
            self.give_up(0, out);
        }
        self.heartbeats += usize::from(request.heartbeat);
        self.requests.push_back(request);
    }

    /// The answer that comes may be to an older request: every answer before was lost.
    pub fn doubt(&mut self) {
        self.requests.iter_mut().for_each(|request| request.doubtful = true);
    }

    /// Pairs an answer. False: nobody asked for it.
    pub fn answer(&mut self, answered: &Answered, out: &mut Requests) -> bool {
        let is_its = |request: &Pending| {
            request.request_id == answered.response_to || request.last_answer == Some(answered.response_to)
        };
        let Some(mut at) = self.requests.iter().position(is_its) else { return false };
        // A server answers one request after the other, so the answers to older ones are those that were lost.
        for older in (0..at).rev() {
            if self.requests.get(older).is_some_and(|request| request.doubtful) {
                self.give_up(older, out);
                at -= 1;
            }
        }
        let Some(request) = self.requests.get_mut(at) else { return false };
        request.add(answered);
        request.doubtful = false;
        if request.heartbeat {
            out.counts.pushed += 1;
        }
        if !answered.answer.more_to_come
            && let Some(request) = self.remove(at)
        {
            self.finish(request, answered.last.at, out);
        }
        true
    }

    fn finish(&mut self, request: Pending, ended_at: Nanos, out: &mut Requests) {
        if !request.heartbeat {
            out.counts.statements_unnamed += u64::from(!request.known);
            out.push(request.finished(ended_at), &request.values);
        }
        self.give_back(request.values);
    }

    fn remove(&mut self, at: usize) -> Option<Pending> {
        let request = self.requests.remove(at)?;
        self.heartbeats -= usize::from(request.heartbeat);
        Some(request)
    }

    fn give_up(&mut self, at: usize, out: &mut Requests) {
        if let Some(request) = self.remove(at) {
            out.counts.answers_unmatched += u64::from(!request.heartbeat);
            self.give_back(request.values);
        }
    }

    /// Requests without answer, heartbeats not counted.
    pub fn open(&self) -> usize {
        self.requests.len() - self.heartbeats
    }

    /// Appends them, oldest first.
    pub fn in_flight(&self, out: &mut Vec<InFlight>) {
        let from = out.len();
        out.extend(self.requests.iter().filter(|request| !request.heartbeat).map(|request| InFlight {
            text: request.text,
            started_at: request.started_at,
            task: request.task,
            transaction: None,
            request_bytes: request.request_bytes,
            load: request.load,
            values: request.values.clone(),
        }));
        // Sent by two threads, they may have come in another order.
        if let Some(new) = out.get_mut(from..) {
            new.sort_by_key(|request| request.started_at);
        }
    }

    /// The connection ended. `begun`: whose answer had begun, when, and its bytes so far.
    pub fn close(&mut self, at: Nanos, begun: Option<(i32, Nanos, u64)>, out: &mut Requests) {
        while let Some(mut request) = self.remove(0) {
            if let Some((response_to, first_byte_at, bytes)) = begun
                && (request.request_id == response_to || request.last_answer == Some(response_to))
            {
                request.first_byte_at.get_or_insert(first_byte_at);
                request.answer_bytes += bytes;
            }
            request.error = Some(ErrorCode::new(ErrorCode::CONNECTION_CLOSED.as_bytes()));
            self.finish(request, at, out);
        }
    }
}
