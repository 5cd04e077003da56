//! MongoDB's protocol from end to end: PyMongo and a server of its own, what `dbtap` reports of the driver's process held
//! against what the server counted, what the client did, and the client's own clock.
//!
//! Needs root, Debian's python3-pymongo, the newer one in `.tools/python`, and the built package `rust-drivers`; a missing one fails the test. The server is this package's own
//! (`tests::mongodb`): what only MongoDB itself could show is listed in docs/limitations.md.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod drivers;

use std::collections::BTreeMap;
use std::time::Duration;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, pymongo};
use tests::mongodb::MongoServer;
use tracer::report::model::{Report, Statement};

/// What a client in Python may add to a call, also on a machine that compiles beside.
const OWN_WORK: Duration = Duration::from_millis(5);

fn statement<'r>(report: &'r Report, text: &str) -> &'r Statement {
    let texts: Vec<&str> = report.statements.iter().map(|statement| statement.text.as_str()).collect();
    let found = report.statements.iter().find(|statement| statement.text == text);
    found.unwrap_or_else(|| panic!("{text} is not among {texts:?}"))
}

#[test]
fn cases_42_and_44_counts_are_those_of_the_client_and_of_the_server() {
    let server = MongoServer::start().unwrap();
    for compressors in ["", "?compressors=zlib"] {
        let mut client =
            Driver::start(pymongo("counted").env("MONGODB_URI", server.uri() + compressors)).unwrap();
        client.hear_line("ready").unwrap();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        client.say("go").unwrap();
        client.hear_line("done").unwrap();
        let ended = dbtap.interrupt().unwrap();
        client.say("count").unwrap();
        let counted: BTreeMap<String, [u64; 2]> = serde_json::from_str(&client.hear().unwrap()).unwrap();
        client.say("end").unwrap();
        client.end().unwrap();
        let report = ended.report().unwrap();
        assert_eq!(ended.code, Some(0), "{:?}", report.coverage);
        let shown = String::from_utf8(ended.stdout).unwrap();
        assert!(!shown.contains("hunter2"), "{shown}");

        // The client's own list.
        for (text, count) in [
            ("find shop.users {_id: ?} limit ?", 50),
            ("find shop.users {age: {$gte: ?}}", 5),
            ("getMore shop.users", 5),
            ("update shop.users {q: {_id: ?}, u: {$set: {name: ?}}}", 20),
            ("insert shop.users [?]", 13),
            ("delete shop.users {q: {_id: {$gte: ?}}, limit: ?}", 1),
            ("nosuchcommand shop", 3),
        ] {
            assert_eq!(statement(&report, text).count, count, "{text}");
        }
        assert_eq!(report.coverage.requests, 97, "{:?}", report.statements);
        assert_eq!(statement(&report, "find shop.users {age: {$gte: ?}}").rows, 5 * 101);
        assert_eq!(statement(&report, "getMore shop.users").rows, 5 * 299);
        assert_eq!(statement(&report, "insert shop.users [?]").rows, 10);
        let errors = |text: &str| -> Vec<(String, u64)> {
            statement(&report, text).errors.iter().map(|error| (error.code.clone(), error.count)).collect()
        };
        assert_eq!(errors("insert shop.users [?]"), [("11000".to_owned(), 3)]);
        assert_eq!(errors("nosuchcommand shop"), [("CommandNotFound".to_owned(), 3)]);

        // The server's. Writes that it did not answer are no requests.
        for (command, unanswered) in
            [("find", 0), ("getMore", 0), ("update", 0), ("insert", 7), ("delete", 0), ("nosuchcommand", 0)]
        {
            let ours = report.statements.iter().filter(|statement| statement.operation == command);
            let ours: (u64, u64) = ours.fold((0, 0), |(count, failed), statement| {
                let errors: u64 = statement.errors.iter().map(|error| error.count).sum();
                (count + statement.count, failed + errors)
            });
            let [total, failed] = counted[command];
            assert_eq!(ours, (total - unanswered, failed), "{command}");
        }
        // Heartbeats went by all the time.
        assert!(counted["awaited hello"][0] > 0, "{counted:?}");
        assert!(!report.statements.iter().any(|statement| statement.operation == "hello"));
        assert_eq!(report.coverage.answers_unmatched, 0, "{:?}", report.coverage);
        assert!(
            report.connections.iter().all(|connection| connection.protocol.as_deref() == Some("mongodb"))
        );
    }
}

#[test]
fn latencies_are_those_that_the_client_measures() {
    let server = MongoServer::start().unwrap();
    let mut client = Driver::start(pymongo("timed").env("MONGODB_URI", server.uri())).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let ended = dbtap.interrupt().unwrap();
    client.say("end").unwrap();
    client.end().unwrap();
    let report = ended.report().unwrap();
    assert_eq!(ended.code, Some(0), "{:?}", report.coverage);
    let own = u64::try_from(OWN_WORK.as_nanos()).unwrap();
    for (text, mut times) in measured {
        times.sort_unstable();
        let count = times.len() as u64;
        let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        let sum: u64 = times.iter().sum();
        let statement = statement(&report, &text);
        let ours = &statement.latency;
        let what = format!(
            "{text}: client {min} {median} {max} sum {sum}, dbtap {} {} {} sum {}",
            ours.min_ns, ours.p50_ns, ours.max_ns, ours.sum_ns
        );
        println!("{what}");
        assert_eq!(statement.count, count, "{what}");
        // Never more than the client waited.
        assert!(ours.min_ns <= min && ours.max_ns <= max && ours.sum_ns <= sum, "{what}");
        // And not less, but for the client's own work.
        assert!(ours.min_ns + own + min / 10 >= min, "{what}");
        assert!(ours.p50_ns + own + median / 10 >= median, "{what}");
        if text.starts_with("sleep") {
            assert!(ours.min_ns >= 20_000_000, "{what}");
        }
    }
}

#[test]
fn case_66_a_request_that_is_not_answered_is_in_flight() {
    let server = MongoServer::start().unwrap();
    let mut client = Driver::start(pymongo("waiting").env("MONGODB_URI", server.uri())).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    client.hear_line("sent").unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let ended = dbtap.interrupt().unwrap();
    client.hear_line("done").unwrap();
    client.say("end").unwrap();
    client.end().unwrap();
    let report = ended.report().unwrap();
    assert_eq!(report.coverage.in_flight, 1, "{:?}", report.in_flight);
    assert!(report.in_flight[0].age_ns >= 500_000_000, "{:?}", report.in_flight);
}
