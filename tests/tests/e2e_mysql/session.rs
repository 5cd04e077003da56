//! MariaDB's command-line client: text commands of every kind, several in one message, procedures, files, large packets.

use tests::dbtap::Ended;
use tests::drivers::Output;
use tests::whole::{self, Gaps};
use tracer::report::model::Role;

use crate::expected::{Expected, check, check_with};
use crate::server::{Database, server, shared};

/// Watches a client that must not fail.
fn watch(client: &std::process::Command) -> Ended {
    let (ended, output) = whole::watch(client).unwrap();
    output.success().unwrap();
    ended
}

/// Watches a client whose script holds statements that fail.
fn watch_failing(client: &std::process::Command) -> (Ended, Output) {
    whole::watch(client).unwrap()
}

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b varchar(100)); \
                      CREATE PROCEDURE several() BEGIN SELECT a FROM t; SELECT 2, 3; UPDATE t SET b = 'p'; SELECT 4; END";

const SCRIPT: &str = r#"
SELECT 1;
SELECT 'literal', 2.5, TRUE, NULL, "double", 'it''s', 'a\'b', 0x1F;
SELECT   COUNT(*)   FROM t WHERE a < 500 -- a comment
;
SELECT `a` FROM `t` WHERE a = 1 # another comment
;
/* before */ SELECT a /* inside */ FROM t WHERE a = 2;
INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL);
INSERT INTO t VALUES (4, 'four');
INSERT INTO t SELECT seq, 'x' FROM seq_10_to_1000;
UPDATE t SET b = 'y' WHERE a <= 3;
UPDATE t SET b = 'y' WHERE a <= 4;
DELETE FROM t WHERE a > 990;
SELECT a FROM t WHERE a IN (1, 2, 3);
SELECT a FROM t WHERE a IN (1, 2, 3, 4, 5);
SELECT a, b FROM t ORDER BY a LIMIT 10;
SHOW TABLES;
EXPLAIN SELECT a FROM t WHERE a = 1;
BEGIN;
UPDATE t SET b = 'z' WHERE a = 1;
ROLLBACK;
START TRANSACTION;
UPDATE t SET b = 'z' WHERE a = 1;
COMMIT;
SET @x = 5;
SELECT @x;
SET NAMES utf8mb4;
-- errors
SELECT no_such_column FROM t;
SELECT * FROM no_such_table;
INSERT INTO t VALUES (1, 'again');
SELECT 1 FROM t WHERE a = (SELECT a FROM t);
CALL no_such_procedure();
-- case 24: several in one message, and one of them fails; results of a procedure
DELIMITER //
SELECT 11 AS x; SELECT 12, 13; SELECT COUNT(*) FROM t//
SELECT 14 AS x; UPDATE t SET b = 'm' WHERE a = 2; SELECT 15, 16//
SELECT 17; SELECT * FROM no_such_table; SELECT 18//
DELIMITER ;
CALL several();
CALL several();
SELECT REPEAT('x', 300000), a FROM t LIMIT 3;
SELECT SLEEP(0.01);
DO 1;
"#;

/// What the server counted, and what it does not tell.
fn expected_of_script(counted: Expected) -> Expected {
    println!("{:#?}", counted.show());
    counted
        .of_messages(&[
            ("SELECT 11 AS x", 2, 2, None),
            ("SELECT 12, 13", 2, 2, None),
            ("SELECT COUNT(*) FROM t", 1, 1, None),
            ("UPDATE t SET b = 'm' WHERE a = 2", 1, 1, None),
            ("SELECT 17", 1, 1, None),
            ("SELECT * FROM no_such_table", 1, 0, Some("1146/42S02")),
        ])
        .failed("SELECT no_such_column FROM t", "1054/42S22", 1)
        .failed("SELECT * FROM no_such_table", "1146/42S02", 1)
        .failed("INSERT INTO t VALUES (1, 'again')", "1062/23000", 1)
        .failed("SELECT 1 FROM t WHERE a = (SELECT a FROM t)", "1242/21000", 1)
        .failed("CALL no_such_procedure()", "1305/42000", 1)
        // A message with nothing but a comment, answered like a statement.
        .and("-- errors", 2, 0)
        // All results of a procedure are one request: 985 rows, 1 and 1 each time. (Rows that it changes count where it returns
        // none.)
        .exactly("CALL several()", 2, 2 * (985 + 1 + 1))
}

#[test]
fn a_script_of_everything_counts_as_the_server_counts() {
    let _shared = shared();
    for (name, options) in
        [("script", &["--comments"][..]), ("script_compressed", &["--comments", "--compress"][..])]
    {
        let database = Database::new(name, SCHEMA);
        let before = database.counted_now();
        let mut client = database.command("mariadb");
        client.args(options);
        let (ended, _) = watch_failing(&database.script_of(client, SCRIPT));
        let expected = expected_of_script(database.counted().since(&before));
        // What stands behind the statement that failed is not carried out.
        let report = check_with(&ended, &expected, Gaps { skipped: 1, ..Gaps::default() });
        let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
        assert_eq!(connection.role, Some(Role::Client));
        assert_eq!((connection.user.as_deref(), connection.database.as_deref()), (Some(name), Some(name)));
        assert_eq!(connection.peer, format!("127.0.0.1:{}", server().port()));
        assert!(!connection.opened_before && !connection.tls, "{connection:?}");
        assert_eq!(connection.requests, expected.total());
    }
}

#[test]
fn the_unix_socket_counts_as_the_server_counts() {
    let _shared = shared();
    let database = Database::new("unix_socket", SCHEMA);
    let before = database.counted_now();
    let mut client = server().command_unix("mariadb");
    client.args(["--user=unix_socket", "--password=hunter2-login", "--comments"]);
    let script: String = (0..200).map(|n| format!("SELECT a FROM t WHERE a = {n};\n")).collect();
    let ended = watch(&database.script_of(client, &script));
    let report = check(&ended, &database.counted().since(&before));
    assert_eq!(report.connections[0].peer, server().socket().display().to_string());
}

/// Case 25: the server asks for the file, the client sends it in packets, and the statement is one request.
#[test]
fn a_local_file_is_one_request_however_long() {
    let _shared = shared();
    let database = Database::new("local_file", "CREATE TABLE t (a int, b text)");
    let before = database.counted_now();
    let rows: String =
        (1..=200_000).map(|n| format!("{n}\tselect {n} from somewhere where it says so\n")).collect();
    assert!(rows.len() > 8_000_000);
    let file = database.file(&rows);
    let script = format!(
        "SELECT 'before';\nLOAD DATA LOCAL INFILE '{file}' INTO TABLE t;\n\
         LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE t;\nLOAD DATA LOCAL INFILE '{file}' INTO TABLE no_such_table;\n\
         SELECT COUNT(*) FROM t;\n",
        file = file.display()
    );
    let mut client = database.command("mariadb");
    client.arg("--local-infile=1");
    let (ended, _) = watch_failing(&database.script_of(client, &script));
    let counted = database.counted().since(&before);
    println!("{:#?}", counted.show());
    let expected = counted.failed("LOAD DATA LOCAL INFILE '' INTO TABLE no_such_table", "1146/42S02", 1);
    let report = check(&ended, &expected);
    let load = report.statements.iter().find(|s| s.rows == 200_000).unwrap();
    assert!(load.request_bytes > rows.len() as u64, "{load:?}");
}

/// Case 31: packets of 16 MiB and more, in both directions.
#[test]
fn large_packets_are_parts_of_one_request() {
    let _shared = shared();
    let database = Database::new("large_packets", "CREATE TABLE t (a int PRIMARY KEY, b longtext)");
    let before = database.counted_now();
    // One packet's payload is at most 0xFFFFFF bytes: one below, exactly, one above, and more than two packets.
    let overhead = "SELECT LENGTH('')".len() + 1;
    let mut script = String::from("SELECT 'before';\n");
    for length in [0xFF_FFFE, 0xFF_FFFF, 0x100_0000, 2 * 0xFF_FFFF, 40_000_000] {
        script.push_str(&format!("SELECT LENGTH('{}');\nSELECT 1, 2;\n", "x".repeat(length - overhead)));
        script.push_str(&format!("SELECT REPEAT('y', {length});\nSELECT 1, 2;\n"));
    }
    script.push_str("SELECT a FROM t;\n");
    let mut client = database.command("mariadb");
    client.arg("--max-allowed-packet=256M");
    let client = database.script_of(client, &script);
    let ended = watch(&client);
    let counted = database.counted().since(&before);
    println!("{:#?}", counted.show());
    let report = whole::complete(&ended, Gaps::default()).unwrap();
    println!("{:#?}", whole::lines(&report));
    assert_eq!(report.coverage.requests, counted.total());
    // The literal is longer than what is captured of a request, so the text has an end of its own.
    let find = |beginning: &str| report.statements.iter().find(|s| s.text.starts_with(beginning)).unwrap();
    let (sent, received) = (find("SELECT LENGTH("), find("SELECT REPEAT("));
    let payload: u64 = [0xFF_FFFE, 0xFF_FFFF, 0x100_0000, 2 * 0xFF_FFFF, 40_000_000].iter().sum();
    assert_eq!((sent.count, received.count), (5, 5));
    assert_eq!((sent.rows, sent.errors.len(), received.errors.len()), (5, 0, 0));
    // Payload and a header of four bytes for each packet: 1, 2 (an empty one ends it), 2, 3 (too), 3.
    assert_eq!(sent.request_bytes, payload + 4 * (1 + 2 + 2 + 3 + 3), "{sent:?}");
    assert!(received.answer_bytes > payload, "{received:?}");
}

#[test]
fn a_dump_and_its_restoring_count_as_the_server_counts() {
    let _shared = shared();
    let database = Database::new(
        "dumped",
        "CREATE TABLE t (a int PRIMARY KEY, b varchar(300)); INSERT INTO t SELECT seq, REPEAT('b', 200) FROM seq_1_to_20000",
    );
    let before = database.counted_now();
    let mut client = database.command("mariadb-dump");
    client.args(["--skip-lock-tables", "--no-tablespaces", database.name]);
    let ended = watch(&client);
    let counted = database.counted().since(&before);
    println!("{:#?}", counted.show());
    let report = whole::complete(&ended, Gaps::default()).unwrap();
    println!("{:#?}", whole::lines(&report));
    // The protocol tells no number of rows: of a result that is longer than what is captured, those that were seen count.
    let table = report.statements.iter().find(|s| s.text.ends_with("FROM `t`")).unwrap();
    assert!(table.answer_bytes > 20_000 * 200 && (1..20_000).contains(&table.rows), "{table:?}");
    assert!(table.count == 1 && table.latency.max_ns > table.first_byte.max_ns, "{table:?}");
    let found = Expected::of_report(&report);
    assert_eq!(found.total(), report.coverage.requests);
}
