//! MongoDB's own drivers: for Rust, with each compressor, and the newest PyMongo. And PyMongo with a server that somebody
//! else wrote.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use tests::dbtap::{Dbtap, Ended};
use tests::drivers::{Driver, counting_pymongo, mongodb_rust, newer_pymongo};
use tests::mongodb::{IndependentServer, MongoServer};
use tests::whole::{Gaps, complete, lines};
use tracer::report::model::Report;

use crate::statement;

/// What a client adds to a call, and to one with 400 documents, also on a machine that compiles beside.
const OWN_WORK_NS: u64 = 5_000_000;
const OWN_WORK_LARGE_NS: u64 = 40_000_000;

/// Runs a client that says `ready` and `done`, and then what the server, or it, counted: all and failed.
fn count(client: &mut Command, says_done: bool) -> (Ended, BTreeMap<String, [u64; 2]>) {
    let mut client = Driver::start(client).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let (ended, counted) = if says_done {
        client.hear_line("done").unwrap();
        let ended = dbtap.interrupt().unwrap();
        client.say("count").unwrap();
        (ended, client.hear().unwrap())
    } else {
        let counted = client.hear().unwrap();
        (dbtap.interrupt().unwrap(), counted)
    };
    client.say("end").unwrap();
    client.end().unwrap();
    println!("{counted}");
    (ended, serde_json::from_str(&counted).unwrap())
}

/// The report of a capture without a gap, without a value.
fn complete_without_values(ended: &Ended) -> Report {
    let report = ended.report().unwrap();
    println!("{:#?} {:?}", lines(&report), report.coverage);
    assert!(!ended.text().contains("hunter2") && !ended.stderr.contains("hunter2"), "{}", ended.text());
    let report = complete(ended, Gaps { pushed: report.coverage.pushed, ..Gaps::default() }).unwrap();
    // A driver's monitor may wait for the server during the whole of a short capture: its connection carries nothing.
    for connection in report.connections.iter().filter(|connection| !connection.id.starts_with("idle-")) {
        assert_eq!(connection.protocol.as_deref(), Some("mongodb"), "{connection:?}");
    }
    report
}

/// Requests and their errors by command.
fn by_command(report: &Report) -> BTreeMap<String, [u64; 2]> {
    let mut found = BTreeMap::<String, [u64; 2]>::new();
    for statement in &report.statements {
        let sum = found.entry(statement.operation.clone()).or_default();
        sum[0] += statement.count;
        sum[1] += statement.errors.iter().map(|error| error.count).sum::<u64>();
    }
    found
}

/// Text, requests, rows, the code of the errors and their count.
type Line = (&'static str, u64, u64, Option<(&'static str, u64)>);

#[track_caller]
fn check(report: &Report, expected: &[Line]) {
    for (text, count, rows, error) in expected {
        let found = statement(report, text);
        let errors: Vec<_> = found.errors.iter().map(|e| (e.code.as_str(), e.count)).collect();
        let expected_errors: Vec<_> = error.iter().copied().collect();
        assert_eq!((found.count, found.rows, errors), (*count, *rows, expected_errors), "{text}");
    }
}

/// What both drivers are made to do.
const BOTH: [Line; 6] = [
    ("find shop.users {_id: ?} limit ?", 50, 50, None),
    ("find shop.users {age: {$gte: ?}}", 5, 5 * 101, None),
    ("getMore shop.users", 5, 5 * 299, None),
    ("update shop.users {q: {_id: ?}, u: {$set: {name: ?}}}", 20, 20, None),
    ("insert shop.users [?]", 13, 10, Some(("11000", 3))),
    ("nosuchcommand shop", 3, 0, Some(("CommandNotFound", 3))),
];

const DELETE: &str = "delete shop.users {q: {_id: {$gte: ?}}, limit: ?}";

/// What the server counted, but for so many inserts that it did not answer, and heartbeats.
#[track_caller]
fn check_with_server(report: &Report, mut counted: BTreeMap<String, [u64; 2]>, unanswered: u64) {
    let mut found = by_command(report);
    // The client's own question for the counts came when the capture had ended.
    for own in ["awaited hello", "serverStatus"] {
        counted.remove(own);
    }
    counted.get_mut("insert").unwrap()[0] -= unanswered;
    counted.retain(|_, counts| counts[0] > 0);
    for heartbeat in ["hello", "ismaster", "isMaster"] {
        counted.remove(heartbeat);
        found.remove(heartbeat);
    }
    assert_eq!(found, counted);
}

#[test]
fn the_driver_for_rust_counts_as_the_server_counts() {
    let server = MongoServer::start().unwrap();
    let mut plain = 0;
    for compressors in ["", "?compressors=snappy", "?compressors=zlib", "?compressors=zstd"] {
        println!("{compressors}");
        let mut client = mongodb_rust("counted").unwrap();
        let (ended, counted) = count(client.env("MONGODB_URI", server.uri() + compressors), true);
        let report = complete_without_values(&ended);
        check(&report, &BOTH);
        check(
            &report,
            &[
                ("find shop.users {}", 1, 10, None),
                ("killCursors shop.users", 1, 0, None),
                (DELETE, 1, 10, None),
                ("distinct shop.users age {}", 1, 90, None),
            ],
        );
        // Each new connection of the driver's pool greets with the old command, uncompressed.
        assert_eq!(by_command(&report)["isMaster"], counted["isMaster"]);
        check_with_server(&report, counted, 0);
        let bytes = report.coverage.bytes_seen;
        assert!(compressors.is_empty() || bytes < plain * 2 / 3, "compressed {bytes}, else {plain}");
        plain = plain.max(bytes);
    }
}

#[test]
fn the_newest_pymongo_counts_as_the_server_counts() {
    let server = MongoServer::start().unwrap();
    for compressors in ["", "?compressors=zlib"] {
        println!("{compressors}");
        let mut client = newer_pymongo("counted").unwrap();
        let (ended, counted) = count(client.env("MONGODB_URI", server.uri() + compressors), true);
        let report = complete_without_values(&ended);
        check(&report, &BOTH);
        // Case 42: those that were not answered count where they are seen again.
        check(&report, &[(DELETE, 1, 10 + 7, None)]);
        check_with_server(&report, counted, 7);
    }
}

/// Nothing of this server was written for dbtap, and nothing of dbtap by looking at it.
#[test]
fn with_an_independent_server_counts_are_those_of_the_driver() {
    let server = IndependentServer::start().unwrap();
    let mut client = counting_pymongo().unwrap();
    let (ended, counted) = count(client.env("MONGODB_URI", server.uri()), false);
    let report = complete_without_values(&ended);
    check(&report, &BOTH[..2]);
    let group = "aggregate shop.users [{$match: {age: {$gt: ?}}}, {$group: {_id: ?, people: {$sum: ?}}}, {$sort: {people: ?}}]";
    check(
        &report,
        &[
            ("getMore shop.users", 15, 5 * 299, None),
            ("update shop.users {q: {_id: ?}, u: {$set: {name: ?}}}", 20, 20, None),
            ("insert shop.users [?]", 14, 11, Some(("11000", 3))),
            (group, 1, 86, None),
            ("distinct shop.users age", 1, 90, None),
            ("find shop.users {}", 1, 10, None),
        ],
    );
    let mut found = by_command(&report);
    // Writes that fail one by one are no failed command to the driver.
    found.get_mut("insert").unwrap()[1] -= 3;
    found.retain(|command, _| !["hello", "ismaster"].contains(&command.as_str()));
    assert_eq!(found, counted);
}

#[test]
fn latencies_are_those_that_the_driver_for_rust_measures() {
    let server = MongoServer::start().unwrap();
    let mut client = Driver::start(mongodb_rust("timed").unwrap().env("MONGODB_URI", server.uri())).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let report = complete_without_values(&dbtap.interrupt().unwrap());
    for (text, mut times) in measured {
        times.sort_unstable();
        let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        let statement = statement(&report, &text);
        let ours = &statement.latency;
        let what = format!(
            "{text}: client {min} {median} {max}, dbtap {} {} {}",
            ours.min_ns, ours.p50_ns, ours.max_ns
        );
        println!("{what}");
        assert_eq!(statement.count, times.len() as u64, "{what}");
        // Never more than the client waited.
        assert!(ours.min_ns <= min && ours.max_ns <= max, "{what}");
        let own = if text.contains("{}") { OWN_WORK_LARGE_NS } else { OWN_WORK_NS };
        assert!(ours.p50_ns + own + median / 10 >= median, "{what}");
        assert!(!text.starts_with("sleep") || ours.min_ns >= 300_000_000, "{what}");
    }
}

/// Case 66.
#[test]
fn a_request_of_the_driver_for_rust_that_is_not_answered_is_in_flight() {
    let server = MongoServer::start().unwrap();
    let mut client =
        Driver::start(mongodb_rust("waiting").unwrap().env("MONGODB_URI", server.uri())).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    client.hear_line("sent").unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let report = dbtap.interrupt().unwrap().report().unwrap();
    assert_eq!((report.coverage.in_flight, report.coverage.answers_unmatched), (1, 0), "{report:?}");
    assert!(report.in_flight[0].age_ns >= 500_000_000, "{:?}", report.in_flight);
    client.hear_line("done").unwrap();
}
