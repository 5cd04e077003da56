//! What "why slow" costs on the user side: the same requests of 5 parameters through the whole pipeline, with the
//! comparison of slow and fast requests and without it, in turn. Prints nanoseconds for a request and the ratio, as JSON.
//!
//! No bench library: two programs that run one after the other on a shared machine differ by more than what is measured
//! here, so the two take turns batch by batch, and the median of the ratios counts.

#![expect(clippy::unwrap_used, reason = "a bench without its input has nothing to say")]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use tracer::conn::Filter;
use tracer::event::{SocketId, Transfer};
use tracer::pipeline::{Pipeline, Settings};
use tracer::proto::REGISTRY;
use tracer::request::Task;
use tracer::time::Nanos;

#[path = "../tests/records/mod.rs"]
mod records;

/// Connections that speak in turn, as a pool's do.
const CONNECTIONS: u64 = 16;
/// Requests of one batch: so many that filling the sample, which costs more than keeping it, does not count.
const REQUESTS: u64 = 100_000;
/// Batches of each kind.
const BATCHES: usize = 31;
/// `SELECT` by five parameters: int8, text, timestamptz, uuid, int4 in binary, as typed drivers send them.
const SQL: &str = "SELECT id, total FROM orders WHERE customer = $1 AND region = $2 AND placed > $3 AND batch = $4 LIMIT $5";
const TYPES: [u32; 5] = [20, 25, 1184, 2950, 23];

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

fn prepare() -> Vec<u8> {
    let mut body = [b"s1\0", SQL.as_bytes(), b"\0", &5u16.to_be_bytes()].concat();
    for oid in TYPES {
        body.extend_from_slice(&oid.to_be_bytes());
    }
    [message(b'P', &body), message(b'S', b"")].concat()
}

fn execute(number: u64) -> Vec<u8> {
    let region = format!("region-{}", number % 23);
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let values: [&[u8]; 5] = [
        &(spread % 1_000_000).to_be_bytes(),
        region.as_bytes(),
        &(840_000_000_000_000 - spread % 1_000_000_000_000).to_be_bytes(),
        &[spread.to_be_bytes(), spread.rotate_left(17).to_be_bytes()].concat(),
        &20u32.to_be_bytes(),
    ];
    let mut body = b"\0s1\0".to_vec();
    body.extend_from_slice(&[0, 1, 0, 1, 0, 5]);
    for value in values {
        body.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
        body.extend_from_slice(value);
    }
    body.extend_from_slice(&[0, 1, 0, 1]);
    [message(b'B', &body), message(b'E', b"\0\0\0\0\0"), message(b'S', b"")].concat()
}

/// The records of all connections, and how many of them come before the first execution.
fn traffic() -> (Vec<Vec<u8>>, usize) {
    let row = message(b'D', &[&[0, 2, 0, 0, 0, 8][..], &[0; 8], &[0, 0, 0, 8], &[0; 8]].concat());
    let prepared = [message(b'1', b""), message(b'Z', b"I")].concat();
    let answer =
        [message(b'2', b""), row.clone(), row, message(b'C', b"SELECT 2\0"), message(b'Z', b"I")].concat();
    let mut positions = vec![[0u64; 2]; usize::try_from(CONNECTIONS).unwrap()];
    let mut at = Nanos::from_secs(1);
    let mut all = Vec::new();
    let mut say = |connection: u64, sent: bool, bytes: &[u8], after: u64| {
        at = at + Nanos(after);
        let place = &mut positions[usize::try_from(connection).unwrap()][usize::from(sent)];
        all.push(records::transfer(&Transfer {
            socket: SocketId(connection + 1),
            at,
            task: Task { pid: 7, tid: 7 },
            sent,
            position: *place,
            bytes,
            skipped: 0,
            ends_transfer: true,
            unreadable: false,
        }));
        *place += bytes.len() as u64;
        all.len()
    };
    let mut head = 0;
    for connection in 0..CONNECTIONS {
        say(connection, true, &prepare(), 1_000);
        head = say(connection, false, &prepared, 50_000);
    }
    for number in 0..REQUESTS {
        say(number % CONNECTIONS, true, &execute(number), 1_000);
        say(number % CONNECTIONS, false, &answer, 20_000 + number % 977 * 100);
    }
    (all, head)
}

/// Nanoseconds for one request.
fn batch(records: &[Vec<u8>], head: usize, explain: bool) -> f64 {
    let mut pipeline = Pipeline::new(Settings {
        protocols: REGISTRY.iter().collect(),
        filter: Filter::default(),
        open_before: HashSet::new(),
        slow: None,
        values: tracer::value::Settings::default(),
        explain,
    });
    let (before, body) = records.split_at(head);
    for record in before {
        pipeline.record(record);
    }
    let begin = Instant::now();
    for record in body {
        pipeline.record(black_box(record));
    }
    let taken = begin.elapsed();
    assert_eq!(pipeline.totals().0.requests, REQUESTS);
    taken.as_secs_f64() * 1e9 / REQUESTS as f64
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    let (records, head) = traffic();
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..BATCHES {
        // Who goes first changes, so that neither gains from the other's warm caches.
        let (one, two) = (batch(&records, head, turn % 2 == 0), batch(&records, head, turn % 2 != 0));
        let (on, off) = if turn % 2 == 0 { (one, two) } else { (two, one) };
        with.push(on);
        without.push(off);
        ratios.push(on / off);
    }
    println!(
        "{{\"with_ns\": {:.1}, \"without_ns\": {:.1}, \"ratio\": {:.4}}}",
        median(with),
        median(without),
        median(ratios)
    );
}
