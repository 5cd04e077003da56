//! Finished requests become one group for each statement text, protocol, database and server, each with exact
//! counts and two latency histograms.
//!
//! Memory is bounded whatever the traffic is: see [`Limits`]. What does not fit is counted in the group `(other)`
//! of its protocol, never dropped. Recording one request takes some tens of nanoseconds and seldom allocates.

mod group;
pub mod histogram;
mod latency;
mod statement;

use std::collections::HashMap;

use crate::event::Address;
use crate::request::Request;
use crate::sql::{TextId, Texts};
use crate::time::Nanos;
use group::{Group, Key};
pub use latency::TextLatency;

/// A group of an [`Aggregator`]. Stays valid for the aggregator's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupId(u32);

/// What an [`Aggregator`] may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Groups beside the `(other)` groups. A new one past this limit is `(other)`.
    pub groups: usize,
    /// Heap memory of all histograms. When it is reached, the groups with the least total time become `(other)`
    /// until a quarter of it is free.
    pub histogram_bytes: usize,
}

impl Default for Limits {
    /// 10,000 groups take about 8 MiB when each has seen a few requests (measured, see the tests), and never more
    /// than about 100 MiB, however their latencies spread.
    fn default() -> Self {
        Self { groups: 10_000, histogram_bytes: 64 << 20 }
    }
}

/// Counts finished requests by statement.
#[derive(Debug)]
pub struct Aggregator {
    limits: Limits,
    slow: Option<Nanos>,
    groups: Vec<Group>,
    ids: HashMap<Key, GroupId>,
    others: Vec<(&'static str, GroupId)>,
    histogram_bytes: usize,
    grouped_as_other: u64,
}

impl Aggregator {
    /// An empty one. `slow`: requests that take at least so long are counted as slow.
    pub fn new(limits: Limits, slow: Option<Nanos>) -> Self {
        Self {
            limits,
            slow,
            groups: Vec::new(),
            ids: HashMap::new(),
            others: Vec::new(),
            histogram_bytes: 0,
            grouped_as_other: 0,
        }
    }

    /// The group of a statement. To be kept by the caller, for a connection and text: this call hashes and copies.
    /// A group without any finished request is in the report too, so that a request in flight can name it.
    pub fn group(
        &mut self,
        text: TextId,
        protocol: &'static str,
        database: Option<&str>,
        peer: &Address,
    ) -> GroupId {
        let key = Key::new(text, protocol, database, peer);
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        if self.ids.len() >= self.limits.groups {
            return self.other(protocol);
        }
        let id = self.push(key.clone());
        self.ids.insert(key, id);
        id
    }

    /// Counts one finished request.
    pub fn record(&mut self, group: GroupId, request: &Request) {
        let Some(mut index) = self.index(group) else { return };
        if let Some(other) = self.groups[index].folded_into {
            self.grouped_as_other += 1;
            index = self.index(other).unwrap_or(index);
        } else if self.groups[index].key.is_other() {
            self.grouped_as_other += 1;
        }
        let slow = self.slow;
        self.change(index, |group| group.record(request, slow));
        if self.histogram_bytes > self.limits.histogram_bytes {
            self.fold();
        }
    }

    /// The id that the report gives to a group's statement.
    pub fn statement_id(&self, group: GroupId, texts: &Texts) -> u64 {
        let text = self.index(group).map_or(Texts::OTHER, |index| self.groups[self.target(index)].key.text);
        statement::statement_id(texts.get(text))
    }

    /// How many finished requests are counted in an `(other)` group because a limit was reached. Requests whose
    /// text did not fit into [`Texts`] keep their own groups and are not among them.
    pub fn grouped_as_other(&self) -> u64 {
        self.grouped_as_other
    }

    /// How many groups there are now, the `(other)` groups too.
    pub fn len(&self) -> usize {
        self.groups.iter().filter(|group| group.folded_into.is_none()).count()
    }

    /// True before the first group.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Heap memory of groups, keys and histograms.
    pub fn bytes(&self) -> usize {
        let keys = self.ids.capacity() * (size_of::<(Key, GroupId)>() + 1)
            + self.ids.keys().map(Key::heap_bytes).sum::<usize>();
        let groups = self.groups.capacity() * size_of::<Group>()
            + self.groups.iter().map(Group::heap_bytes).sum::<usize>();
        keys + groups
    }

    fn index(&self, group: GroupId) -> Option<usize> {
        usize::try_from(group.0).ok().filter(|index| *index < self.groups.len())
    }

    /// Where this group's requests are counted now.
    fn target(&self, index: usize) -> usize {
        self.groups[index].folded_into.and_then(|other| self.index(other)).unwrap_or(index)
    }

    fn push(&mut self, key: Key) -> GroupId {
        let id = GroupId(u32::try_from(self.groups.len()).unwrap_or(u32::MAX));
        self.groups.push(Group::new(key));
        id
    }

    /// The group for what does not fit, of one protocol.
    fn other(&mut self, protocol: &'static str) -> GroupId {
        if let Some((_, id)) = self.others.iter().find(|(name, _)| *name == protocol) {
            return *id;
        }
        let id = self.push(Key::other(protocol));
        self.others.push((protocol, id));
        id
    }

    /// Changes a group and keeps account of its memory.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Group)) {
        let group = &mut self.groups[index];
        let before = group.histogram_bytes();
        change(group);
        self.histogram_bytes = (self.histogram_bytes + group.histogram_bytes()).saturating_sub(before);
    }

    /// Makes room: the groups with the least total time are added to `(other)`.
    #[cold]
    fn fold(&mut self) {
        let mut by_time: Vec<usize> = (0..self.groups.len())
            .filter(|i| self.groups[*i].folded_into.is_none() && !self.groups[*i].key.is_other())
            .collect();
        by_time.sort_by_key(|i| self.groups[*i].latency.sum_ns());
        let goal = self.limits.histogram_bytes / 4 * 3;
        for index in by_time {
            if self.histogram_bytes <= goal {
                break;
            }
            let other = self.other(self.groups[index].key.protocol);
            let folded = self.groups[index].take(other);
            self.histogram_bytes = self.histogram_bytes.saturating_sub(folded.histogram_bytes());
            self.grouped_as_other = self.grouped_as_other.saturating_add(folded.latency.count());
            if let Some(target) = self.index(other) {
                self.change(target, |group| group.merge(&folded));
            }
        }
    }
}

#[cfg(test)]
mod tests;
