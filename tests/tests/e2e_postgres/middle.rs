//! A capture that begins or ends in the middle: pooled connections, requests under way, clients that give up.

use std::time::{Duration, Instant};

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, psycopg};

use crate::expected::{Gaps, check_with};
use crate::server::{Database, nanos, server, shared};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b text); \
                      INSERT INTO t SELECT n, 'row ' || n FROM generate_series(0, 999) n";

#[test]
fn a_pooled_connection_that_only_executes_counts_from_the_first_request_on() {
    let _shared = shared();
    let database = Database::new("pooled", SCHEMA);
    let mut client = Driver::start(&mut psycopg("pooled", &database.conninfo())).unwrap();
    client.hear_line("ready").unwrap();
    let before = database.counted_now();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    client.hear_line("done").unwrap();
    let ended = dbtap.interrupt().unwrap();
    client.say("end").unwrap();
    client.end().unwrap();
    let counted = database.counted().since(&before);
    let sql = "SELECT a, b FROM t WHERE a = $1";
    assert_eq!((counted.count(sql), counted.total()), (500, 500), "{counted:?}");
    // Case 9: the text was sent before the capture; the name is all there is.
    let name = "(prepared before capture) _pg3_0";
    let expected = counted.without(sql).exactly(name, 500, 500);
    let report = check_with(&ended, &expected, Gaps { statements_unnamed: 500, ..Gaps::default() });
    let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
    assert!(connection.opened_before);
    assert_eq!((connection.user.as_deref(), connection.database.as_deref()), (None, None));
}

/// Runs one statement of psycopg's mode `sleep`; gives the client's own time for it and the error it got.
fn finish(client: &mut Driver) -> (u64, Option<String>) {
    let said: serde_json::Value = serde_json::from_str(&client.hear().unwrap()).unwrap();
    client.say("end").unwrap();
    (said["ns"].as_u64().unwrap(), said["failed"].as_str().map(str::to_owned))
}

fn sleeper(database: &Database, sql: &str) -> Driver {
    let mut command = psycopg("sleep", &database.conninfo());
    let client = Driver::start(command.arg(sql)).unwrap();
    client.hear_line("ready").unwrap();
    client
}

#[test]
fn three_seconds_read_as_three_seconds_and_not_more_than_the_client_waited() {
    let _shared = shared();
    let database = Database::new("sleep", "");
    let sql = "SELECT pg_sleep(3)";
    let mut client = sleeper(&database, sql);
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    client.hear_line("sent").unwrap();
    let (client_ns, failed) = finish(&mut client);
    assert_eq!(failed, None);
    let report = dbtap.interrupt().unwrap().report().unwrap();
    let [statement] = &*report.statements else { panic!("{:?}", report.statements) };
    assert_eq!((&*statement.text, statement.count), ("SELECT pg_sleep(?)", 1));
    for ns in [statement.latency.min_ns, statement.latency.max_ns, statement.first_byte.max_ns] {
        assert!((3_000_000_000..client_ns).contains(&ns), "{ns} ns, the client says {client_ns}");
    }
    assert_eq!(statement.latency.sum_ns, statement.latency.max_ns);
}

#[test]
fn a_statement_that_still_runs_is_in_flight_with_its_text_and_age() {
    let _shared = shared();
    let database = Database::new("flight", "");
    let mut client = sleeper(&database, "SELECT pg_sleep(600), 'x'");
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    let before = Instant::now();
    client.say("go").unwrap();
    client.hear_line("sent").unwrap();
    // The server's own clock gives the lower bound: it had the statement then.
    let running = "SELECT round(extract(epoch FROM clock_timestamp() - query_start) * 1e9) FROM pg_stat_activity \
                   WHERE datname = 'flight' AND state = 'active'";
    let runs_for = || server().psql(running).unwrap().trim().parse::<u64>().unwrap_or(0);
    let deadline = Instant::now() + Duration::from_secs(20);
    while runs_for() < 1_000_000_000 {
        assert!(Instant::now() < deadline, "it does not run");
        std::thread::sleep(Duration::from_millis(100));
    }
    let least = runs_for();
    let ended = dbtap.interrupt().unwrap();
    let most = nanos(before.elapsed());
    let report = ended.report().unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let [in_flight] = &*report.in_flight else { panic!("{:?}", report.in_flight) };
    let statement = report.statements.iter().find(|statement| statement.id == in_flight.statement).unwrap();
    assert_eq!((&*statement.text, statement.count), ("SELECT pg_sleep(?), ?", 0));
    assert!((least..most).contains(&in_flight.age_ns), "{in_flight:?}, {least} to {most}");
    assert_eq!(in_flight.connection, report.connections[0].id);
    assert_eq!((in_flight.thread, report.coverage.in_flight), (client.pid(), 1));
}

#[test]
fn an_answer_to_a_request_from_before_the_capture_is_counted_as_such() {
    let _shared = shared();
    let database = Database::new("before", "");
    let mut holder = Driver::start(database.command("psql").args(["-XAtq"])).unwrap();
    holder.say("SELECT pg_advisory_lock(1) IS NULL;").unwrap();
    holder.hear_line("f").unwrap();
    let mut client = sleeper(&database, "SELECT pg_advisory_lock(1)");
    client.say("go").unwrap();
    client.hear_line("sent").unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    let deadline = Instant::now() + Duration::from_secs(20);
    while server().psql(waits).unwrap() != "1\n" {
        assert!(Instant::now() < deadline, "nobody waits for the lock");
    }
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    holder.say("SELECT pg_advisory_unlock(1);").unwrap();
    finish(&mut client);
    let ended = dbtap.interrupt().unwrap();
    let report = ended.report().unwrap();
    assert_eq!(report.coverage.started_before, 1, "case 67: {:?}", report.coverage);
    assert_eq!((report.coverage.requests, report.coverage.answers_unmatched), (0, 0));
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_client_that_gives_up_shows_as_closed() {
    let _shared = shared();
    let database = Database::new("closed", "");
    let mut client = Driver::start(&mut psycopg("give_up", &database.conninfo())).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    client.hear_line("done").unwrap();
    let ended = dbtap.interrupt().unwrap();
    let report = ended.report().unwrap();
    let [statement] = &*report.statements else { panic!("{:?}", report.statements) };
    assert_eq!((&*statement.text, statement.count), ("SELECT pg_sleep(?)", 1), "case 64");
    assert_eq!((statement.errors[0].code.as_str(), statement.errors[0].count), ("closed", 1));
    assert!((1_000_000_000..3_000_000_000).contains(&statement.latency.max_ns), "{:?}", statement.latency);
    assert_eq!((report.coverage.in_flight, ended.code), (0, Some(0)));
}
