//! psql: the simple protocol, COPY, large results, SQL-level names.

use tests::dbtap::{Dbtap, Ended};
use tests::drivers::{Output, Paused};
use tracer::report::model::Role;

use crate::expected::{Gaps, canonical, check, check_with};
use crate::server::{Database, shared};

/// Watches a shell that starts the client only then, to the client's end.
pub fn watch(client: &std::process::Command) -> (Ended, Output) {
    let mut paused = Paused::new(client).unwrap();
    let dbtap = Dbtap::attach(paused.pid()).unwrap().start().unwrap();
    paused.go().unwrap();
    let output = paused.wait().unwrap();
    (dbtap.interrupt().unwrap(), output)
}

const SCRIPT: &str = r"
SELECT 1;
SELECT 'literal', 2.5, true, NULL;
select  COUNT(*)  FROM t WHERE a < 500 -- a comment
;
INSERT INTO t SELECT n, 'x' || n FROM generate_series(1, 1000) n;
UPDATE t SET b = 'y' WHERE a <= 10;
DELETE FROM t WHERE a > 990 RETURNING a;
-- case 11: one message, several statements, and one that fails among them
SELECT 1\; SELECT 2, 3\; SELECT count(*) FROM t;
SELECT 10\; SELECT 1 / 0\; SELECT 20;
BEGIN\; INSERT INTO t VALUES (2000, 'z')\; COMMIT;
;
-- errors
SELECT 1 / 0;
SELECT * FROM no_such_table;
INSERT INTO t VALUES (1, 'again');
SELEC 1;
BEGIN;
SELECT 1 / 0;
SELECT 1;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT 1 / 0;
ROLLBACK TO s;
SELECT 1;
COMMIT;
-- case 12: rows, then an error
SELECT 100 / (500 - a) FROM t WHERE a BETWEEN 1 AND 990 ORDER BY a;
-- a cursor
BEGIN;
DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a;
FETCH 5 FROM c;
FETCH 10 FROM c;
MOVE 3 FROM c;
FETCH ALL FROM c;
CLOSE c;
COMMIT;
-- case 14: messages that nobody asked for
LISTEN channel;
NOTIFY channel, 'payload';
SELECT pg_notify('channel', 'again');
DO $$ BEGIN RAISE NOTICE 'noticed'; RAISE WARNING 'warned'; END $$;
SET application_name = 'renamed';
UNLISTEN channel;
-- case 8: names of SQL
PREPARE p (int) AS SELECT a, b FROM t WHERE a = $1;
EXECUTE p (1);
EXECUTE p (2);
DEALLOCATE p;
PREPARE p (int) AS UPDATE t SET b = 'w' WHERE a = $1;
EXECUTE p (3);
EXECUTE no_such_name (3);
PREPARE p AS SELECT 1;
DEALLOCATE ALL;
CREATE TABLE made AS SELECT a FROM t WHERE a < 100;
DROP TABLE made;
";

#[test]
fn a_script_of_everything_counts_as_the_server_counts() {
    let _shared = shared();
    let database = Database::new("script", "CREATE TABLE t (a int PRIMARY KEY, b text)");
    database.forget();
    let (ended, _) = watch(&database.script(SCRIPT));
    let expected = database
        .counted()
        // PostgreSQL 15 counts rows of FETCH, not of MOVE.
        .exactly("MOVE 3 FROM c", 1, 3)
        .and("(empty)", 1)
        .and("PREPARE p (int) AS SELECT a, b FROM t WHERE a = $1", 1)
        .and("PREPARE p (int) AS UPDATE t SET b = 'w' WHERE a = $1", 1)
        .and("DEALLOCATE p", 1)
        .and("DEALLOCATE ALL", 1)
        .failed("SELECT 1 / 0", "22012", 4)
        .failed("SELECT * FROM no_such_table", "42P01", 1)
        .failed("INSERT INTO t VALUES (1, 'again')", "23505", 1)
        .failed("SELEC 1", "42601", 1)
        .failed("SELECT 1", "25P02", 1)
        .failed("SELECT 100 / (500 - a) FROM t WHERE a BETWEEN 1 AND 990 ORDER BY a", "22012", 1)
        // A name that was never prepared is not told from one that was prepared before.
        .failed("(prepared before capture) no_such_name", "26000", 1)
        .failed("PREPARE p AS SELECT 1", "42P05", 1);
    let report = check_with(&ended, &expected, Gaps { skipped: 1, statements_unnamed: 1, ..Gaps::default() });
    let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
    assert_eq!(connection.role, Some(Role::Client));
    assert_eq!(connection.user.as_deref(), Some("postgres"));
    assert_eq!(connection.database.as_deref(), Some("script"));
    assert_eq!(connection.peer, format!("127.0.0.1:{}", crate::server::server().port()));
    assert!(!connection.opened_before && !connection.tls);
    assert_eq!(connection.requests, expected.total());
}

#[test]
fn psqls_own_commands_count_as_the_server_counts() {
    let _shared = shared();
    let database =
        Database::new("own_commands", "CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 1050) n");
    let file = database.file(&"x".repeat(20_000)).display().to_string();
    let script = format!(
        "\\d t\n\\dt\n\\l\n\
         SELECT a, 'described' FROM t WHERE a = 1 \\gdesc\n\
         SELECT 'SELECT ' || n FROM generate_series(1, 5) n \\gexec\n\
         \\set FETCH_COUNT 100\n\
         SELECT a FROM t ORDER BY a;\n\
         \\unset FETCH_COUNT\n\
         \\lo_import '{file}'\n\
         \\lo_unlink :LASTOID\n\
         \\timing on\n\
         SELECT 'end';\n"
    );
    database.forget();
    let (ended, output) = watch(&database.script(&script));
    output.success().unwrap();
    // The server's statistics have no function calls: lo_creat, lo_open, lowrite of 8 KiB at most, lo_close; lo_unlink.
    let report = check(&ended, &database.counted().and("(function call)", 1 + 1 + 3 + 1 + 1));
    let fetch = report.statements.iter().find(|s| s.text.starts_with("FETCH FORWARD")).unwrap();
    assert_eq!((fetch.count, fetch.rows), (11, 1_050));
}

#[test]
fn copy_in_and_out_are_one_request_each_however_long() {
    let _shared = shared();
    let database = Database::new("copy", "CREATE TABLE t (a int, b text); CREATE TABLE wide (b text)");
    let folder = tempfile::tempdir().unwrap();
    let (narrow, wide) = (folder.path().join("narrow"), folder.path().join("wide"));
    let rows: String = (1..=100_000).map(|n| format!("{n}\trow {n}\n")).collect();
    std::fs::write(&narrow, &rows).unwrap();
    // More than 20 MB, with bytes that look like messages of the protocol.
    let line = "Z\\t\\0Q select 1; ".repeat(64);
    std::fs::write(&wide, format!("{}\n", line.replace("\\0", "0")).repeat(25_000)).unwrap();
    assert!(wide.metadata().unwrap().len() > 20_000_000);
    let (narrow, wide) = (narrow.display(), wide.display());
    let script = format!(
        "SELECT 'before';\n\
         \\copy t from '{narrow}'\n\
         \\copy wide from '{wide}'\n\
         \\copy t to '/dev/null'\n\
         \\copy (select * from wide) to '/dev/null'\n\
         \\copy no_such_table from '{narrow}'\n\
         \\copy wide from '{narrow}' (format csv, header, delimiter ';', quote 'x')\n\
         \\copy t from '{wide}'\n\
         SELECT count(*) FROM t;\n"
    );
    database.forget();
    let (ended, output) = watch(&database.script(&script));
    let expected = database.counted().failed("COPY no_such_table FROM STDIN", "42P01", 1).failed(
        "COPY t FROM STDIN",
        "22P02",
        1,
    );
    assert!(expected.count("COPY t FROM STDIN") == 2, "{expected:?} {output:?}");
    let report = check(&ended, &expected);
    let find = |text: &str| {
        let found = report.statements.iter().find(|s| canonical(&s.text) == canonical(text));
        found.unwrap_or_else(|| panic!("{text} is not among {:?}", report.statements))
    };
    let wide = find("COPY wide FROM STDIN");
    assert_eq!(wide.rows, 25_000);
    assert!(wide.request_bytes > 20_000_000, "{}", wide.request_bytes);
    let out = find("COPY (select * from wide) TO STDOUT");
    assert_eq!((out.count, out.rows), (1, 25_000));
    assert!(out.answer_bytes > 20_000_000, "{}", out.answer_bytes);
    assert!(rows.len() as u64 <= find("COPY t TO STDOUT").answer_bytes);
}

#[test]
fn a_result_of_200_megabytes_is_one_request_with_all_its_bytes() {
    let _shared = shared();
    let database = Database::new("large", "");
    let sql = "SELECT repeat('x', 1000) FROM generate_series(1, 200000)";
    database.forget();
    let mut client = database.command("psql");
    client.args(["-XAtq", "-o", "/dev/null", "-c", sql, "-c", "SELECT 1"]);
    let (ended, output) = watch(&client);
    output.success().unwrap();
    let report = check(&ended, &database.counted());
    let large = report.statements.iter().find(|statement| statement.rows == 200_000).unwrap();
    // RowDescription, DataRow as often as there are rows, CommandComplete: each one type byte, four of length, and its body.
    let description = 5 + 2 + "repeat\0".len() + 18;
    let row = 5 + 2 + 4 + 1_000;
    let complete = 5 + "SELECT 200000\0".len();
    assert_eq!(large.answer_bytes, (description + row * 200_000 + complete) as u64);
    // The end is not the first byte (case 21).
    assert!(large.latency.min_ns > 2 * large.first_byte.min_ns, "{large:?}");
    // Almost nothing of it was copied.
    assert!(report.coverage.bytes_captured < 20_000_000, "{:?}", report.coverage);
}
