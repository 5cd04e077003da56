//! A capture that begins or ends in the middle: busy connections, statements under way, statements that somebody kills.

use std::time::{Duration, Instant};

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, mysql_client};
use tests::whole::{Gaps, complete, lines};

use crate::expected::canonical;
use crate::server::{Database, nanos, server, shared};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b varchar(100)); \
                      INSERT INTO t SELECT seq, CONCAT('row ', seq) FROM seq_1_to_1000";

#[test]
fn a_connection_that_is_never_idle_is_joined_and_counted_exactly() {
    let _shared = shared();
    let database = Database::new("busy", SCHEMA);
    for driver in ["pymysql", "MySQLdb"] {
        let mut client = Driver::start(&mut database.client(mysql_client(driver, "busy"))).unwrap();
        client.hear_line("ready").unwrap();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        client.say("go").unwrap();
        let counted: u64 = client.hear().unwrap().parse().unwrap();
        let ended = dbtap.interrupt().unwrap();
        client.say("end").unwrap();
        client.end().unwrap();
        let report = ended.report().unwrap();
        let gaps = Gaps { started_before: report.coverage.started_before, ..Gaps::default() };
        complete(&ended, gaps).unwrap();
        assert!(gaps.started_before <= 1, "{:?}", report.coverage);
        let count = |sql: &str| -> u64 {
            let same = |text: &str| canonical(text) == canonical(sql);
            report.statements.iter().filter(|s| same(&s.text)).map(|s| s.count).sum()
        };
        assert!(counted > 500);
        assert_eq!(count("SELECT b FROM t WHERE a = 1"), counted, "{:#?}", lines(&report));
        assert!(count("SELECT a FROM t WHERE a = 1") > 0);
        assert!(report.connections[0].opened_before);
    }
}

fn sleeper(database: &Database, sql: &str) -> Driver {
    let mut command = database.client(mysql_client("pymysql", "sleep"));
    let client = Driver::start(command.arg(sql)).unwrap();
    client.hear_line("ready").unwrap();
    client
}

/// Waits until the statement runs in the server; gives its process id there and for how long it runs.
pub fn running(database: &Database, least: Duration) -> (u64, u64) {
    let sql = format!(
        "SELECT id, CAST(time_ms * 1000000 AS unsigned) FROM information_schema.processlist \
         WHERE user = '{}' AND command IN ('Query', 'Execute')",
        database.name
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < deadline, "it does not run");
        let rows = server().sql(&sql).unwrap();
        if let Some((id, age)) = rows.trim().split_once('\t') {
            let (id, age) = (id.parse().unwrap(), age.parse().unwrap());
            if age >= nanos(least) {
                return (id, age);
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the client says of its statement: how long it waited for it, and the code of its error.
pub fn said(client: &Driver) -> (u64, Option<i64>) {
    let said: serde_json::Value = serde_json::from_str(&client.hear().unwrap()).unwrap();
    (said["ns"].as_u64().unwrap(), said["failed"].as_i64())
}

#[test]
fn a_statement_that_still_runs_is_in_flight_with_its_text_and_age() {
    let _shared = shared();
    let database = Database::new("flight", "");
    let mut client = sleeper(&database, "SELECT SLEEP(600), 'x'");
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    let before = Instant::now();
    client.say("go").unwrap();
    let (_, least) = running(&database, Duration::from_secs(1));
    let ended = dbtap.interrupt().unwrap();
    let most = nanos(before.elapsed());
    let report = complete(&ended, Gaps { in_flight: 1, ..Gaps::default() }).unwrap();
    let [in_flight] = &*report.in_flight else { panic!("{:?}", report.in_flight) };
    let statement = report.statements.iter().find(|statement| statement.id == in_flight.statement).unwrap();
    assert_eq!((&*statement.text, statement.count), ("SELECT SLEEP(?), ?", 0));
    assert!((least..most).contains(&in_flight.age_ns), "{in_flight:?}, {least} to {most}");
    assert_eq!((&in_flight.connection, in_flight.thread), (&report.connections[0].id, client.pid()));
}

/// Case 34: the statement is killed on another connection; the first hears of it, at the time when it does.
#[test]
fn a_killed_statement_ends_with_its_error_when_the_client_hears_of_it() {
    let _shared = shared();
    let database = Database::new("killed", SCHEMA);
    for (kill, code) in [("KILL QUERY", "1317/70100"), ("KILL", "closed")] {
        // A join that takes minutes: unlike SLEEP, it has no result when it is killed.
        let sql = "SELECT COUNT(*) FROM t x, t y, t z, t w WHERE x.a + y.a + z.a + w.a < 0";
        let mut client = sleeper(&database, sql);
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        client.say("go").unwrap();
        let (id, least) = running(&database, Duration::from_millis(500));
        server().sql(&format!("{kill} {id}")).unwrap();
        let (client_ns, failed) = said(&client);
        let ended = dbtap.interrupt().unwrap();
        let report = complete(&ended, Gaps::default()).unwrap();
        let [statement] = &*report.statements else { panic!("{:#?}", lines(&report)) };
        let [error] = &*statement.errors else { panic!("{statement:?}, the client got {failed:?}") };
        // MariaDB tells the client of a killed connection (1927) before it closes, if the statement notices in time.
        let codes = [code, "1927/70100"];
        let expected = if kill == "KILL" { &codes[..] } else { &codes[..1] };
        assert!(expected.contains(&error.code.as_str()), "{kill}: {error:?}, the client got {failed:?}");
        assert_eq!((error.count, statement.count), (1, 1));
        let latency = statement.latency.max_ns;
        assert!(
            (least..=client_ns).contains(&latency),
            "{latency} ns, the client says {client_ns}, at least {least}"
        );
    }
}

#[test]
fn a_sleep_that_is_killed_counts_once() {
    let _shared = shared();
    let database = Database::new("killed_sleep", "");
    let mut client = sleeper(&database, "SELECT SLEEP(600)");
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let (id, _) = running(&database, Duration::from_millis(500));
    server().sql(&format!("KILL QUERY {id}")).unwrap();
    let (client_ns, failed) = said(&client);
    let report = complete(&dbtap.interrupt().unwrap(), Gaps::default()).unwrap();
    let [statement] = &*report.statements else { panic!("{:#?}", lines(&report)) };
    let errors: u64 = statement.errors.iter().map(|error| error.count).sum();
    assert_eq!((statement.count, errors), (1, u64::from(failed.is_some())), "{statement:?}, {failed:?}");
    assert!((500_000_000..=client_ns).contains(&statement.latency.max_ns));
}

/// Case 67.
#[test]
fn an_answer_to_a_statement_from_before_the_capture_is_counted_as_such() {
    let _shared = shared();
    let database = Database::new("sent_before", "");
    let mut client = sleeper(&database, "SELECT SLEEP(4), 1");
    client.say("go").unwrap();
    running(&database, Duration::from_millis(100));
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    said(&client);
    let ended = dbtap.interrupt().unwrap();
    let report = ended.report().unwrap();
    let coverage = &report.coverage;
    // One answer is little to know a protocol by: either it is recognised and counted, or the connection is left undecoded.
    let told = coverage.started_before + coverage.connections_undecoded;
    assert_eq!((told, coverage.requests, coverage.answers_unmatched), (1, 0, 0), "{coverage:?}");
}
