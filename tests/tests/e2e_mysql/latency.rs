//! Latencies against the client's own clock, as for PostgreSQL: a report counts from the kernel having taken the request to
//! the client having read the answer. Both lie inside the client's call, so no figure may exceed the client's.

use std::collections::BTreeMap;
use std::time::Duration;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, mysql_client};
use tests::whole::{Gaps, complete};

use crate::expected::canonical;
use crate::server::{Database, alone, nanos};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b varchar(100)); \
                      INSERT INTO t SELECT seq, CONCAT('row ', seq) FROM seq_1_to_1000";

/// What a client in Python may add to a call, and to the decoding of 5 MB.
const OWN_WORK: Duration = Duration::from_millis(2);
const OWN_WORK_LARGE: Duration = Duration::from_millis(40);

#[test]
fn latencies_of_pymysql_are_those_that_it_measures() {
    compare("pymysql", "timed_pymysql");
}

#[test]
fn latencies_of_mysqlclient_are_those_that_it_measures() {
    compare("MySQLdb", "timed_mysqldb");
}

fn compare(driver: &str, name: &'static str) {
    let _alone = alone();
    let database = Database::new(name, SCHEMA);
    let mut client = Driver::start(&mut database.client(mysql_client(driver, "timed"))).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let ended = dbtap.interrupt().unwrap();
    client.say("end").unwrap();
    client.end().unwrap();
    let report = complete(&ended, Gaps::default()).unwrap();
    for (sql, mut times) in measured {
        times.sort_unstable();
        let count = times.len() as u64;
        let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        let sum: u64 = times.iter().sum();
        let text = canonical(&sql.replace("%s", "?"));
        let statement = report.statements.iter().find(|s| canonical(&s.text) == text).unwrap();
        let ours = &statement.latency;
        let what = format!(
            "{sql}: client {min} {median} {max} sum {sum}, dbtap {} {} {} sum {}",
            ours.min_ns, ours.p50_ns, ours.max_ns, ours.sum_ns
        );
        println!("{what}");
        assert_eq!(statement.count, count, "{what}");
        // Never more than the client waited. The percentile is exact within 0.1 %.
        assert!(ours.min_ns <= min && ours.max_ns <= max && ours.sum_ns <= sum, "{what}");
        assert!(ours.p50_ns <= median + median / 1_000, "{what}");
        // And not less, but for the client's own work.
        let own = nanos(if sql.contains("REPEAT") { OWN_WORK_LARGE } else { OWN_WORK });
        assert!(ours.min_ns + own + min / 10 >= min, "{what}");
        assert!(ours.p50_ns + own + median / 10 >= median, "{what}");
        if sql.contains("SLEEP") {
            let least = if sql.ends_with("1") { 200_000_000 } else { 20_000_000 };
            assert!(ours.min_ns >= least, "{what}");
        }
        assert!(statement.first_byte.max_ns <= ours.max_ns && statement.first_byte.min_ns > 0, "{what}");
    }
}
