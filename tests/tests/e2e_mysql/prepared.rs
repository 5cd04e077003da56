//! Prepared statements: sysbench, and a client on libmariadb that goes where other drivers do not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, mariadb_program};
use tests::whole::{Gaps, complete, lines, watch};

use crate::expected::{Expected, check};
use crate::server::{Database, server, shared};

const TABLE: [&str; 3] = ["oltp_read_write", "--tables=2", "--table-size=2000"];

fn sysbench(database: &Database, options: &[&str]) -> Command {
    let mut command = Command::new("sysbench");
    command.args(TABLE).args(["--mysql-host=127.0.0.1", "--mysql-password=hunter2-login"]);
    command.args([format!("--mysql-port={}", server().port()), format!("--mysql-user={}", database.name)]);
    command.arg(format!("--mysql-db={}", database.name)).args(options);
    command
}

/// The counts that sysbench prints: `read`, `write`, `other`, `total`, `transactions`.
fn printed(text: &str) -> BTreeMap<String, u64> {
    let lines = text.lines().filter_map(|line| line.trim().split_once(':'));
    let number = |(name, rest): (&str, &str)| {
        Some((name.trim().to_owned(), rest.trim().split(' ').next()?.parse().ok()?))
    };
    lines.filter_map(number).collect()
}

#[test]
fn sysbench_counts_as_it_prints_and_as_the_server_counts() {
    let _shared = shared();
    let database = Database::new("sysbench", "");
    tests::daemon::output(sysbench(&database, &["prepare"]).env("LC_ALL", "C")).unwrap();
    for mode in ["--db-ps-mode=auto", "--db-ps-mode=disable"] {
        let (executed, before) = (database.commands("Execute"), database.counted());
        let client = sysbench(&database, &[mode, "--threads=4", "--time=5", "run"]);
        let (ended, output) = watch(&client).unwrap();
        let counts = printed(&output.success().unwrap());
        println!("{mode}: {counts:?}");
        let report = complete(&ended, Gaps::default()).unwrap();
        let of = |operations: &[&str]| -> u64 {
            let chosen = report.statements.iter().filter(|s| operations.contains(&s.operation.as_str()));
            chosen.map(|s| s.count).sum()
        };
        // A deadlock ends a transaction; sysbench does not count the statement that failed, and begins anew.
        let failed = counts["ignored errors"];
        let errors = report.statements.iter().flat_map(|s| &s.errors);
        let errors: Vec<_> = errors.map(|error| (error.code.as_str(), error.count)).collect();
        assert!(errors.iter().all(|(code, _)| *code == "1213/40001"), "{errors:?}");
        assert_eq!(errors.iter().map(|(_, count)| count).sum::<u64>(), failed);
        assert_eq!(of(&["SELECT"]), counts["read"], "{:#?}", lines(&report));
        assert_eq!(of(&["UPDATE", "INSERT", "DELETE"]), counts["write"] + failed);
        assert_eq!(of(&["BEGIN", "COMMIT"]), counts["other"]);
        assert_eq!(of(&["COMMIT"]), counts["transactions"]);
        assert_eq!(report.coverage.requests, counts["total"] + failed);
        if mode.ends_with("auto") {
            assert_eq!(database.commands("Execute") - executed, counts["total"] + failed);
        } else {
            // The server's counters of one digest may lose a count when several threads count at once.
            let counted = database.counted().since(&before).total();
            let requests = report.coverage.requests;
            assert!(counted <= requests && requests <= counted + counted / 1000, "{counted} {requests}");
        }
        assert_eq!(report.connections.iter().filter(|c| c.requests > 0).count(), 4);
    }
}

fn program() -> PathBuf {
    static FOLDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    FOLDER.get_or_init(|| mariadb_program(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()).clone()
}

fn client(database: &Database, mode: &str) -> Command {
    let mut command = Command::new(program());
    command.arg(mode);
    database.client(command)
}

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b longtext, c double, d datetime); \
                      INSERT INTO t SELECT seq, CONCAT('row ', seq), seq / 2, '2020-01-02 03:04:05' FROM seq_1_to_1000; \
                      CREATE PROCEDURE several(IN n int) BEGIN SELECT a FROM t WHERE a < n; SELECT n, n; END";

/// Executions by statement, as the client's source says.
#[test]
fn every_kind_of_prepared_statement_counts() {
    let _shared = shared();
    let database = Database::new("statements", SCHEMA);
    let before = database.counted();
    let (ended, output) = watch(&client(&database, "all")).unwrap();
    println!("{}", output.success().unwrap());
    let expected = database
        .counted()
        .since(&before)
        // Case 28: the second execution sends no types.
        .and("SELECT a, b FROM t WHERE a = ?", 100, 100)
        // Case 29: a cursor, fetched 7 rows at a time, is one request with all its rows; one that is closed early has those
        // that were fetched.
        .and("SELECT a, b, c, d FROM t WHERE a <= ?", 2, 500 + 14)
        // Case 26: long data in pieces and closing have no answer.
        .and("UPDATE t SET b = ? WHERE a = ?", 3, 3)
        // Case 27: the same id may mean another statement, after a close.
        .and("SELECT ? + 1", 20, 20)
        .and("SELECT CONCAT(?, 'x')", 20, 20)
        // One message with many rows of parameters (MariaDB's bulk execution) is one request.
        .and("INSERT INTO t (a, b) VALUES (?, ?)", 1, 50)
        .and("CALL several(?)", 1, 9 + 1)
        .and_failed("INSERT INTO t (a) VALUES (?)", "1062/23000", 1)
        // A PREPARE that fails is a request, one that does not is none.
        .and_failed("SELECT * FROM no_such_table WHERE a = ?", "1146/42S02", 1)
        .and("(reset connection)", 1, 0)
        .and("(change user)", 1, 0)
        .and("(ping)", 3, 0)
        .and("SELECT a FROM t WHERE b = ? AND a = ?", 2, 0);
    check(&ended, &expected);
}

/// Case 9 for MySQL: the text was sent before the capture. On a connection that is busy all the time.
#[test]
fn statements_prepared_before_the_capture_count_from_the_first_request_on() {
    let _shared = shared();
    let database = Database::new("pooled", SCHEMA);
    let mut client = Driver::start(&mut client(&database, "pooled")).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    client.hear_line("done").unwrap();
    let ended = dbtap.interrupt().unwrap();
    client.say("end").unwrap();
    client.end().unwrap();
    assert_eq!(database.commands("Execute"), 10 + 500);
    let report = complete(&ended, Gaps { statements_unnamed: 500, ..Gaps::default() }).unwrap();
    let [statement] = &*report.statements else { panic!("{:#?}", lines(&report)) };
    assert!(statement.text.starts_with("(prepared before capture)"), "{statement:?}");
    assert_eq!((statement.count, statement.rows), (500, 500));
    let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
    assert!(connection.opened_before);
}

/// A driver that prepares, executes once and closes, again and again (case 27: the ids go on, or begin anew).
#[test]
fn statements_that_live_for_one_execution_keep_their_texts() {
    let _shared = shared();
    let database = Database::new("short_lived", SCHEMA);
    let (ended, output) = watch(&client(&database, "short")).unwrap();
    println!("{}", output.success().unwrap());
    let expected = Expected::default().and("SELECT a FROM t WHERE a = ?", 300, 300).and(
        "SELECT b FROM t WHERE a = ?",
        300,
        300,
    );
    assert_eq!((database.commands("Execute"), database.commands("Prepare")), (600, 600));
    check(&ended, &expected);
}
