//! Restoring a dump: long INSERTs with thousands of rows, and statements inside executable comments.

use tests::whole::{Gaps, complete, lines, watch};

use crate::server::{Database, server, shared};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b varchar(100), KEY (b)); \
                      INSERT INTO t SELECT seq, CONCAT('row \\'', seq) FROM seq_1_to_40000; \
                      CREATE TABLE u (a int PRIMARY KEY, c blob); \
                      INSERT INTO u SELECT seq, 0x002722 FROM seq_1_to_10";

#[test]
fn a_restored_dump_counts_as_the_server_counts() {
    let _shared = shared();
    let source = Database::new("dump_source", SCHEMA);
    let mut mariadb_dump = server().command("mariadb-dump");
    mariadb_dump.args(["--extended-insert", "--net-buffer-length=300K", source.name]);
    let dump = tests::daemon::output(&mut mariadb_dump).unwrap();
    assert!(dump.contains("/*!40101 SET") && dump.len() > 800_000);
    let database = Database::new("restored", "");
    let (ended, output) = watch(&database.script(&dump)).unwrap();
    output.success().unwrap();
    database.quiesce();
    let report = complete(&ended, Gaps::default()).unwrap();
    let shown = lines(&report);
    let counted: u64 = server().digests("restored").unwrap().iter().map(|digest| digest.count).sum();
    assert_eq!(report.coverage.requests, counted, "{shown:#?}");
    // However many messages they came in, the rows are one statement for each table.
    let inserts: Vec<_> = report.statements.iter().filter(|s| s.text.starts_with("INSERT INTO")).collect();
    let rows: Vec<_> = inserts.iter().map(|s| (s.count > 1, s.rows, s.errors.len())).collect();
    assert_eq!(rows, [(true, 40_000, 0), (false, 10, 0)], "{shown:#?}");
    assert!(inserts[0].request_bytes > 500_000 && report.statements.iter().all(|s| s.errors.is_empty()));
    assert_eq!(server().sql_in("restored", "SELECT COUNT(*) FROM t").unwrap(), "40000\n");
    assert!(shown.iter().all(|line| !line.contains("row ")), "{shown:#?}");
    // From inside a comment that the server executes.
    let executed = "SET @OLD_CHARACTER_SET_RESULTS = @@CHARACTER_SET_RESULTS";
    assert!(report.statements.iter().any(|s| s.text == executed && s.count == 1), "{shown:#?}");
}
