//! Commands that wait for their answer, oldest first, with their values.

use std::collections::VecDeque;

use super::command::Kind;
use crate::request::{InFlight, Task};
use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;

/// Commands that may wait at a time.
pub(super) const PENDING: usize = 16 << 10;
/// Values of one command that are kept.
const MOST_VALUES: usize = 8;

/// One command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub text: TextId,
    pub kind: Kind,
    /// It asked for silence.
    pub silent: bool,
    /// What its answer carries too; 0: nothing.
    pub tag: u64,
    /// [`super::answer::keys`] of a `get`; 0: not known.
    pub keys: u64,
    pub started_at: Nanos,
    pub task: Task,
    pub load: Option<u32>,
    pub bytes: u64,
    pub values: u8,
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    entries: VecDeque<Entry>,
    values: VecDeque<Value>,
    loud: u32,
    /// The values of the entry that was taken last.
    pub taken: Vec<Value>,
}

impl Pending {
    /// False: too many wait.
    pub fn push(&mut self, mut entry: Entry, values: &[Value]) -> bool {
        if self.entries.len() >= PENDING {
            if !self.entries.front().is_some_and(|front| front.silent) {
                return false;
            }
            self.pop();
        }
        let values = values.get(..MOST_VALUES).unwrap_or(values);
        entry.values = u8::try_from(values.len()).unwrap_or(0);
        self.values.extend(values);
        self.loud += u32::from(!entry.silent);
        self.entries.push_back(entry);
        true
    }

    /// Takes the oldest one.
    pub fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.loud -= u32::from(!entry.silent);
        self.taken.clear();
        self.taken.extend(self.values.drain(..usize::from(entry.values).min(self.values.len())));
        Some(entry)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// How many will be answered.
    pub fn loud(&self) -> u32 {
        self.loud
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.values.clear();
        self.loud = 0;
    }

    /// Those that will be answered, behind the first so many.
    pub fn in_flight(&self, behind: usize, out: &mut Vec<InFlight>) {
        let mut values = self.values.iter();
        let mut passed = 0;
        for entry in &self.entries {
            let own = values.by_ref().take(usize::from(entry.values)).copied().collect();
            if entry.silent {
                continue;
            }
            passed += 1;
            if passed > behind {
                out.push(InFlight {
                    text: entry.text,
                    started_at: entry.started_at,
                    task: entry.task,
                    transaction: None,
                    request_bytes: entry.bytes,
                    load: entry.load,
                    values: own,
                });
            }
        }
    }
}
