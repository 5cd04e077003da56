//! Captures that never happened: clients, connections, servers, transactions and values by a seeded generator, with the
//! cause of slowness that the caller wants, or none.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use tracer::random::SplitMix64;
use tracer::request::{ErrorCode, Task, TransactionStatus};
use tracer::sql::TextId;
use tracer::time::Nanos;
use tracer::value::{Extractor, Value};
use tracer::why::search::{Explained, Totals, explain};
use tracer::why::{Facts, ObservedOutcome, Row};

/// The same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        let mut random = SplitMix64(self.0);
        let bits = random.next_bits();
        self.0 = random.0;
        bits
    }
    /// 0 to `limit` - 1.
    pub fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.next() % u64::from(limit.max(1))).unwrap()
    }
    /// 0 to 1, 1 excluded.
    pub fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / 4_294_967_296.0
    }
    pub fn chance(&mut self, part: f64) -> bool {
        self.unit() < part
    }
    /// Exponentially distributed.
    pub fn around(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
    /// Evenly on a log scale.
    pub fn log_between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }
}

/// Where the values of one position come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// Whole numbers from 1 to a million.
    Id,
    /// Whole numbers that grow with every request.
    Growing,
    /// So many whole numbers.
    Tenant(u32),
    /// So many whole numbers, the same for a while.
    Batch(u32),
    /// A money amount.
    Amount,
    /// Words with so many different beginnings; NULL and empty now and then.
    Text(u32),
    /// TRUE or FALSE.
    Boolean,
    /// UUIDs of version 4 and 7.
    Uuid,
    /// A point in time up to some days ago.
    Time,
    /// 1 to 40 elements.
    List,
    /// Always the same.
    Constant,
}

/// A value before its features are taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    Null,
    Integer(i64),
    Decimal(f64),
    Text(String),
    Boolean(bool),
    Uuid(u8),
    SecondsAgo(i64),
    List(usize),
}

impl Raw {
    pub fn integer(&self) -> i64 {
        if let Self::Integer(number) = self { *number } else { panic!("{self:?}") }
    }
    pub fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// What the traffic is like.
#[derive(Clone, Debug)]
pub struct Traffic {
    pub seed: u64,
    /// Requests that are sent.
    pub requests: u32,
    pub connections: u32,
    pub servers: u32,
    /// A client sends its next request only after the answer.
    pub closed_loop: bool,
    /// How likely a connection is replaced by a new one after a request.
    pub churn: f64,
    /// One thread for each connection; otherwise any of eight threads takes any.
    pub own_threads: bool,
    pub values: Vec<Source>,
    pub duration_s: f64,
    pub slow_s: f64,
}

impl Traffic {
    pub fn new(seed: u64, requests: u32) -> Self {
        Self {
            seed,
            requests,
            connections: 8,
            servers: 2,
            closed_loop: false,
            churn: 0.02,
            own_threads: false,
            values: vec![Source::Id, Source::Tenant(50), Source::Text(50), Source::Boolean, Source::List],
            duration_s: 30.0,
            slow_s: 1.0,
        }
    }
}

/// A request before it is known whether it is slow.
pub struct Drawn<'a> {
    pub facts: &'a Facts,
    pub raw: &'a [Raw],
    /// Start in seconds.
    pub second: f64,
}

/// A capture of one statement.
#[derive(Default)]
pub struct Capture {
    pub facts: Vec<Facts>,
    pub values: Vec<Vec<Value>>,
    pub raw: Vec<Vec<Raw>>,
    pub slow: Vec<bool>,
    /// Which of all requests that were sent it is.
    pub number: Vec<usize>,
}

impl Capture {
    pub fn rows(&self) -> Vec<Row<'_>> {
        let values = self.values.iter().map(Vec::as_slice);
        self.facts
            .iter()
            .zip(values)
            .zip(&self.slow)
            .map(|((facts, values), slow)| Row { slow: *slow, facts, values })
            .collect()
    }

    pub fn totals(&self) -> Totals {
        let slow = u64::try_from(self.slow.iter().filter(|slow| **slow).count()).unwrap();
        Totals { slow, fast: u64::try_from(self.slow.len()).unwrap() - slow }
    }

    /// As one of 20 statements.
    pub fn explain(&self) -> Explained {
        explain(&self.rows(), self.totals(), 20)
    }
}

/// Makes a capture. Slower than half a second is slow; a request in flight at the end whose age is less is left out, as
/// nobody knows what becomes of it.
pub fn capture(traffic: &Traffic, mut is_slow: impl FnMut(&mut Random, &Drawn<'_>) -> bool) -> Capture {
    const SPLIT_S: f64 = 0.5;
    let mut random = Random(traffic.seed);
    let mut extractor = Extractor::default();
    let mut sources = Sources::default();
    let mut capture = Capture::default();
    let gap = traffic.duration_s * f64::from(traffic.connections) / f64::from(traffic.requests);
    let mut connections: Vec<Connection> = (0..traffic.connections)
        .map(|number| Connection::new(number, number % traffic.servers, true))
        .collect();
    let mut next_number = traffic.connections;
    let mut queue: BinaryHeap<Reverse<(u64, usize)>> =
        (0..connections.len()).map(|slot| Reverse((nanos(random.around(gap)), slot))).collect();
    let mut in_flight: HashMap<u32, Vec<u64>> = HashMap::new();
    let end = nanos(traffic.duration_s);
    let mut sent = 0;
    for _ in 0..traffic.requests {
        let Some(Reverse((now, slot))) = queue.pop() else { break };
        if now >= end {
            continue;
        }
        let connection = &mut connections[slot];
        let flying = in_flight.entry(connection.server).or_default();
        flying.retain(|ended| *ended > now);
        let raw: Vec<Raw> = traffic.values.iter().map(|source| sources.draw(*source, &mut random)).collect();
        let thread = if traffic.own_threads { connection.number } else { random.below(8) };
        let mut facts = Facts {
            started_at: Nanos(now),
            latency: Nanos(0),
            connection: connection.number,
            server: connection.server,
            database: 1,
            task: Task { pid: 500, tid: 500 + thread },
            first_on_connection: connection.requests == 0 && !connection.opened_before,
            opened_before: connection.opened_before,
            idle_before: connection.last_end.map(|last| Nanos(now.saturating_sub(last))),
            previous: connection.previous,
            transaction: Some(if connection.position > 0 {
                TransactionStatus::InTransaction
            } else {
                TransactionStatus::Idle
            }),
            position: connection.position,
            load: Some(u32::try_from(flying.len()).unwrap()),
            request_bytes: raw.iter().map(|raw| 4 + raw.text().len() as u64).sum(),
            outcome: None,
        };
        let second = now as f64 / 1e9;
        let slow = is_slow(&mut random, &Drawn { facts: &facts, raw: &raw, second });
        let latency = if slow {
            SPLIT_S + 0.1 + random.around(traffic.slow_s)
        } else {
            (0.002 * (random.unit() + random.unit() + random.unit())).min(0.4)
        };
        let ended = now + nanos(latency);
        flying.push(ended);
        facts.latency = Nanos(ended.min(end) - now);
        if ended <= end {
            facts.outcome = Some(ObservedOutcome {
                rows: u64::from(random.below(20)),
                answer_bytes: 100 + u64::from(random.below(2000)),
                error: random.chance(0.02).then(|| ErrorCode::new(b"40001")),
            });
        }
        if ended <= end || facts.latency >= Nanos(nanos(SPLIT_S)) {
            capture.values.push(raw.iter().map(|raw| value(&mut extractor, raw, now, &mut random)).collect());
            capture.facts.push(facts);
            capture.raw.push(raw);
            capture.slow.push(slow);
            capture.number.push(sent);
        }
        sent += 1;
        connection.requests += 1;
        connection.last_end = Some(ended);
        connection.previous = Some(TextId(1 + random.below(6)));
        connection.position = match connection.position {
            0 => u16::from(random.chance(0.3)),
            position if random.chance(0.7) => position + 1,
            _ => 0,
        };
        // Most pauses are short, some long.
        let pause = if random.chance(0.2) { random.around(gap * 4.0) } else { random.around(gap / 4.0) };
        let from = if traffic.closed_loop { ended } else { now };
        if random.chance(traffic.churn) {
            *connection = Connection::new(next_number, connection.server, false);
            next_number += 1;
        }
        queue.push(Reverse((from + nanos(pause), slot)));
    }
    capture
}

struct Connection {
    number: u32,
    server: u32,
    opened_before: bool,
    requests: u32,
    last_end: Option<u64>,
    previous: Option<TextId>,
    position: u16,
}

impl Connection {
    fn new(number: u32, server: u32, opened_before: bool) -> Self {
        Self { number, server, opened_before, requests: 0, last_end: None, previous: None, position: 0 }
    }
}

#[derive(Default)]
struct Sources {
    growing: i64,
    batch: u32,
}

impl Sources {
    fn draw(&mut self, source: Source, random: &mut Random) -> Raw {
        match source {
            Source::Id => Raw::Integer(i64::from(1 + random.below(1_000_000))),
            Source::Growing => {
                self.growing += i64::from(1 + random.below(3));
                Raw::Integer(self.growing)
            }
            // Small ones are frequent.
            Source::Tenant(of) => Raw::Integer(i64::from(1 + random.below(of).min(random.below(of)))),
            Source::Batch(of) => {
                if random.chance(0.02) {
                    self.batch = random.below(of);
                }
                Raw::Integer(i64::from(self.batch))
            }
            Source::Amount => Raw::Decimal(random.log_between(0.5, 5000.0)),
            Source::Text(beginnings) => match random.below(20) {
                0 => Raw::Null,
                1 => Raw::Text(String::new()),
                _ => {
                    let beginning = random.below(beginnings);
                    let rest = random.next() >> (random.below(15) * 4);
                    Raw::Text(format!("{}-{rest:x}", word(beginning)))
                }
            },
            Source::Boolean => Raw::Boolean(random.chance(0.5)),
            Source::Uuid => Raw::Uuid(if random.chance(0.5) { 4 } else { 7 }),
            Source::Time => Raw::SecondsAgo(random.log_between(1.0, 1e6) as i64),
            Source::List => Raw::List(1 + random.below(40) as usize),
            Source::Constant => Raw::Integer(1),
        }
    }
}

/// Three letters, all different for numbers below 17,576.
pub fn word(number: u32) -> String {
    let mixed = number * 7919 % 17_576;
    [mixed / 676, mixed / 26 % 26, mixed % 26]
        .map(|letter| char::from(b'a' + u8::try_from(letter).unwrap()))
        .iter()
        .collect()
}

fn value(extractor: &mut Extractor, raw: &Raw, now: u64, random: &mut Random) -> Value {
    let at = Nanos(now);
    match raw {
        Raw::Null => Value::NULL,
        Raw::Integer(number) => extractor.integer(*number),
        Raw::Decimal(number) => extractor.decimal(*number),
        Raw::Text(text) => extractor.text(text.as_bytes(), at),
        Raw::Boolean(truth) => extractor.boolean(*truth),
        Raw::Uuid(version) => {
            let mut uuid = u128::from(random.next()).to_be_bytes();
            uuid[6] = version << 4 | uuid[6] & 0xf;
            extractor.uuid(uuid)
        }
        Raw::SecondsAgo(seconds) => {
            extractor.time(i64::try_from(now / 1000).unwrap() - seconds * 1_000_000, at)
        }
        Raw::List(elements) => {
            let bytes: Vec<u8> = random.next().to_be_bytes().to_vec();
            extractor.array(*elements, &bytes)
        }
    }
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
