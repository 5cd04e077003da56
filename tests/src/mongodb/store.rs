//! Collections and open cursors, in memory, and how often each command was carried out.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bson::{Document, doc};

/// Everything that the connections share.
#[derive(Debug, Default)]
pub(super) struct Store {
    state: Mutex<State>,
}

/// What is behind the lock.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By `database.collection`.
    pub collections: HashMap<String, Vec<Document>>,
    /// Documents that an open cursor has still to hand out, the last one first.
    pub cursors: HashMap<i64, Vec<Document>>,
    pub last_cursor: i64,
    commands: BTreeMap<String, Counted>,
}

/// Of one command.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    total: i64,
    failed: i64,
}

impl Store {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a command, as `serverStatus` shows it.
    pub fn count(&mut self, command: &str, failed: bool) {
        let counted = self.commands.entry(command.to_owned()).or_default();
        counted.total += 1;
        counted.failed += i64::from(failed);
    }

    /// `metrics.commands` of `serverStatus`.
    pub fn counted(&self) -> Document {
        let all = self.commands.iter();
        all.map(|(name, counted)| {
            (name.clone(), bson::Bson::from(doc! {"total": counted.total, "failed": counted.failed}))
        })
        .collect()
    }

    /// Opens a cursor over documents: its first batch, and its id, which is 0 where there is no more.
    pub fn open(&mut self, mut documents: Vec<Document>, batch: usize) -> (Vec<Document>, i64) {
        documents.reverse();
        let first = documents.split_off(documents.len().saturating_sub(batch));
        if documents.is_empty() {
            return (first.into_iter().rev().collect(), 0);
        }
        self.last_cursor += 1;
        self.cursors.insert(self.last_cursor, documents);
        (first.into_iter().rev().collect(), self.last_cursor)
    }

    /// The next batch of a cursor, and its id or 0. None: there is no such cursor.
    pub fn more(&mut self, id: i64, batch: usize) -> Option<(Vec<Document>, i64)> {
        let documents = self.cursors.get_mut(&id)?;
        let next: Vec<Document> = documents.split_off(documents.len().saturating_sub(batch));
        let ended = documents.is_empty();
        if ended {
            self.cursors.remove(&id);
        }
        Some((next.into_iter().rev().collect(), if ended { 0 } else { id }))
    }
}
