//! Latencies against the client's own clock.
//!
//! A report counts from the kernel having taken the request to the client having read the answer. Both lie inside the
//! client's call, so no figure may exceed the client's. What the client adds is its own work: building the request, waking
//! up, decoding the answer. The middle one of many calls shows that work without the machine's hiccups, so it gets a
//! narrow margin; means and sums get a wider one.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, psycopg};

use crate::expected::canonical;
use crate::server::{Database, alone, nanos};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b text); \
                      INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 1000) n";

/// What a client in Python or in a debug build may add to a call, and to the decoding of 5 MB.
const OWN_WORK: Duration = Duration::from_millis(2);
const OWN_WORK_LARGE: Duration = Duration::from_millis(25);

#[test]
fn latencies_of_psycopg_are_those_that_it_measures() {
    let _alone = alone();
    let database = Database::new("timed_psycopg", SCHEMA);
    compare(&mut psycopg("timed", &database.conninfo()));
}

#[test]
fn latencies_of_tokio_postgres_are_those_that_it_measures() {
    let _alone = alone();
    let database = Database::new("timed_tokio", SCHEMA);
    let client = env!("CARGO_BIN_EXE_tokio-postgres-client");
    compare(Command::new(client).args(["timed", &database.conninfo()]));
}

#[track_caller]
fn compare(client: &mut Command) {
    let mut client = Driver::start(client).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let ended = dbtap.interrupt().unwrap();
    client.say("end").unwrap();
    client.end().unwrap();
    let report = ended.report().unwrap();
    assert_eq!(ended.code, Some(0), "{:?}", report.coverage);
    for (sql, mut times) in measured {
        times.sort_unstable();
        let count = times.len() as u64;
        let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        let sum: u64 = times.iter().sum();
        let text = canonical(&sql.replace("%s", "$1"));
        let statement = report.statements.iter().find(|s| canonical(&s.text) == text).unwrap();
        let ours = &statement.latency;
        let what = format!(
            "{sql}: client {min} {median} {max} sum {sum}, dbtap {} {} {} sum {}",
            ours.min_ns, ours.p50_ns, ours.max_ns, ours.sum_ns
        );
        println!("{what}");
        assert_eq!(statement.count, count, "{what}");
        assert_eq!(ours.mean_ns, ours.sum_ns / count, "{what}");
        // Never more than the client waited. The percentile is exact within 0.1 %.
        assert!(ours.min_ns <= min && ours.max_ns <= max && ours.sum_ns <= sum, "{what}");
        assert!(ours.p50_ns <= median + median / 1_000, "{what}");
        // And not less, but for the client's own work.
        let large = sql.contains("repeat");
        let own = nanos(if large { OWN_WORK_LARGE } else { OWN_WORK });
        assert!(ours.min_ns + own + min / 10 >= min, "{what}");
        assert!(ours.p50_ns + own + median / 10 >= median, "{what}");
        assert!(ours.sum_ns + count * 3 * own + sum / 5 >= sum, "{what}");
        if sql.contains("pg_sleep") {
            assert!(ours.min_ns >= 20_000_000, "{what}");
        }
        assert!(statement.first_byte.max_ns <= ours.max_ns && statement.first_byte.min_ns > 0, "{what}");
    }
}
