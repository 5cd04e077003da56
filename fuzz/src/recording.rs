//! A recording of any bytes through the whole path: source, decode, order, connection, protocol, aggregate, report.

use std::collections::HashSet;

use tracer::pipeline::{Pipeline, Settings};
use tracer::proto::REGISTRY;
use tracer::source::{Source as _, replay::Replay};
use tracer::time::Nanos;

/// A pipeline as a capture starts one, without a filter.
pub(super) fn run(data: &[u8]) {
    let Ok(mut replay) = Replay::new(data) else { return };
    let mut pipeline = Pipeline::new(Settings {
        protocols: REGISTRY.iter().collect(),
        filter: tracer::conn::Filter::default(),
        open_before: HashSet::from([1]),
        slow: Some(Nanos::from_millis(100)),
        values: Default::default(),
        explain: true,
    });
    // A recording that is cut short still gives what came before the cut.
    let _ = replay.drain(usize::MAX, &mut |record| pipeline.record(record));
    pipeline.tick(Nanos(u64::MAX));
    pipeline.capture_ends(Nanos(u64::MAX));
    let unanswered = pipeline.in_flight(Nanos(u64::MAX));
    let statements = pipeline.aggregator().statements(pipeline.texts());
    let (totals, connections) = pipeline.totals();
    let counted: u64 = statements.iter().map(|statement| statement.count).sum();
    assert_eq!(counted, totals.requests, "requests that are in no group, or in two");
    assert!(totals.bytes_captured <= totals.bytes_seen);
    assert!(unanswered.is_empty() || connections > 0);
    for statement in statements {
        assert!(!statement.text.chars().any(char::is_control), "{:?}", statement.text);
    }
}
