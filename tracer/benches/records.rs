//! How many records a second one core takes, stage by stage and all together, on recorded traffic of pgbench in
//! prepared mode (Bind, Execute, Sync and their answers): small requests are the hardest load, by count.
//!
//! divan, because it counts items by itself and brings few dependencies. `cargo bench -p tracer --no-default-features`
//! needs neither root nor a kernel build.

#![expect(clippy::unwrap_used, reason = "a bench without its input has nothing to say")]

use std::collections::HashSet;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tracer::agg::{Aggregator, Limits};
use tracer::conn::{Connection, Filter, Outcome, Table};
use tracer::event::{Address, Event, Transfer, decode};
use tracer::proto::{Chunk, Detection, Entry, Moment, Protocol, REGISTRY, Session, Side};
use tracer::request::{InFlight, Request, Requests, ValueRange};
use tracer::sql::{Dialect, Texts};
use tracer::time::Nanos;
use tracer::value::Value;

mod traffic;

use traffic::{Recorded, captures};

const CAPTURE: &str = "postgresql/pgbench-select-prepared";

fn main() {
    divan::main();
}

fn traffic() -> Vec<Vec<u8>> {
    traffic::again_on_many(&recorded())
}

fn recorded() -> Recorded {
    // Behind the second Bind everything is regular.
    traffic::busiest(CAPTURE, |sent| sent.starts_with(b"B"))
}

fn count(records: &[Vec<u8>]) -> ItemsCount {
    ItemsCount::new(records.len())
}

/// Every stage, from raw records to counted statements.
#[divan::bench]
fn pipeline(bencher: Bencher<'_, '_>) {
    let records = traffic();
    bencher.counter(count(&records)).with_inputs(captures::pipeline).bench_local_refs(|pipeline| {
        for record in &records {
            pipeline.record(black_box(record));
        }
        assert!(pipeline.totals().0.requests > 0);
    });
}

#[divan::bench(name = "decode")]
fn only_decode(bencher: Bencher<'_, '_>) {
    let records = traffic();
    bencher.counter(count(&records)).bench_local(|| {
        for record in &records {
            black_box(decode(black_box(record)));
        }
    });
}

/// A protocol that reads nothing, so that only the stages before it are measured.
struct Silent(Session);

impl Protocol for Silent {
    fn feed(&mut self, _: Moment, _: Side, chunk: Chunk<'_>, _: &mut Texts, _: &mut Requests) {
        black_box(chunk);
    }
    fn close(&mut self, _: Nanos, _: &mut Requests) {}
    fn in_flight(&self, _: &mut Vec<InFlight>) {}
    fn open_requests(&self) -> u32 {
        0
    }
    fn session(&self) -> &Session {
        &self.0
    }
    fn in_sync(&self) -> bool {
        true
    }
    fn cancelled(&mut self, _: Nanos) {}
}

static SILENT: Entry = Entry {
    name: "silent",
    detect: |_| Detection::Yes(Side::Client),
    start: |_| Box::new(Silent(Session::default())),
};

/// Keeps every request.
#[derive(Default)]
struct Kept(Vec<Request>);

impl Outcome for Kept {
    fn request(&mut self, _: &mut Connection, request: &Request, _: &[Value], _: &Texts) {
        self.0.push(request.clone());
    }
}

/// Order and connection table, behind decoded records.
#[divan::bench]
fn order_and_connection(bencher: Bencher<'_, '_>) {
    let records = traffic();
    let events: Vec<Event<'_>> = records.iter().filter_map(|record| decode(record)).collect();
    let new = || Table::new(vec![&SILENT], Filter::default(), HashSet::new());
    let mut texts = Texts::new(10);
    let mut kept = Kept::default();
    bencher.counter(count(&records)).with_inputs(new).bench_local_refs(|table| {
        for event in &events {
            match event {
                Event::Transfer(piece) => table.transfer(black_box(piece), &mut texts, &mut kept),
                Event::Facts(socket, facts) => table.facts(*socket, facts.clone()),
                _ => {}
            }
        }
    });
}

/// The PostgreSQL observer alone, on one connection.
#[divan::bench]
fn protocol(bencher: Bencher<'_, '_>) {
    let records = recorded().lane(1);
    let pieces: Vec<Transfer<'_>> = records.iter().filter_map(|record| piece(record)).collect();
    let entry = REGISTRY.iter().find(|entry| entry.name == "postgresql").unwrap();
    let new = || ((entry.start)(true), Texts::new(10_000), Requests::default());
    bencher.counter(ItemsCount::new(pieces.len())).with_inputs(new).bench_local_refs(
        |(observer, texts, out)| {
            for piece in &pieces {
                let side = if piece.sent { Side::Client } else { Side::Server };
                let moment =
                    Moment { at: piece.at, task: piece.task, ends_transfer: piece.ends_transfer, load: None };
                observer.feed(moment, side, Chunk::Bytes(black_box(piece.bytes)), texts, out);
                out.clear_finished();
            }
        },
    );
}

fn piece(record: &[u8]) -> Option<Transfer<'_>> {
    match decode(record) {
        Some(Event::Transfer(piece)) => Some(piece),
        _ => None,
    }
}

/// Counting finished requests. Items are requests.
#[divan::bench]
fn aggregate(bencher: Bencher<'_, '_>) {
    let observed = captures::observe(traffic().iter().map(Vec::as_slice));
    let mut texts = Texts::new(10);
    let text = texts.intern_sql(b"select 1", false);
    let requests: Vec<Request> = observed
        .requests
        .iter()
        .map(|seen| Request {
            text,
            started_at: Nanos(seen.started_ns),
            first_byte_at: Nanos(seen.first_byte_ns),
            // Spread as latencies are: the recorded ones have one value on one machine.
            ended_at: Nanos(seen.ended_ns + seen.started_ns % 1_000_003),
            task: tracer::request::Task::default(),
            rows: seen.rows,
            request_bytes: seen.request_bytes,
            answer_bytes: seen.answer_bytes,
            error: None,
            transaction: None,
            cancelled: false,
            load: None,
            values: ValueRange::default(),
        })
        .collect();
    let new = || Aggregator::new(Limits::default(), None);
    bencher.counter(ItemsCount::new(requests.len())).with_inputs(new).bench_local_refs(|aggregator| {
        let group = aggregator.group(text, "postgresql", Some("postgres"), &Address::Unix(Vec::new()));
        for request in &requests {
            aggregator.record(group, black_box(request));
        }
    });
}

/// Statement texts that differ in their literals only, as an application without bind parameters sends them.
fn statements() -> Vec<String> {
    (0..2000)
        .map(|n| {
            format!(
                "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id \
                 WHERE o.customer_id = {n} AND o.status IN ('paid', 'sent', '{n}') AND o.total > {n}.50 LIMIT 20"
            )
        })
        .collect()
}

/// Texts never seen before. Items are texts.
#[divan::bench]
fn normalise_cold(bencher: Bencher<'_, '_>) {
    let statements = statements();
    let counter = ItemsCount::new(statements.len());
    bencher.counter(counter).with_inputs(|| Texts::new(10_000)).bench_local_refs(|texts| {
        for sql in &statements {
            black_box(texts.intern(Dialect::Postgresql, black_box(sql.as_bytes()), false, Nanos::default()));
        }
    });
}

/// Texts seen before. Items are texts.
#[divan::bench]
fn normalise_cached(bencher: Bencher<'_, '_>) {
    let statements = statements();
    let mut texts = Texts::new(10_000);
    let mut all = move || {
        for sql in &statements {
            black_box(texts.intern(Dialect::Postgresql, black_box(sql.as_bytes()), false, Nanos::default()));
        }
        statements.len()
    };
    let counter = ItemsCount::new(all());
    bencher.counter(counter).bench_local(all);
}
