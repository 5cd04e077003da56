//! A capture that begins or ends in the middle, and latencies against the client's own clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tests::dbtap::Dbtap;
use tests::drivers::Driver;
use tests::latency::assert_as_measured;
use tests::redis::RedisServer;
use tests::whole::{Gaps, complete, lines};

use crate::expected::client;
use crate::{alone, shared};

/// What a client in Python may add to the middle one of many calls, and to one of 5 MB.
const OWN_WORK_NS: u64 = 2_000_000;
const OWN_WORK_LARGE_NS: u64 = 40_000_000;

#[test]
fn a_connection_that_is_never_idle_is_joined_and_counted_exactly() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    let mut client = Driver::start(&mut client(&server, "busy")).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let counted: u64 = client.hear().unwrap().parse().unwrap();
    let ended = dbtap.interrupt().unwrap();
    let report = ended.report().unwrap();
    let gaps = Gaps { started_before: report.coverage.started_before, ..Gaps::default() };
    complete(&ended, gaps).unwrap();
    let second = report.statements.iter().find(|s| s.text == "GET second:?").unwrap();
    assert!(counted > 500 && gaps.started_before <= 1, "{:?}", report.coverage);
    assert_eq!(second.count, counted, "{:#?}", lines(&report));
    assert!(report.connections[0].opened_before);
}

#[test]
fn a_command_that_hangs_is_in_flight_with_its_age() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    for (command, text, waits) in
        [("BLPOP jobs:7 0", "BLPOP jobs:?", true), ("DEBUG SLEEP 4", "DEBUG", false)]
    {
        let mut command_line = client(&server, "waits");
        let mut client = Driver::start(command_line.arg(command)).unwrap();
        client.hear_line("ready").unwrap();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        let before = Instant::now();
        client.say("go").unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let ended = dbtap.interrupt().unwrap();
        let most = u64::try_from(before.elapsed().as_nanos()).unwrap();
        let report = complete(&ended, Gaps { in_flight: 1, ..Gaps::default() }).unwrap();
        let [in_flight] = &*report.in_flight else { panic!("{:?}", report.in_flight) };
        let statement = report.statements.iter().find(|s| s.id == in_flight.statement).unwrap();
        assert!(statement.text.starts_with(text) && statement.count == 0, "{statement:?}");
        assert_eq!(statement.waits_by_design, waits);
        assert!((1_000_000_000..most).contains(&in_flight.age_ns), "{in_flight:?}, at most {most}");
    }
}

#[test]
fn latencies_are_those_that_the_client_measures() {
    let _alone = alone();
    let server = RedisServer::start(&[]).unwrap();
    let mut client = Driver::start(&mut client(&server, "timed")).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let report = complete(&dbtap.interrupt().unwrap(), Gaps::default()).unwrap();
    for (text, times) in measured {
        let statement = report.statements.iter().find(|s| s.text.starts_with(&text)).unwrap();
        let own = if text.contains("large") { OWN_WORK_LARGE_NS } else { OWN_WORK_NS };
        assert_as_measured(statement, times, own);
        let ours = &statement.latency;
        if text.starts_with("DEBUG") {
            assert!(ours.min_ns >= 200_000_000, "{text}");
        }
        assert!(statement.first_byte.max_ns <= ours.max_ns && statement.first_byte.min_ns > 0, "{text}");
    }
}
