//! Latencies of a statement over all its groups, whatever their database and server.

use std::collections::{HashMap, HashSet};

use super::Aggregator;
use super::histogram::Histogram;
use crate::sql::{TextId, Texts};

/// One statement text with all its finished requests.
#[derive(Clone, Debug)]
pub struct TextLatency {
    /// The text.
    pub text: TextId,
    /// Protocol of its first group.
    pub protocol: &'static str,
    /// Latencies.
    pub latency: Histogram,
    /// Requests at or above the threshold that the aggregator was given.
    pub slow_count: u64,
}

impl Aggregator {
    /// All texts all of whose groups are their own, by total time, the most first. A text that only requests in flight
    /// have is among them.
    pub fn latencies(&self) -> Vec<TextLatency> {
        let mut places: HashMap<TextId, usize> = HashMap::new();
        let mut all: Vec<TextLatency> = Vec::new();
        let folded: HashSet<TextId> = self
            .groups
            .iter()
            .filter(|group| group.folded_into.is_some())
            .map(|group| group.key.text)
            .collect();
        let own = |group: &&super::Group| {
            !group.key.is_other() && group.key.text != Texts::OTHER && !folded.contains(&group.key.text)
        };
        for group in self.groups.iter().filter(own) {
            let place = *places.entry(group.key.text).or_insert_with(|| {
                let (text, protocol) = (group.key.text, group.key.protocol);
                all.push(TextLatency { text, protocol, latency: Histogram::default(), slow_count: 0 });
                all.len() - 1
            });
            if let Some(entry) = all.get_mut(place) {
                entry.latency.merge(&group.latency);
                entry.slow_count = entry.slow_count.saturating_add(group.slow_count);
            }
        }
        all.sort_by(|a, b| b.latency.sum_ns().cmp(&a.latency.sum_ns()).then(a.text.cmp(&b.text)));
        all
    }
}
