//! Recorded traffic of real programs through the whole path: the same report each time, whatever the records' shape.
//! Runs without root and without the kernel part.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use tracer::event::{Event, SocketId, Transfer, decode};
use tracer::pipeline::Pipeline;
use tracer::proto::REGISTRY;
use tracer::time::Nanos;

mod captures;
#[path = "../../fuzz/src/lib.rs"]
#[allow(dead_code, reason = "only the list of targets matters here")]
mod fuzz;

use captures::{Observed, Seen, observe};
use fuzz::records;

/// What the report would say, in text: only what does not depend on when it was made.
fn summary(records: &[Vec<u8>]) -> String {
    let mut pipeline: Pipeline = captures::pipeline();
    for record in records {
        pipeline.record(record);
    }
    pipeline.tick(Nanos(u64::MAX));
    pipeline.capture_ends(Nanos(u64::MAX));
    let mut text = String::new();
    let in_flight = pipeline.in_flight(Nanos(u64::MAX));
    let mut statements = pipeline.aggregator().statements(pipeline.texts());
    statements.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
    for statement in &statements {
        let errors: Vec<String> =
            statement.errors.iter().map(|error| format!(" {}x{}", error.count, error.code)).collect();
        let latency = &statement.latency;
        writeln!(
            text,
            "{:>4} requests{}, {} rows, {} + {} bytes, max {} ns, sum {} ns, {}: {}",
            statement.count,
            errors.concat(),
            statement.rows,
            statement.request_bytes,
            statement.answer_bytes,
            latency.max_ns,
            latency.sum_ns,
            statement.database.as_deref().unwrap_or("?"),
            statement.text
        )
        .unwrap();
    }
    for open in &in_flight {
        writeln!(text, "in flight on connection {}, since {} ns", open.connection, open.request.started_at.0)
            .unwrap();
    }
    let (totals, connections) = pipeline.totals();
    let (events, damaged) = pipeline.events();
    let counts = totals.protocol;
    writeln!(
        text,
        "{events} events, {damaged} damaged, {connections} connections, {} requests",
        totals.requests
    )
    .unwrap();
    writeln!(
        text,
        "{} bytes seen, {} captured, {} unreadable, {} gaps, {} wrong guesses",
        totals.bytes_seen, totals.bytes_captured, totals.bytes_unreadable, totals.gaps, totals.wrong_guesses
    )
    .unwrap();
    writeln!(text, "{counts:?}").unwrap();
    let mut connections: Vec<_> = pipeline.connections().collect();
    connections.sort_by_key(|connection| connection.id);
    for connection in connections {
        let session = connection.session();
        let user = session.and_then(|session| session.user.as_deref()).unwrap_or("?");
        let protocol = connection.protocol().unwrap_or("undecoded");
        let requests = connection.counted.requests;
        let ended = if connection.ended() { "ended" } else { "open" };
        writeln!(text, "connection {}: {protocol}, user {user}, {requests} requests, {ended}", connection.id)
            .unwrap();
    }
    text
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn all() -> Vec<(String, Vec<Vec<u8>>)> {
    let paths = REGISTRY.iter().flat_map(|entry| captures::of(entry.name));
    paths.map(|path| (name(&path), captures::load(&path))).collect()
}

/// A protocol without recorded traffic of a real program, or without its fuzz targets, is not finished.
#[test]
fn every_protocol_has_captures_and_fuzz_targets() {
    for entry in REGISTRY {
        assert!(!captures::of(entry.name).is_empty(), "tests/captures/{} holds no recording", entry.name);
        let fuzzed = fuzz::TARGETS.iter().any(|target| target.protocol == Some(entry.name));
        assert!(fuzzed, "{} has no fuzz target", entry.name);
    }
}

/// Set DBTAP_WRITE_EXPECTED to write the files anew; then read every difference.
#[test]
fn captures_give_their_report() {
    let mut different = Vec::new();
    for path in REGISTRY.iter().flat_map(|entry| captures::of(entry.name)) {
        let records = captures::load(&path);
        assert!(!records.is_empty(), "{}", path.display());
        assert!(std::fs::metadata(&path).unwrap().len() <= 200 << 10, "{} is too large", path.display());
        let got = summary(&records);
        let beside = path.with_extension("expected.txt");
        if std::env::var_os("DBTAP_WRITE_EXPECTED").is_some() {
            std::fs::write(&beside, &got).unwrap();
        }
        if std::fs::read_to_string(&beside).unwrap_or_default() != got {
            different.push(format!("{}:\n{got}", beside.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn both_ways_through_see_the_same_requests() {
    for (name, records) in all() {
        let observed = observe(records.iter().map(Vec::as_slice));
        let mut pipeline = captures::pipeline();
        records.iter().for_each(|record| pipeline.record(record));
        pipeline.tick(Nanos(u64::MAX));
        pipeline.capture_ends(Nanos(u64::MAX));
        assert_eq!(observed.requests.len() as u64, pipeline.totals().0.requests, "{name}");
    }
}

fn piece(record: &[u8]) -> Option<Transfer<'_>> {
    match decode(record) {
        Some(Event::Transfer(piece)) => Some(piece),
        _ => None,
    }
}

/// The socket that a record is about.
fn socket(record: &[u8]) -> Option<SocketId> {
    match decode(record)? {
        Event::Transfer(piece) => Some(piece.socket),
        Event::Facts(socket, _) | Event::SocketEnd { socket, .. } => Some(socket),
        Event::Process { .. } => None,
    }
}

fn seen(records: &[Vec<u8>]) -> Observed {
    observe(records.iter().map(Vec::as_slice))
}

/// Cuts a piece in two behind its first `at` bytes.
fn cut(record: &[u8], at: usize) -> Vec<Vec<u8>> {
    let Some(whole) = piece(record).filter(|piece| at > 0 && at < piece.bytes.len()) else {
        return vec![record.to_vec()];
    };
    let (head, tail) = whole.bytes.split_at(at);
    let first = Transfer { bytes: head, skipped: 0, ends_transfer: false, ..whole };
    let second = Transfer { bytes: tail, position: whole.position + at as u64, ..whole };
    vec![records::transfer(&first), records::transfer(&second)]
}

/// Without what merging two pieces changes: when the bytes of the first moved.
fn timeless(observed: &Observed) -> Vec<Seen> {
    let forget = |seen: &Seen| Seen { started_ns: 0, first_byte_ns: 0, ended_ns: 0, ..seen.clone() };
    observed.requests.iter().map(forget).collect()
}

/// Every piece cut in two, in 31 ways: the same requests, to the nanosecond.
#[test]
fn cutting_pieces_changes_nothing() {
    for (name, records) in all() {
        let whole = seen(&records);
        for at in 1..32 {
            let pieces: Vec<Vec<u8>> = records.iter().flat_map(|record| cut(record, at)).collect();
            assert_eq!(seen(&pieces), whole, "{name}, cut behind byte {at}");
        }
    }
}

/// Byte for byte.
#[test]
fn single_bytes_change_nothing() {
    for (name, records) in all() {
        let whole = seen(&records);
        let mut pieces = Vec::new();
        for record in &records {
            let mut rest = vec![record.clone()];
            while let Some(last) = rest.pop() {
                let mut parts = cut(&last, 1);
                rest.extend((parts.len() > 1).then(|| parts.remove(1)));
                pieces.append(&mut parts);
            }
        }
        assert_eq!(seen(&pieces), whole, "{name}");
    }
}

/// Neighbouring pieces of one direction as one piece, at the time of the last.
#[test]
fn merging_pieces_changes_only_times() {
    for (name, records) in all() {
        let whole = seen(&records);
        let halves: Vec<Vec<u8>> = records.iter().flat_map(|record| cut(record, record.len() / 3)).collect();
        for records in [&records, &halves] {
            let mut merged: Vec<Vec<u8>> = Vec::new();
            for record in records {
                let joined = merged.last().and_then(|last| join(last, record));
                match joined {
                    Some(joined) => *merged.last_mut().expect("there is one") = joined,
                    None => merged.push(record.clone()),
                }
            }
            assert!(merged.len() <= records.len());
            assert_eq!(timeless(&seen(&merged)), timeless(&whole), "{name}");
        }
    }
}

fn join(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let (first, second) = (piece(first)?, piece(second)?);
    let follows = first.socket == second.socket
        && first.sent == second.sent
        && first.skipped == 0
        && first.position + first.len() == second.position
        && first.bytes.len() + second.bytes.len() < 16_000;
    follows.then(|| {
        let bytes = [first.bytes, second.bytes].concat();
        records::transfer(&Transfer { bytes: &bytes, position: first.position, ..second })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any piece cut at any byte, again and again.
    #[test]
    fn any_cut_changes_nothing(seed: u64, capture: prop::sample::Index) {
        let all = all();
        let (name, records) = capture.get(&all);
        let mut random = seed | 1;
        let mut next = move |below: usize| {
            // xorshift64: Marsaglia, "Xorshift RNGs", 2003.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % 1_000_003).unwrap() % below.max(1)
        };
        let pieces: Vec<Vec<u8>> =
            records.iter().flat_map(|record| cut(record, next(record.len()))).flat_map(|record| cut(&record, 2)).collect();
        prop_assert_eq!(seen(&pieces), seen(records), "{}", name);
    }

    /// Neighbours of different sockets may change places: CPUs hand in their records side by side.
    #[test]
    fn the_order_of_connections_changes_nothing(swaps in prop::collection::vec(any::<prop::sample::Index>(), 1..400), capture: prop::sample::Index) {
        let all = all();
        let (name, records) = capture.get(&all);
        let mut shuffled = records.clone();
        for swap in swaps {
            let at = swap.index(shuffled.len() - 1);
            let sockets = (socket(&shuffled[at]), socket(&shuffled[at + 1]));
            if matches!(sockets, (Some(a), Some(b)) if a != b) {
                shuffled.swap(at, at + 1);
            }
        }
        prop_assert_eq!(seen(&shuffled), seen(records), "{}", name);
    }

    /// Neighbours of the same connection too, as long as the lost order can be told from the positions. (Case 59.)
    #[test]
    fn the_order_within_a_direction_changes_nothing(at: prop::sample::Index, capture: prop::sample::Index) {
        let all = all();
        let (name, records) = capture.get(&all);
        let pieces: Vec<Vec<u8>> = records.iter().flat_map(|record| cut(record, record.len() / 3)).collect();
        let at = at.index(pieces.len() - 1);
        let mut swapped = pieces.clone();
        if let (Some(a), Some(b)) = (piece(&pieces[at]), piece(&pieces[at + 1]))
            && a.socket == b.socket
            && a.sent == b.sent
        {
            swapped.swap(at, at + 1);
        }
        prop_assert_eq!(seen(&swapped), seen(records), "{}", name);
    }
}

/// Every single record lost, one at a time: no panic, the gap is counted where anything shows it, and from the next quiet
/// boundary on every request is there, exactly. (Case 61.)
#[test]
fn a_lost_record_costs_only_what_it_touches() {
    for (name, records) in all() {
        let whole = seen(&records);
        for lost in 0..records.len() {
            let mut left = records.clone();
            left.remove(lost);
            let got = seen(&left);
            let Some(gone) = piece(&records[lost]) else { continue };
            let later = |record: &&Vec<u8>| {
                piece(record).is_some_and(|piece| piece.socket == gone.socket && piece.sent == gone.sent)
            };
            let shows = records[lost + 1..].iter().any(|record| later(&record));
            assert_eq!(got.gaps, u64::from(shows), "{name}, without record {lost}");
            let Some(from) = quiet_boundary(&records, lost, gone.socket) else { continue };
            let exact = |observed: &Observed| -> Vec<Seen> {
                let requests = observed.requests.iter();
                requests.filter(|r| r.socket == gone.socket.0 && r.started_ns >= from).map(nameless).collect()
            };
            assert_eq!(exact(&got), exact(&whole), "{name}, without record {lost}, from {from} ns on");
            let others = |observed: &Observed| -> Vec<Seen> {
                observed.requests.iter().filter(|r| r.socket != gone.socket.0).cloned().collect()
            };
            assert_eq!(others(&got), others(&whole), "{name}, without record {lost}: other connections");
        }
    }
}

/// A text whose Parse was lost is not known by right.
fn nameless(seen: &Seen) -> Seen {
    Seen { text: String::new(), ..seen.clone() }
}

/// When the client next speaks after an answer that ends with ReadyForQuery, behind the lost record.
fn quiet_boundary(records: &[Vec<u8>], lost: usize, socket: SocketId) -> Option<u64> {
    let gone = piece(&records[lost])?;
    let client_sends = client_sends(records, socket)?;
    let mut ready = false;
    let mut detected = false;
    for piece in records[lost + 1..].iter().filter_map(|record| piece(record)).filter(|p| p.socket == socket)
    {
        if piece.sent == client_sends {
            if ready && detected {
                return Some(piece.at.0);
            }
            ready = false;
        } else {
            let tail = piece.bytes.last_chunk::<6>();
            ready = piece.skipped == 0 && tail.is_some_and(|tail| tail[..5] == *b"Z\0\0\0\x05");
        }
        // The piece that shows the gap may itself begin inside a message.
        detected |= piece.sent == gone.sent;
    }
    None
}

/// True: the traced process is the client, which speaks first.
fn client_sends(records: &[Vec<u8>], socket: SocketId) -> Option<bool> {
    records
        .iter()
        .filter_map(|record| piece(record))
        .find(|piece| piece.socket == socket)
        .map(|piece| piece.sent)
}

/// A capture that begins at any record: no panic, and nothing is seen that was not there.
#[test]
fn joining_anywhere_invents_nothing() {
    for (name, records) in all() {
        let known = seen(&records);
        let step = (records.len() / 100).max(1);
        for from in (0..records.len()).step_by(step) {
            let got = seen(&records[from..]);
            for request in &got.requests {
                let same = |r: &&Seen| {
                    r.socket == request.socket && r.ended_ns == request.ended_ns && r.rows == request.rows
                };
                assert!(known.requests.iter().any(|r| same(&r)), "{name}, from record {from}: {request:?}");
            }
        }
    }
}
