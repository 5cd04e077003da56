//! mysql_async, a driver of applications in Rust: a statement cache, MariaDB's bulk executions and results without column
//! definitions, results that are dropped early, a pool that resets its connections, and limits of the client's own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, mysql_async};
use tests::latency::assert_as_measured;
use tests::whole::{Gaps, complete, lines, none_shows, watch, watch_in_all_forms};

use crate::expected::{Expected, check, check_with};
use crate::middle::{running, said};
use crate::server::{Database, alone, nanos, server, shared};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b varchar(100)); \
                      INSERT INTO t SELECT seq, CONCAT('row ', seq) FROM seq_1_to_1000; \
                      CREATE PROCEDURE several() BEGIN SELECT a FROM t LIMIT 5; SELECT 2, 3; END";

/// What the client adds to the middle one of many calls, on a machine that does other things too.
const OWN_WORK_NS: u64 = 2_000_000;

fn client(database: &Database, mode: &str, options: &str) -> std::process::Command {
    let mut client = database.client(mysql_async(mode).unwrap());
    client.env("DB_OPTIONS", options);
    client
}

/// The statements of the client's mode `all`, of which the server has digests only of those sent as text.
fn all(database: &Database, before: &Expected) -> Expected {
    let counted = database.counted().since(before);
    println!("{:#?}", counted.show());
    let mut expected = counted
        // Case 24. Of those that were dropped before their end, the driver reads the rest.
        .of_messages(&[
            ("SELECT 1 AS x", 1, 1, None),
            ("SELECT 2, 3", 1, 1, None),
            ("UPDATE t SET b = 'm' WHERE a = 1", 1, 1, None),
            ("SELECT b FROM t", 5, 5 * 1100, None),
            ("SELECT a + 1 FROM t", 5, 5 * 1100, None),
            ("SELECT 'last'", 5, 5, None),
        ])
        .failed("SELECT * FROM no_such_table", "1146/42S02", 1)
        .exactly("CALL several()", 1, 5 + 1)
        .and("SELECT a, b FROM t WHERE a = ?", 100 + 2, 100 + 2)
        .and("INSERT INTO t (a, b) VALUES (?, ?)", 1, 50)
        .and_failed("INSERT INTO t (b, a) VALUES (?, ?)", "1062/23000", 1)
        .and_failed("INSERT INTO t (a) VALUES (?)", "1062/23000", 1)
        .and_failed("SELECT * FROM no_such_table WHERE a = ?", "1146/42S02", 1)
        .and("SELECT b FROM t WHERE a = ?", 1, 1)
        // Cases 26 and 31.
        .and("SELECT LENGTH(?)", 1, 1)
        .and("UPDATE t SET b = ? WHERE a = ?", 4, 4)
        .and("SELECT a FROM t WHERE a <= ?", 5, 5 * 500)
        .and("(ping)", 1, 0)
        .and("(reset connection)", 1, 0)
        .and("(change user)", 1, 0);
    for n in 0..40 {
        expected = expected.and(&format!("SELECT a AS c{n} FROM t WHERE a = ?"), 2, 2);
    }
    expected
}

#[test]
fn every_way_to_send_counts_as_the_server_counts() {
    let _shared = shared();
    for (name, options, connections) in
        [("mysql_async", "", 2), ("mysql_async_tcp", "tcp", 1), ("mysql_async_zip", "tcp compress", 1)]
    {
        println!("{options:?}");
        let database = Database::new(name, SCHEMA);
        let before = database.counted();
        let (ended, output) = watch(&client(&database, "all", options)).unwrap();
        output.success().unwrap();
        let report = check(&ended, &all(&database, &before));
        // The driver asks over TCP where the server's socket is.
        assert_eq!(report.connections.len(), connections);
        for connection in &report.connections {
            assert_eq!(connection.user.as_deref(), Some(name), "{connection:?}");
            assert_eq!(connection.database.as_deref(), Some(name), "{connection:?}");
        }
    }
}

/// Connections and statements from before the capture, shared by many tasks, with and without a reset at each return.
#[test]
fn a_warm_pool_is_joined_and_counted_exactly() {
    let _shared = shared();
    for (name, mode) in [("async_pool", "pooled"), ("async_pool_reset", "pooled-reset")] {
        let database = Database::new(name, SCHEMA);
        let mut client = Driver::start(&mut client(&database, mode, "tcp")).unwrap();
        client.hear_line("ready").unwrap();
        let commands = || ["Execute", "Reset connection"].map(|command| database.commands(command));
        let before = commands();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        client.say("go").unwrap();
        client.hear_line("done").unwrap();
        let ended = dbtap.interrupt().unwrap();
        let after = commands();
        client.say("end").unwrap();
        client.end().unwrap();
        let (executed, resets) = (after[0] - before[0], after[1] - before[1]);
        assert_eq!(executed, 8 * 50 * 2);
        let report = ended.report().unwrap();
        println!("{mode}: {:#?} {:?}", lines(&report), report.coverage);
        let known = Expected::default().and("SELECT a + ? FROM t WHERE a = ?", 400, 400);
        if mode == "pooled" {
            // Case 9: the statement was prepared before.
            assert_eq!(resets, 0);
            let expected = known.and("(prepared before capture) 1", 400, 400);
            check_with(&ended, &expected, Gaps { statements_unnamed: 400, ..Gaps::default() });
        } else {
            // Case 27: ids begin anew after each reset.
            assert_eq!(resets, 4 + 400);
            let expected =
                known.and("SELECT b FROM t WHERE a = ?", 400, 400).and("(reset connection)", resets, 0);
            check(&ended, &expected);
        }
        assert_eq!(report.connections.len(), 4);
        assert!(report.connections.iter().all(|connection| connection.opened_before));
    }
}

#[test]
fn latencies_are_those_that_the_client_measures() {
    let _alone = alone();
    let database = Database::new("async_timed", SCHEMA);
    let mut client = Driver::start(&mut client(&database, "timed", "")).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let measured: BTreeMap<String, Vec<u64>> = serde_json::from_str(&client.hear().unwrap()).unwrap();
    let report = complete(&dbtap.interrupt().unwrap(), Gaps::default()).unwrap();
    for (text, times) in measured {
        let text = text.replace("0.3", "?").replace("'x', 1000", "?, ?");
        let found = report.statements.iter().find(|statement| statement.text == text);
        let statement = found.unwrap_or_else(|| panic!("{text}: {:#?}", lines(&report)));
        assert_as_measured(statement, times, OWN_WORK_NS);
        let ours = &statement.latency;
        if text.contains("SLEEP") {
            assert!(ours.min_ns >= 300_000_000, "{text}");
        }
    }
}

/// Case 34: while the statement was being executed after a prepare of its own.
#[test]
fn a_killed_statement_ends_with_its_error_when_the_client_hears_of_it() {
    let _shared = shared();
    let database = Database::new("async_killed", SCHEMA);
    for (kill, codes) in [("KILL QUERY", &["1317/70100"][..]), ("KILL", &["closed", "1927/70100"])] {
        let sql = "SELECT COUNT(*) FROM t x, t y, t z, t w WHERE x.a + y.a + z.a + w.a < 0";
        let mut command = client(&database, "hangs", "");
        let mut client = Driver::start(command.arg(sql)).unwrap();
        client.hear_line("ready").unwrap();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        client.say("go").unwrap();
        let (id, least) = running(&database, Duration::from_millis(500));
        server().sql(&format!("{kill} {id}")).unwrap();
        let (client_ns, failed) = said(&client);
        let report = complete(&dbtap.interrupt().unwrap(), Gaps::default()).unwrap();
        let [statement] = &*report.statements else { panic!("{:#?}", lines(&report)) };
        let [error] = &*statement.errors else { panic!("{statement:?}, the client got {failed:?}") };
        assert!(codes.contains(&error.code.as_str()), "{kill}: {error:?}, the client got {failed:?}");
        assert_eq!((error.count, statement.count), (1, 1));
        let latency = statement.latency.max_ns;
        assert!((least..=client_ns).contains(&latency), "{latency} ns, client {client_ns}, least {least}");
    }
}

/// The most usual way that a slow statement ends: the client has had enough, and closes.
#[test]
fn a_statement_that_the_client_gives_up_counts_with_the_time_until_then() {
    let _shared = shared();
    let database = Database::new("async_gives_up", "");
    let mut command = client(&database, "gives-up", "tcp");
    let mut client = Driver::start(command.arg("SELECT SLEEP(2), 'hunter2'")).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    let before = Instant::now();
    client.say("go").unwrap();
    let (client_ns, _) = said(&client);
    let ended = dbtap.interrupt().unwrap();
    let most = nanos(before.elapsed());
    let report = complete(&ended, Gaps::default()).unwrap();
    let [statement] = &*report.statements else { panic!("{:#?}", lines(&report)) };
    assert_eq!((&*statement.text, statement.count), ("SELECT SLEEP(?), ?", 1));
    let [error] = &*statement.errors else { panic!("{statement:?}") };
    assert_eq!((&*error.code, error.count), ("closed", 1));
    let latency = statement.latency.max_ns;
    // The driver closes when its statement is dropped, a moment after the client's clock was read.
    assert!((300_000_000..most).contains(&latency), "{latency} ns, client {client_ns}, most {most}");
}

#[test]
fn values_files_and_passwords_are_in_no_report() {
    let _shared = shared();
    let database = Database::new("async_secrets", SCHEMA);
    let reports = watch_in_all_forms(&client(&database, "all", "compress")).unwrap();
    none_shows(&reports, &["hunter2"], "select a, b from t where a = ?").unwrap();
}
