//! Latencies against the client's own clock.

use std::collections::BTreeMap;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, memcached_client};
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
    for (text, mut times) in measured {
        times.sort_unstable();
        let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        let sum: u64 = times.iter().sum();
        let statement = report.statements.iter().find(|s| s.text == text).unwrap();
        let ours = &statement.latency;
        let what = format!(
            "{text}: client {min} {median} {max} sum {sum}, dbtap {} {} {} sum {}",
            ours.min_ns, ours.p50_ns, ours.max_ns, ours.sum_ns
        );
        println!("{what}");
        assert_eq!(statement.count, times.len() as u64, "{what}");
        // Never more than the client waited. The percentile is exact within 0.1 %.
        assert!(ours.min_ns <= min && ours.max_ns <= max && ours.sum_ns <= sum, "{what}");
        assert!(ours.p50_ns <= median + median / 1_000, "{what}");
        assert!(ours.p50_ns + OWN_WORK_NS + median / 10 >= median, "{what}");
        assert!(statement.first_byte.max_ns <= ours.max_ns && statement.first_byte.min_ns > 0, "{what}");
    }
}
