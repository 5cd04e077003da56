//! Drivers: psycopg 3, tokio-postgres, and libpq's own pipeline mode.

use std::process::Command;

use tests::drivers::{pipeline_program, psycopg};
use tracer::report::model::Report;

use crate::expected::{Expected, Gaps, check_with};
use crate::psql::watch;
use crate::server::{Database, shared};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b text); \
                      INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 1000) n";

const TOKIO_POSTGRES: &str = env!("CARGO_BIN_EXE_tokio-postgres-client");

/// Runs a client; what the report must say is what the server counted, changed by `known`. A client whose statements
/// are skipped says how many.
#[track_caller]
fn check_client(database: &Database, client: &Command, known: impl Fn(Expected) -> Expected) -> Report {
    println!("{client:?}");
    database.forget();
    let (ended, output) = watch(client);
    let said = output.success().unwrap();
    let skipped = if said.is_empty() { 0 } else { said.trim().parse().unwrap() };
    check_with(&ended, &known(database.counted()), Gaps { skipped, ..Gaps::default() })
}

#[test]
fn psycopg_counts_as_the_server_counts() {
    let _shared = shared();
    let database = Database::new("psycopg", SCHEMA);
    let check = |mode: &str, known: fn(Expected) -> Expected| {
        check_client(&database, &psycopg(mode, &database.conninfo()), known)
    };
    check("normal", |server| server.and("DEALLOCATE ALL", 1).failed("SELECT 1 / $1", "22012", 1));
    // The driver gives up its oldest statement for each new one.
    check("threshold", |server| {
        (0..55).fold(server, |all, name| all.and(&format!("DEALLOCATE _pg3_{name}"), 1))
    });
    // Case 5.
    check("pipeline", |server| server.failed("SELECT 10 / $1::int", "22012", 1));
    // PostgreSQL 15 counts rows of FETCH, not of MOVE.
    check("server_cursor", |server| server.exactly("MOVE 5 FROM \"again\"", 1, 5));
    check("binary", |server| server);
}

#[test]
fn tokio_postgres_counts_as_the_server_counts() {
    let _shared = shared();
    let database = Database::new("tokio", SCHEMA);
    let check = |mode: &str, known: fn(Expected) -> Expected| {
        let mut client = Command::new(TOKIO_POSTGRES);
        client.args([mode, &database.conninfo()]);
        check_client(&database, &client, known)
    };
    check("prepared", |server| server.failed("SELECT 1 / $1::int", "22012", 1));
    check("pipelined", |server| server.failed("SELECT 10 / $1::int", "22012", 1));
    // Cases 3 and 4: a portal read in pieces is one request. PostgreSQL 15 counts the rows of its last piece only.
    check("portals", |server| {
        server.exactly("SELECT a FROM t WHERE a <= $1 ORDER BY a", 1, 95).exactly(
            "SELECT b FROM t WHERE a > $1 ORDER BY a",
            1,
            30,
        )
    });
    // Case 16.
    check("cancel", |server| server.failed("SELECT pg_sleep(60)", "57014", 1));
}

#[test]
fn libpq_in_pipeline_mode_counts_as_the_server_counts() {
    let _shared = shared();
    let database = Database::new("libpq", SCHEMA);
    let folder = tempfile::tempdir().unwrap();
    let program = pipeline_program(folder.path()).unwrap();
    database.forget();
    let (ended, output) = watch(Command::new(program).arg(database.conninfo_unix()));
    assert_eq!(output.success().unwrap(), "good 1064 failed 2 skipped 11 synchronised 5\n");
    let expected =
        database.counted().failed("SELECT 100 / $1::int", "22012", 1).failed("SELEC 1", "42601", 1);
    let report = check_with(&ended, &expected, Gaps { skipped: 11, ..Gaps::default() });
    let socket =
        crate::server::server().socket_dir().join(format!(".s.PGSQL.{}", crate::server::server().port()));
    assert_eq!(report.connections[0].peer, socket.display().to_string());
    // In a pipeline each request has its own end: a thousand of one pipeline do not all end with the last.
    let read = report.statements.iter().find(|s| s.text.starts_with("SELECT a, b")).unwrap();
    assert!(read.latency.min_ns < read.latency.max_ns, "{:?}", read.latency);
}

#[test]
fn errors_are_counted_by_their_code() {
    let _shared = shared();
    let database = Database::new("errors", SCHEMA);
    let check = |mode: &str, known: fn(Expected) -> Expected| {
        check_client(&database, &psycopg(mode, &database.conninfo()), known)
    };
    check("deadlock", |server| server.failed("UPDATE t SET b = 'm' WHERE a = $1", "40P01", 1));
    let report = check("limits", |server| {
        server.failed("SELECT pg_sleep(30), 'timeout'", "57014", 1).failed(
            "SELECT pg_sleep(30), 'cancel', 1",
            "57014",
            1,
        )
    });
    // Case 16: one code, two causes. Only the one with a cancel request on another connection says so.
    let cancelled = |text: &str| report.statements.iter().find(|s| s.text == text).unwrap().cancelled;
    assert_eq!((cancelled("SELECT pg_sleep(?), ?"), cancelled("SELECT pg_sleep(?), ?, ?")), (0, 1));
}
