//! What "why slow" costs on the user side: the same requests of 5 parameters through the whole pipeline, with the
//! comparison of slow and fast requests and without it, in turn. Prints nanoseconds for a request and the ratio, as JSON.
//!
//! No bench library: two programs that run one after the other on a shared machine differ by more than what is measured
//! here, so the two take turns batch by batch, and the median of the ratios counts.

#![expect(clippy::unwrap_used, reason = "a bench without its input has nothing to say")]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

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
/// Requests that are made at a time, untimed, then taken, timed: as many as the ring buffer may hold.
const TURN: u64 = 4_000;
/// Turns of one batch: so many that filling the sample, which costs more than keeping it, does not count.
const TURNS: u64 = 250;
/// Batches of each kind.
const BATCHES: usize = 9;
/// The same for the beginning of a capture, when every value is read and the sample fills.
const FIRST_TURNS: u64 = 10;
const FIRST_BATCHES: usize = 101;
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

/// What all connections say, in the order of time.
struct Traffic {
    positions: Vec<[u64; 2]>,
    at: Nanos,
    number: u64,
    answer: Vec<u8>,
}

impl Traffic {
    fn new() -> Self {
        let row = message(b'D', &[&[0, 2, 0, 0, 0, 8][..], &[0; 8], &[0, 0, 0, 8], &[0; 8]].concat());
        let (bound, done, ready) = (message(b'2', b""), message(b'C', b"SELECT 2\0"), message(b'Z', b"I"));
        Self {
            positions: vec![[0; 2]; usize::try_from(CONNECTIONS).unwrap()],
            at: Nanos::from_secs(1),
            number: 0,
            answer: [bound, row.clone(), row, done, ready].concat(),
        }
    }

    fn say(&mut self, connection: u64, sent: bool, bytes: &[u8], after_ns: u64) -> Vec<u8> {
        self.at = self.at + Nanos(after_ns);
        let place = &mut self.positions[usize::try_from(connection).unwrap()][usize::from(sent)];
        let record = records::transfer(&Transfer {
            socket: SocketId(connection + 1),
            at: self.at,
            task: Task { pid: 7, tid: 7 },
            sent,
            position: *place,
            bytes,
            skipped: 0,
            ends_transfer: true,
            unreadable: false,
        });
        *place += bytes.len() as u64;
        record
    }

    /// Every connection prepares its statement.
    fn prepares(&mut self) -> Vec<Vec<u8>> {
        let prepared = [message(b'1', b""), message(b'Z', b"I")].concat();
        let both = |connection| {
            [self.say(connection, true, &prepare(), 1_000), self.say(connection, false, &prepared, 50_000)]
        };
        (0..CONNECTIONS).flat_map(both).collect()
    }

    /// The next executions, one behind the other as in the ring buffer.
    fn turn(&mut self, ring: &mut Ring) {
        ring.bytes.clear();
        ring.ends.clear();
        for _ in 0..TURN {
            let (connection, answer) = (self.number % CONNECTIONS, self.answer.clone());
            ring.push(&self.say(connection, true, &execute(self.number), 1_000));
            ring.push(&self.say(connection, false, &answer, 20_000 + self.number % 977 * 100));
            self.number += 1;
        }
    }
}

/// Records in one piece of memory.
#[derive(Default)]
struct Ring {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Ring {
    fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        // Records of the ring buffer begin at multiples of eight.
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        self.ends.push(self.bytes.len());
    }

    fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().map(move |end| &self.bytes[std::mem::replace(&mut from, *end)..*end])
    }
}

/// Nanoseconds for one request, over so many turns.
fn batch(explain: bool, turns: u64) -> f64 {
    let mut pipeline = Pipeline::new(Settings {
        protocols: REGISTRY.iter().collect(),
        filter: Filter::default(),
        open_before: HashSet::new(),
        slow: None,
        values: tracer::value::Settings::default(),
        explain,
    });
    let (mut traffic, mut ring) = (Traffic::new(), Ring::default());
    for record in traffic.prepares() {
        pipeline.record(&record);
    }
    let mut taken = Duration::ZERO;
    for _ in 0..turns {
        traffic.turn(&mut ring);
        let begin = Instant::now();
        for record in ring.records() {
            pipeline.record(black_box(record));
        }
        taken += begin.elapsed();
    }
    assert_eq!(pipeline.totals().0.requests, TURN * turns);
    taken.as_secs_f64() * 1e9 / (TURN * turns) as f64
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Medians of nanoseconds with and without, and of their ratio.
fn compare(turns: u64, batches: usize) -> [f64; 3] {
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..batches {
        // Who goes first changes, so that neither gains from the other's warm caches.
        let first = turn % 2 == 0;
        let (one, two) = (batch(first, turns), batch(!first, turns));
        let (on, off) = if first { (one, two) } else { (two, one) };
        with.push(on);
        without.push(off);
        ratios.push(on / off);
    }
    [with, without, ratios].map(median)
}

fn main() {
    let [with, without, ratio] = compare(TURNS, BATCHES);
    let [first_with, first_without, first_ratio] = compare(FIRST_TURNS, FIRST_BATCHES);
    println!(
        "{{\"with_ns\": {with:.1}, \"without_ns\": {without:.1}, \"ratio\": {ratio:.4}, \
         \"first_with_ns\": {first_with:.1}, \"first_without_ns\": {first_without:.1}, \
         \"first_ratio\": {first_ratio:.4}}}"
    );
}
