//! Latencies against the client's own clock.

use std::collections::BTreeMap;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, memcached_client};
use tests::latency::assert_as_measured;
use tests::memcached::MemcachedServer;
use tests::whole::{Gaps, complete};

/// What a client in Python may add to the middle one of many calls.
const OWN_WORK_NS: u64 = 2_000_000;

#[test]
fn latencies_are_those_that_the_client_measures() {
    let server = MemcachedServer::start(&[]).unwrap();
    let mut client = memcached_client("timed");
    client.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string());
    let mut client = Driver::start(&mut client).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let report = complete(&dbtap.interrupt().unwrap(), Gaps::default()).unwrap();
    for (text, times) in measured {
        let statement = report.statements.iter().find(|s| s.text == text).unwrap();
        assert_as_measured(statement, times, OWN_WORK_NS);
        let ours = &statement.latency;
        assert!(statement.first_byte.max_ns <= ours.max_ns && statement.first_byte.min_ns > 0, "{text}");
    }
}
