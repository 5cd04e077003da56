//! Captures that begin and end in the middle of a load, requests beyond the capture window, streams that are no requests,
//! and what is said when events were lost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, psycopg, signal};

use crate::expected::check;
use crate::psql::watch;
use crate::server::{Database, run, server, shared};

const PIPELINE: &str = "\\set aid random(1, 10000)
\\startpipeline
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
SELECT 1, :aid;
SELECT count(*) FROM pgbench_tellers;
\\endpipeline
SELECT 'alone';
";

fn initialised(name: &'static str) -> Database {
    let database = Database::new(name, "");
    run(database.command("pgbench").args(["-i", "-q", "-I", "dtGp"]).stderr(Stdio::null()));
    database
}

/// pgbench under way for a minute; dropped, it ends.
fn pgbench(database: &Database, arguments: &[&str]) -> Driver {
    let mut command = database.command("pgbench");
    let driver = Driver::start(command.args(["-n", "-T", "60"]).args(arguments)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while database.counted_now().total() < 500 {
        assert!(Instant::now() < deadline, "pgbench does not run: {}", driver.stderr());
        std::thread::sleep(Duration::from_millis(20));
    }
    driver
}

#[test]
fn a_capture_in_the_middle_of_a_load_pairs_every_answer() {
    let _shared = shared();
    let database = initialised("under_load");
    let pipeline = database.file(PIPELINE).display().to_string();
    let loads: [&[&str]; 5] = [
        &["-M", "simple", "-S", "-c", "4"],
        &["-M", "extended", "-S", "-c", "4"],
        &["-M", "prepared", "-S", "-c", "4"],
        &["-M", "simple", "-b", "tpcb-like", "-c", "4"],
        &["-M", "extended", "-c", "4", "-f", &pipeline],
    ];
    for load in loads {
        println!("{load:?}");
        database.forget();
        let client = pgbench(&database, load);
        let outer = database.counted_now();
        let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
        let inner = database.counted_now();
        std::thread::sleep(Duration::from_millis(700));
        let inner_end = database.counted_now().since(&inner).total();
        let ended = dbtap.interrupt().unwrap();
        let outer_end = database.counted_now().since(&outer).total();
        drop(client);
        let report = ended.report().unwrap();
        let coverage = report.coverage;
        assert_eq!(ended.code, Some(0), "{coverage:?}");
        assert_eq!(
            (coverage.answers_unmatched, coverage.gaps, coverage.events_lost),
            (0, 0, 0),
            "{coverage:?}"
        );
        assert!(coverage.started_before <= 4 * 4, "a pipeline has four: {coverage:?}");
        // What the server counted while the capture surely ran, and while it may have run.
        let seen = coverage.requests;
        assert!(
            (inner_end..=outer_end).contains(&seen),
            "{seen} of {inner_end} to {outer_end}: {coverage:?}"
        );
        assert_eq!((coverage.connections_undecoded, report.connections.len()), (0, 4));
        let longest = report.statements.iter().map(|statement| statement.latency.max_ns).max().unwrap();
        assert!(longest < report.capture.duration_ns, "{longest}");
    }
}

#[test]
fn lost_events_are_counted_and_said_and_the_rest_still_pairs() {
    let _shared = shared();
    let database = initialised("overrun");
    database.forget();
    let client = pgbench(&database, &["-M", "extended", "-S", "-c", "8", "-j", "2"]);
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    // Nobody empties the ring buffer until it overflows.
    signal(dbtap.pid(), "STOP").unwrap();
    let stopped_at = database.counted_now().total();
    let deadline = Instant::now() + Duration::from_secs(30);
    while database.counted_now().total() < stopped_at + 30_000 {
        assert!(Instant::now() < deadline, "too slow to overflow anything");
        std::thread::sleep(Duration::from_millis(50));
    }
    signal(dbtap.pid(), "CONT").unwrap();
    let again = database.counted_now().total();
    let deadline = Instant::now() + Duration::from_secs(30);
    while database.counted_now().total() < again + 5_000 {
        assert!(Instant::now() < deadline, "the load has ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = dbtap.interrupt().unwrap();
    let all = database.counted_now();
    drop(client);
    let report = ended.report().unwrap();
    let coverage = report.coverage;
    assert_eq!((ended.code, coverage.complete), (Some(3), false), "case 61: {coverage:?}");
    assert!(coverage.events_lost > 1_000 && coverage.gaps > 0, "{coverage:?}");
    assert!(coverage.requests > 10_000, "{coverage:?}");
    // No statement is made up, none is counted more often than it ran, and none is longer than the capture.
    for statement in &report.statements {
        let ran = all.count(&statement.text);
        let known = ran > 0 || statement.text.starts_with('(');
        assert!(known && (ran == 0 || statement.count <= ran), "{statement:?}, the server says {ran}");
        assert!(statement.errors.is_empty(), "{:?}", statement.errors);
        assert!(statement.latency.max_ns < report.capture.duration_ns, "{statement:?}");
    }
}

#[test]
fn requests_beyond_the_capture_window_count_and_so_does_what_follows() {
    let _shared = shared();
    let database = Database::new("beyond", "CREATE TABLE t (a int, b text)");
    for limit in ["4096", "1048576"] {
        database.forget();
        let mut paused = tests::drivers::Paused::new(&psycopg("large", &database.conninfo())).unwrap();
        let dbtap = Dbtap::attach(paused.pid()).unwrap().arg("--capture-bytes").arg(limit).start().unwrap();
        paused.go().unwrap();
        paused.wait().unwrap().success().unwrap();
        let ended = dbtap.interrupt().unwrap();
        // Its end was not captured (case 77).
        let cut = "SELECT length('cut' …";
        let whole = "SELECT length('whole')";
        let counted = database.counted();
        assert_eq!(counted.count(whole), 5);
        let expected = counted.without(whole).exactly(cut, 5, 5);
        let report = check(&ended, &expected);
        let insert = report.statements.iter().find(|s| s.text.starts_with("INSERT")).unwrap();
        assert!(insert.request_bytes > 5 * 5_000_000, "{limit}: case 60: {insert:?}");
        assert!(report.coverage.bytes_captured < report.coverage.bytes_seen);
    }
}

#[test]
fn a_copy_that_the_client_gives_up_fails_and_what_follows_counts() {
    let _shared = shared();
    let database = Database::new("copy_fail", "CREATE TABLE t (a int, b text)");
    database.forget();
    let (ended, output) = watch(&psycopg("copy_fail", &database.conninfo()));
    output.success().unwrap();
    check(&ended, &database.counted().failed("COPY t FROM STDIN", "57014", 2));
}

#[test]
fn a_session_that_the_server_ends_has_its_error() {
    let _shared = shared();
    let database = Database::new("ended", "");
    database.forget();
    let mut client = database.command("psql");
    let sql = "SELECT pg_terminate_backend(pg_backend_pid())";
    let (ended, output) = watch(client.args(["-XAtq", "-c", "SELECT 1", "-c", sql]));
    assert!(output.stderr.contains("terminating connection"), "{output:?}");
    check(&ended, &database.counted().failed(sql, "57P01", 1));
}

#[test]
fn replication_is_no_request_without_end() {
    let _shared = shared();
    let folder = tempfile::tempdir().unwrap();
    let mut client: Command = server().command("pg_basebackup");
    client.args(["-X", "stream", "-c", "fast", "--no-sync", "-D"]).arg(folder.path().join("copy"));
    let (ended, output) = watch(&client);
    output.success().unwrap();
    let report = ended.report().unwrap();
    let coverage = report.coverage;
    assert_eq!(
        (ended.code, coverage.answers_unmatched, coverage.gaps),
        (Some(0), 0, 0),
        "case 22: {coverage:?}"
    );
    assert_eq!((coverage.events_lost, coverage.connections_undecoded, coverage.in_flight), (0, 0, 0));
    assert_eq!(report.connections.iter().filter(|connection| connection.protocol.is_some()).count(), 2);
    let known = [
        "SHOW",
        "SELECT",
        "IDENTIFY_SYSTEM",
        "CREATE_REPLICATION_SLOT",
        "BASE_BACKUP",
        "START_REPLICATION",
        "TIMELINE_HISTORY",
        "READ_REPLICATION_SLOT",
    ];
    for statement in &report.statements {
        assert!(known.iter().any(|word| statement.text.starts_with(word)), "{statement:?}");
    }
}
