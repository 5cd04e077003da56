//! What the server still has to answer, oldest first, and what it has queued between MULTI and EXEC.

use std::collections::VecDeque;

use super::shapes::Shape;
use crate::request::{ErrorCode, InFlight, MOST_VALUES, Request, Requests, Task, ValueRange};
use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;

/// Commands that one connection may have unanswered, about 80 bytes each.
pub(super) const PENDING: usize = 100_000;
/// Values of all of them that are kept, 24 bytes each. What comes while it is full is a request without values.
const PENDING_VALUES: usize = 200_000;
/// An empty queue larger than this is given back.
const RETAINED: usize = 1024;

/// What the answer to a command means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Its answer ends the request.
    Answer,
    /// The session's user changes: the next of the names that wait.
    User,
    /// The session's database changes: the next of the names that wait.
    Database,
    Exec,
    Discard,
    Reset,
    Monitor,
    /// So many confirmations; None: one for each channel that is subscribed, or one.
    Confirmations {
        left: Option<u32>,
    },
    /// The connection becomes a stream of writes.
    Replication,
}

/// One command that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    pub text: TextId,
    pub due: Due,
    /// What can answer it.
    pub answers: Shape,
    pub started_at: Nanos,
    pub task: Task,
    pub load: Option<u32>,
    pub bytes: u64,
    /// Its values that are kept.
    pub values: u8,
}

impl Op {
    /// The request that it becomes.
    pub(super) fn request(&self, first_byte_at: Nanos, ended_at: Nanos) -> Request {
        Request {
            text: self.text,
            started_at: self.started_at,
            first_byte_at,
            ended_at,
            task: self.task,
            rows: 0,
            request_bytes: self.bytes,
            answer_bytes: 0,
            error: None,
            transaction: None,
            cancelled: false,
            load: self.load,
            values: ValueRange::default(),
        }
    }

    /// The request, where the connection ended before its answer did.
    pub(super) fn closed(&self, at: Nanos) -> Request {
        let error = Some(ErrorCode::new(ErrorCode::CONNECTION_CLOSED.as_bytes()));
        Request { error, ..self.request(at, at) }
    }

    fn in_flight(&self, values: &[Value]) -> InFlight {
        InFlight {
            text: self.text,
            started_at: self.started_at,
            task: self.task,
            transaction: None,
            request_bytes: self.bytes,
            load: self.load,
            values: values.to_vec(),
        }
    }
}

/// A queue of commands with their values.
#[derive(Debug, Default)]
pub(super) struct Pending {
    ops: VecDeque<Op>,
    /// The values of all, in their order; those before `first_value` are done with.
    values: Vec<Value>,
    first_value: usize,
}

impl Pending {
    #[inline]
    pub(super) fn push(&mut self, mut op: Op, values: &[Value]) {
        let values = values.get(..MOST_VALUES).unwrap_or(values);
        let has_room = self.values.len() - self.first_value < PENDING_VALUES;
        op.values = if has_room { u8::try_from(values.len()).unwrap_or(0) } else { 0 };
        if op.values > 0 {
            self.values.extend_from_slice(values);
        }
        self.ops.push_back(op);
    }
    #[inline]
    pub(super) fn front(&self) -> Option<&Op> {
        self.ops.front()
    }
    pub(super) fn front_mut(&mut self) -> Option<&mut Op> {
        self.ops.front_mut()
    }
    /// The values of the oldest.
    #[inline]
    pub(super) fn front_values(&self) -> &[Value] {
        let len = self.front().map_or(0, |op| usize::from(op.values));
        self.values.get(self.first_value..self.first_value + len).unwrap_or_default()
    }
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Op> {
        let op = self.ops.pop_front()?;
        self.first_value += usize::from(op.values);
        // Nearly always all are done with; in a long pipeline the rest moves seldom.
        if self.first_value >= self.values.len() {
            self.values.clear();
            self.first_value = 0;
        } else if self.first_value > RETAINED && self.first_value > self.values.len() / 2 {
            self.values.drain(..self.first_value);
            self.first_value = 0;
        }
        if self.ops.is_empty() && self.ops.capacity() > RETAINED {
            self.ops = VecDeque::new();
            self.values = Vec::new();
        }
        Some(op)
    }
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.ops.len()
    }
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
    pub(super) fn is_full(&self) -> bool {
        self.ops.len() >= PENDING
    }
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
    pub(super) fn in_flight(&self, out: &mut Vec<InFlight>) {
        let mut from = self.first_value;
        for op in &self.ops {
            let to = from + usize::from(op.values);
            out.push(op.in_flight(self.values.get(from..to).unwrap_or_default()));
            from = to;
        }
    }
    /// Ends all with [`ErrorCode::CONNECTION_CLOSED`].
    pub(super) fn close(&mut self, at: Nanos, out: &mut Requests) {
        while let Some(op) = self.front() {
            let request = op.closed(at);
            out.push(request, self.front_values());
            self.pop();
        }
    }
}
