//! Which protocol is taken for which: every recording, whole and damaged in many ways, against every detector. A connection
//! may stay unrecognised; what it must never be is taken for another protocol.
//!
//! `cargo test -p tracer --test confusion -- --nocapture` prints the matrix.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::collections::{BTreeMap, HashMap};

use tracer::event::{Event, SocketId, Transfer, decode};
use tracer::proto::REGISTRY;
use tracer::request::Task;
use tracer::time::Nanos;

mod captures;
#[path = "records/mod.rs"]
mod records;

/// Recordings of protocols that dbtap does not read, by file name.
const FOREIGN: &str = "foreign";
/// What a connection is called that nothing recognised.
const UNDECODED: &str = "(none)";

/// The records of one recording.
type Records = Vec<Vec<u8>>;

/// How a recording is changed before it is shown to the detectors.
struct Damage {
    name: &'static str,
    /// The variants of a recording.
    variants: fn(&[Vec<u8>]) -> Vec<Records>,
}

const DAMAGES: &[Damage] = &[
    Damage { name: "whole", variants: |records| vec![records.to_vec()] },
    Damage { name: "joined late", variants: joined_late },
    Damage { name: "beginnings of transfers only", variants: beginnings },
    Damage { name: "one direction only", variants: one_direction },
    Damage { name: "ends of transfers lost", variants: halves },
];

fn transfer(record: &[u8]) -> Option<Transfer<'_>> {
    match decode(record) {
        Some(Event::Transfer(piece)) => Some(piece),
        _ => None,
    }
}

/// Changes transfers, and keeps everything else.
fn map_transfers(
    records: &[Vec<u8>],
    mut change: impl FnMut(Transfer<'_>) -> Option<Vec<u8>>,
) -> Vec<Vec<u8>> {
    records
        .iter()
        .filter_map(|record| match transfer(record) {
            Some(piece) => change(piece),
            None => Some(record.clone()),
        })
        .collect()
}

/// Without the first transfers of each connection.
fn joined_late(records: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    let skip = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 20, 37, 80];
    skip.into_iter()
        .map(|skip| {
            let mut seen: HashMap<SocketId, usize> = HashMap::new();
            map_transfers(records, |piece| {
                let n = seen.entry(piece.socket).or_default();
                *n += 1;
                (*n > skip).then(|| records::transfer(&piece))
            })
        })
        .collect()
}

/// As a capture with a small limit sees it.
fn beginnings(records: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    [1, 4, 9, 16, 32, 64, 200]
        .into_iter()
        .map(|kept| {
            map_transfers(records, |piece| {
                let (bytes, rest) = piece.bytes.split_at(piece.bytes.len().min(kept));
                let skipped = piece.skipped + rest.len() as u64;
                Some(records::transfer(&Transfer { bytes, skipped, ..piece }))
            })
        })
        .collect()
}

fn one_direction(records: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    [true, false]
        .into_iter()
        .map(|sent| map_transfers(records, |piece| (piece.sent == sent).then(|| records::transfer(&piece))))
        .collect()
}

/// Transfers begin in the middle of what was said.
fn halves(records: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
    [2, 3, 5]
        .into_iter()
        .map(|part| {
            map_transfers(records, |piece| {
                let at = piece.bytes.len() / part;
                let bytes = &piece.bytes[at..];
                let position = piece.position + at as u64;
                Some(records::transfer(&Transfer { bytes, position, ..piece }))
            })
        })
        .collect()
}

/// Connections by what they were taken for, and the requests of those.
fn recognised(records: &[Vec<u8>]) -> BTreeMap<&'static str, (u64, u64)> {
    let mut pipeline = captures::pipeline();
    records.iter().for_each(|record| pipeline.record(record));
    pipeline.tick(Nanos(u64::MAX));
    pipeline.capture_ends(Nanos(u64::MAX));
    let mut taken: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
    for connection in pipeline.connections() {
        let (connections, requests) = taken.entry(connection.protocol().unwrap_or(UNDECODED)).or_default();
        *connections += 1;
        *requests += connection.counted.requests;
    }
    taken
}

/// Name of what was recorded, whether dbtap reads it, and the records.
fn recordings() -> Vec<(String, bool, Vec<Vec<u8>>)> {
    let mut all = Vec::new();
    for folder in REGISTRY.iter().map(|entry| entry.name).chain([FOREIGN]) {
        for path in captures::of(folder) {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let name = if folder == FOREIGN { name } else { folder.to_owned() };
            all.push((name, folder != FOREIGN, captures::load(&path)));
        }
    }
    all
}

#[test]
fn no_protocol_is_taken_for_another() {
    let mut matrix: BTreeMap<(String, &'static str), BTreeMap<&'static str, u64>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let recordings = recordings();
    let foreign = recordings.iter().filter(|(_, known, _)| !known).count();
    assert!(foreign >= 8, "only {foreign} recordings of other protocols were found");
    for (name, known, records) in recordings {
        for damage in DAMAGES {
            for variant in (damage.variants)(&records) {
                for (taken, (connections, requests)) in recognised(&variant) {
                    *matrix.entry((name.clone(), damage.name)).or_default().entry(taken).or_default() +=
                        connections;
                    if taken != UNDECODED && taken != name {
                        wrong
                            .push(format!("{name}, {}: taken for {taken}, {requests} requests", damage.name));
                    }
                    if taken == UNDECODED && known && damage.name == "whole" {
                        wrong
                            .push(format!("{name}: {connections} connections of a recording not recognised"));
                    }
                }
            }
        }
    }
    for ((name, damage), taken) in &matrix {
        let taken: Vec<String> = taken.iter().map(|(taken, n)| format!("{taken} {n}")).collect();
        println!("{name:<14} {damage:<30} {}", taken.join(", "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// xorshift64: Marsaglia, "Xorshift RNGs", 2003.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below.max(1)
    }

    fn byte(&mut self, alphabet: &[u8]) -> u8 {
        alphabet[usize::try_from(self.next(alphabet.len() as u64)).unwrap()]
    }
}

/// Bytes of no protocol: all values, text in lines, mostly zeros, small numbers as in headers.
#[test]
fn random_bytes_are_no_protocol() {
    let all: Vec<u8> = (0..=255).collect();
    let alphabets: [&[u8]; 6] = [
        &all,
        b"etaoin shrdlu\r\n\r\n.,:0123456789",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02\x10a",
        b"\0\x01\x02\x03\x04\x05\x08\x10\x20\xff",
        b"*$+-:%>_,#\r\n\r\n\r\n0123456789OKab",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut wrong = Vec::new();
    for (kind, alphabet) in alphabets.iter().enumerate() {
        for n in 0..2_000 {
            let mut made = Vec::new();
            let mut positions = [0u64; 2];
            for at in 0..1 + random.next(12) {
                let longest = if random.next(4) == 0 { 600 } else { 40 };
                let len = 1 + random.next(longest);
                let bytes: Vec<u8> = (0..len).map(|_| random.byte(alphabet)).collect();
                let sent = random.next(2) == 0;
                let position = &mut positions[usize::from(sent)];
                made.push(records::transfer(&Transfer {
                    socket: SocketId(1),
                    at: Nanos(at * 1000),
                    task: Task::default(),
                    sent,
                    position: *position,
                    bytes: &bytes,
                    skipped: 0,
                    ends_transfer: true,
                    unreadable: false,
                }));
                *position += len;
            }
            for taken in recognised(&made).into_keys().filter(|taken| *taken != UNDECODED) {
                wrong.push(format!("alphabet {kind}, session {n}: taken for {taken}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of 12,000:\n{}", wrong.len(), wrong.join("\n"));
}
