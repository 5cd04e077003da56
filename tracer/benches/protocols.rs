//! How many records and requests a second one core takes of each protocol, all stages together, on recorded traffic of
//! loads with small requests.
//!
//! `cargo bench -p tracer --no-default-features --bench protocols` needs neither root nor a kernel build.

#![expect(clippy::unwrap_used, reason = "a bench without its input has nothing to say")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tracer::proto::REGISTRY;

mod traffic;

use traffic::captures;

/// A recording of a load, and how the bytes of one exchange begin.
struct Load {
    capture: &'static str,
    begins: fn(&[u8]) -> bool,
}

const LOADS: &[Load] = &[
    Load { capture: "postgresql/pgbench-select-prepared", begins: |sent| sent.starts_with(b"B") },
    // The prepared statement of a COM_STMT_EXECUTE.
    Load { capture: "mysql/sysbench-prepared", begins: |sent| sent.get(3..5) == Some(&[0, 0x17]) },
    // 16 commands in each transfer.
    Load { capture: "redis/redis-benchmark-pipeline", begins: |sent| sent.starts_with(b"*") },
    Load { capture: "redis/redis-benchmark", begins: |sent| sent.starts_with(b"*") },
    Load { capture: "memcached/pymemcache", begins: |sent| sent.starts_with(b"get ") },
    Load { capture: "mongodb/pymongo", begins: |sent| sent.get(12..16) == Some(&[0xdd, 7, 0, 0]) },
    Load { capture: "elasticsearch/elasticsearch-py", begins: |sent| sent.contains(&b'/') },
];

fn main() {
    // One load stands for all that is HTTP: they share their code.
    let http = ["opensearch", "clickhouse", "http"];
    for entry in REGISTRY.iter().filter(|entry| !http.contains(&entry.name)) {
        let loaded = LOADS.iter().any(|load| load.capture.split('/').next() == Some(entry.name));
        assert!(loaded, "{} has no load in this bench", entry.name);
    }
    divan::main();
}

fn names() -> impl Iterator<Item = &'static str> {
    LOADS.iter().map(|load| load.capture)
}

fn records(capture: &str) -> Vec<Vec<u8>> {
    let load = LOADS.iter().find(|load| load.capture == capture).unwrap();
    traffic::again_on_many(&traffic::busiest(load.capture, load.begins))
}

fn requests(records: &[Vec<u8>]) -> u64 {
    let mut pipeline = captures::pipeline();
    records.iter().for_each(|record| pipeline.record(record));
    let totals = pipeline.totals().0;
    assert_eq!((totals.protocol.answers_unmatched, totals.protocol.resyncs), (0, 0));
    totals.requests
}

/// Items are records.
#[divan::bench(args = names())]
fn records_taken(bencher: Bencher<'_, '_>, capture: &str) {
    let records = records(capture);
    bencher
        .counter(ItemsCount::new(records.len()))
        .with_inputs(captures::pipeline)
        .bench_local_refs(|pipeline| records.iter().for_each(|record| pipeline.record(black_box(record))));
}

/// Items are requests.
#[divan::bench(args = names())]
fn requests_counted(bencher: Bencher<'_, '_>, capture: &str) {
    let records = records(capture);
    let requests = requests(&records);
    assert!(requests > 0, "{capture}: no request");
    bencher.counter(ItemsCount::new(requests)).with_inputs(captures::pipeline).bench_local_refs(|pipeline| {
        records.iter().for_each(|record| pipeline.record(black_box(record)));
    });
}
