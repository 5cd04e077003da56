//! What the server still has to answer, oldest first.

use super::names::NameId;
use crate::request::{MOST_VALUES, Task};
use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;
use std::collections::VecDeque;

/// Messages that one session may have unanswered. About 80 bytes each.
pub(super) const PENDING: usize = 100_000;
/// Values of all of them that are kept, 24 bytes each. What comes while it is full is a request without values.
pub(super) const PENDING_VALUES: usize = 200_000;
/// An empty queue larger than this is given back.
const RETAINED: usize = 1024;

/// A statement: its text and what it does once the server has completed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub text: TextId,
    /// The text was seen. False: only its name is known.
    pub known: bool,
    pub act: Act,
}

/// What a completed statement does to the prepared statements of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    None,
    Prepare { name: NameId, text: TextId },
    Execute { name: NameId },
    Deallocate { name: NameId },
    DeallocateAll,
}

/// What kind of answer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The start-up packet: authentication up to the first ReadyForQuery.
    Startup,
    /// ParseComplete.
    Parse { name: NameId, statement: Statement },
    /// BindComplete.
    Bind { portal: NameId, statement: NameId },
    /// ParameterDescription, then RowDescription or NoData.
    DescribeStatement { name: NameId },
    /// RowDescription or NoData.
    DescribePortal { name: NameId },
    /// CloseComplete.
    CloseStatement { name: NameId },
    /// CloseComplete.
    ClosePortal { name: NameId },
    /// Rows or COPY data, then CommandComplete, EmptyQueryResponse or PortalSuspended.
    Execute { portal: NameId, limit: u32 },
    /// One statement of a simple Query: rows or COPY data, then CommandComplete or EmptyQueryResponse.
    Statement { statement: Statement, first: bool },
    /// FunctionCallResponse.
    FunctionCall { statement: Statement },
    /// ReadyForQuery of a simple Query or a function call. `more`: statements may lie in the part of the text that was
    /// not captured.
    QueryEnd { more: bool },
    /// ReadyForQuery.
    Sync,
    /// Nothing: CopyDone or CopyFail, a mark behind which Sync is not swallowed by COPY.
    CopyEnd,
    /// START_REPLICATION and its like: anything up to ReadyForQuery.
    Streaming,
}

/// One message that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    pub kind: Kind,
    /// Messages up to one Execute share a group: the request of that Execute.
    pub group: u32,
    /// The group's first byte was sent.
    pub started_at: Nanos,
    /// Who sent it.
    pub task: Task,
    /// Size of the group up to and including this message.
    pub bytes: u64,
    /// Requests in flight to the same server when the group's first byte was sent.
    pub load: Option<u32>,
    /// How many values came with this message.
    pub values: u16,
}

impl Op {
    /// Its answer ends a request.
    pub(super) fn is_execution(&self) -> bool {
        matches!(self.kind, Kind::Execute { .. } | Kind::Statement { .. } | Kind::FunctionCall { .. })
    }
    /// Its answer is ReadyForQuery.
    pub(super) fn awaits_ready(&self) -> bool {
        matches!(self.kind, Kind::Startup | Kind::QueryEnd { .. } | Kind::Sync | Kind::Streaming)
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Pending {
    ops: VecDeque<Op>,
    /// The values of all messages, in their order; those before `first_value` are done with.
    values: Vec<Value>,
    first_value: usize,
    ready_due: usize,
    executions: usize,
}

impl Pending {
    pub(super) fn push(&mut self, op: Op) {
        self.ready_due += usize::from(op.awaits_ready());
        self.executions += usize::from(op.is_execution());
        self.ops.push_back(op);
    }
    /// Gives the youngest message its values: a Bind, or a statement with literals. `fill` appends them.
    pub(super) fn fill_last(&mut self, fill: impl FnOnce(&mut Vec<Value>)) {
        let Some(op) = self.ops.back_mut() else { return };
        let from = self.values.len();
        if from - self.first_value >= PENDING_VALUES {
            return;
        }
        fill(&mut self.values);
        self.values.truncate(from + MOST_VALUES);
        op.values = u16::try_from(self.values.len() - from).unwrap_or(0);
    }
    pub(super) fn front(&self) -> Option<&Op> {
        self.ops.front()
    }
    /// The front became replication: everything up to its ReadyForQuery belongs to it.
    pub(super) fn start_streaming(&mut self) {
        let Some(mut op) = self.pop() else { return };
        while self.front().is_some_and(|next| !next.awaits_ready()) {
            self.pop();
        }
        self.pop();
        op.kind = Kind::Streaming;
        op.values = 0;
        self.ready_due += 1;
        self.ops.push_front(op);
    }
    pub(super) fn front_mut(&mut self) -> Option<&mut Op> {
        self.ops.front_mut()
    }
    pub(super) fn back(&self) -> Option<&Op> {
        self.ops.back()
    }
    /// Inlined, because most callers only drop what comes out: then nothing is copied.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Op> {
        let op = self.ops.pop_front()?;
        self.ready_due -= usize::from(op.awaits_ready());
        self.executions -= usize::from(op.is_execution());
        if op.values > 0 {
            self.drop_values(usize::from(op.values));
        }
        if self.ops.is_empty() && self.ops.capacity() > RETAINED {
            self.ops = VecDeque::new();
            self.values = Vec::new();
            self.first_value = 0;
        }
        Some(op)
    }
    fn drop_values(&mut self, count: usize) {
        self.first_value = (self.first_value + count).min(self.values.len());
        // Nearly always all are done with; in a long pipeline the rest moves seldom.
        if self.first_value == self.values.len() {
            self.values.clear();
            self.first_value = 0;
        } else if self.first_value > RETAINED && self.first_value > self.values.len() / 2 {
            self.values.drain(..self.first_value);
            self.first_value = 0;
        }
    }
    /// The values of the oldest message.
    pub(super) fn front_values(&self) -> &[Value] {
        self.front().map_or(&[], |op| self.values_behind(0, op))
    }
    /// The values of a message before which so many values of others stand.
    pub(super) fn values_behind(&self, before: usize, op: &Op) -> &[Value] {
        let from = self.first_value.saturating_add(before);
        self.values.get(from..from.saturating_add(usize::from(op.values))).unwrap_or_default()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
    pub(super) fn is_full(&self) -> bool {
        self.ops.len() > PENDING
    }
    /// How many ReadyForQuery are due.
    pub(super) fn ready_due(&self) -> usize {
        self.ready_due
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &Op> {
        self.ops.iter()
    }
    /// How many of these end a request.
    pub(super) fn executions(&self) -> usize {
        self.executions
    }
    /// Size of the group's last message that is known, and so of its request.
    pub(super) fn group_bytes(&self, op: &Op) -> u64 {
        let later = self.ops.iter().take_while(|later| later.group == op.group).last();
        later.map_or(op.bytes, |later| later.bytes)
    }
    /// COPY FROM STDIN reads and ignores every Sync up to CopyDone or CopyFail (`CopyGetData`, copyfromparse.c). True:
    /// the mark was there.
    pub(super) fn swallow_syncs(&mut self) -> bool {
        let end = self.ops.iter().position(|op| op.kind == Kind::CopyEnd);
        let mut index = 0;
        self.ops.retain(|op| {
            let swallowed = op.kind == Kind::Sync && end.is_none_or(|end| index < end);
            index += 1;
            !swallowed
        });
        self.ready_due = self.ops.iter().filter(|op| op.awaits_ready()).count();
        end.is_some()
    }
}
