//! mysql_async with MySQL 9: its own caching_sha2_password, and results without an end-of-file packet.

use std::process::Command;

use tests::drivers::mysql_async;
use tests::mysql::MysqlServer;
use tests::whole::{Gaps, complete, lines, none_shows, watch, watch_in_all_forms};

use crate::one_at_a_time;

/// What the client's mode `all` must count to: text, requests, rows, code of their error.
const EXPECTED: [(&str, u64, u64, Option<&str>); 19] = [
    ("SELECT b FROM t WHERE a = ?", 20 + 1, 20 + 1, None),
    ("SELECT a, b FROM t WHERE a = ?", 100 + 2, 100 + 2, None),
    ("SELECT a AS c0 FROM t WHERE a = ?", 2, 2, None),
    ("SELECT a AS c39 FROM t WHERE a = ?", 2, 2, None),
    ("SELECT a FROM t", 1, 1000, None),
    ("SELECT a FROM t WHERE a <= ?", 5, 5 * 500, None),
    // MySQL has no bulk execution: one for each row.
    ("INSERT INTO t (a, b) VALUES (?, ?)", 50, 50, None),
    ("INSERT INTO t (a) VALUES (?)", 1, 0, Some("1062/23000")),
    ("SELECT * FROM no_such_table", 1, 0, Some("1146/42S02")),
    ("SELECT * FROM no_such_table WHERE a = ?", 1, 0, Some("1146/42S02")),
    ("UPDATE t SET b = ? WHERE a = ?", 4 + 1, 4 + 1, None),
    ("SELECT LENGTH(?)", 1, 1, None),
    ("SELECT ? AS x", 1, 1, None),
    ("SELECT a + ? FROM t", 5, 5 * 1101, None),
    ("START TRANSACTION", 3, 0, None),
    ("ROLLBACK", 2, 0, None),
    ("COMMIT", 1, 0, None),
    ("(reset connection)", 1, 0, None),
    ("(change user)", 1, 0, None),
];

fn server() -> MysqlServer {
    let server = MysqlServer::start(&["--local-infile=1", "--max-allowed-packet=64M"]).unwrap();
    server
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (a int PRIMARY KEY, b varchar(100)); \
             SET SESSION cte_max_recursion_depth = 2000; \
             INSERT INTO d.t WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 1000) \
             SELECT a, CONCAT('row ', a) FROM n; \
             CREATE PROCEDURE d.several() BEGIN SELECT a FROM t LIMIT 5; SELECT 2, 3; END; \
             CREATE USER someone IDENTIFIED WITH caching_sha2_password BY 'hunter2-sha2'; GRANT ALL ON *.* TO someone",
        )
        .unwrap();
    server
}

fn client(server: &MysqlServer, options: &str) -> Command {
    let mut client = mysql_async("all").unwrap();
    client.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string()).env("DB_OPTIONS", options);
    client.env("DB_USER", "someone").env("DB_PASSWORD", "hunter2-sha2").env("DB_NAME", "d");
    client
}

fn restore(server: &MysqlServer) {
    server.sql("DELETE FROM d.t WHERE a > 1000; UPDATE d.t SET b = CONCAT('row ', a) WHERE a < 10").unwrap();
}

#[test]
fn every_way_to_send_counts_as_the_client_knows() {
    let _one = one_at_a_time();
    let server = server();
    // The first login sends the password encrypted with the server's key, later ones find it in the server's cache.
    for options in ["tcp", "tcp", "tcp compress", ""] {
        println!("{options:?}");
        restore(&server);
        let (ended, output) = watch(&client(&server, options)).unwrap();
        output.success().unwrap();
        let report = complete(&ended, Gaps::default()).unwrap();
        for (text, count, rows, code) in EXPECTED {
            let found: Vec<_> = report.statements.iter().filter(|s| s.text == text).collect();
            let [statement] = &*found else { panic!("{text}: {:#?}", lines(&report)) };
            let errors: Vec<_> = statement.errors.iter().map(|e| (e.code.as_str(), e.count)).collect();
            let expected: Vec<_> = code.iter().map(|code| (*code, count)).collect();
            assert_eq!((statement.count, statement.rows, errors), (count, rows, expected), "{statement:?}");
        }
        assert_eq!(report.connections.len(), if options.is_empty() { 2 } else { 1 });
    }
    restore(&server);
    let reports = watch_in_all_forms(&client(&server, "tcp")).unwrap();
    none_shows(&reports, &["hunter2"], "select a, b from t where a = ?").unwrap();
}
