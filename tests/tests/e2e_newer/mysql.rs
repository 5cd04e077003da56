//! MySQL 9 with its own client: caching_sha2_password, query attributes, results without an end-of-file packet, zlib and zstd.

use std::process::Command;

use tests::dbtap::Dbtap;
use tests::mysql::MysqlServer;
use tests::whole::{Gaps, complete, lines, none_shows, watch, watch_in_all_forms};
use tracer::report::model::{Report, Role};

use crate::one_at_a_time;

/// What each statement of [`script`] must count to: beginning of its text, requests, rows, code of its error.
const EXPECTED: [(&str, u64, u64, Option<&str>); 8] = [
    ("SELECT a FROM t WHERE a = ?", 40, 39, None),
    ("INSERT INTO t VALUES", 1, 2, None),
    ("UPDATE t SET b = ?", 2, 2, None),
    ("SELECT REPEAT(", 5, 5, None),
    ("SELECT a, b FROM t WHERE a < ?", 1, 19, None),
    ("DELETE FROM t WHERE a > ?", 1, 2, None),
    ("select ?", 1, 0, Some("1064/42000")),
    ("SELECT * FROM no_such_table", 1, 0, Some("1146/42S02")),
];

/// The client begins with `select $$`, to learn whether dollars quote: `select ?`, as they do. The server has no digest of
/// what it cannot parse.
const UNCOUNTED: u64 = 1;

fn script() -> String {
    let mut script: String = (0..40).map(|n| format!("SELECT a FROM t WHERE a = {n};\n")).collect();
    script.push_str("INSERT INTO t VALUES (1001, 'hunter2-new'), (1002, 'hunter2-new');\n");
    script.push_str("query_attributes request hunter2-attribute tenant 4929123412341234\n");
    script.push_str(
        "UPDATE t SET b = 'hunter2-x' WHERE a = 1001;\nUPDATE t SET b = 'hunter2-y' WHERE a = 1002;\n",
    );
    script.push_str(&"SELECT REPEAT('hunter2', 30000);\n".repeat(5));
    // The last one: the client reads no further.
    script.push_str(
        "SELECT a, b FROM t WHERE a < 20;\nDELETE FROM t WHERE a > 1000;\nSELECT * FROM no_such_table;\n",
    );
    script
}

fn server() -> MysqlServer {
    let server = MysqlServer::start(&[]).unwrap();
    server
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (a int PRIMARY KEY, b varchar(100)); \
             INSERT INTO d.t WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 900) \
             SELECT a, 'hunter2' FROM n; \
             CREATE USER someone IDENTIFIED WITH caching_sha2_password BY 'hunter2-sha2'; GRANT ALL ON *.* TO someone",
        )
        .unwrap();
    std::fs::write(server.folder().join("script"), script()).unwrap();
    server
}

fn client(server: &MysqlServer, options: &[&str]) -> Command {
    let mut client = server.client();
    client
        .args(["--user=someone", "--password=hunter2-sha2", "--database=d", "--force", "--commands"])
        .args(options);
    client.arg("-e").arg(format!("source {}", server.folder().join("script").display()));
    client
}

/// How many statements the server counted in the database.
fn counted(server: &MysqlServer) -> u64 {
    let sql = "SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_statements_summary_by_digest \
               WHERE SCHEMA_NAME = 'd'";
    server.sql(sql).unwrap().trim().parse().unwrap()
}

fn check(report: &Report, requests: u64) {
    for (text, count, rows, code) in EXPECTED {
        let found: Vec<_> = report.statements.iter().filter(|s| s.text.starts_with(text)).collect();
        assert_eq!(found.len(), 1, "{text}: {:#?}", lines(report));
        let statement = found[0];
        let errors: Vec<_> = statement.errors.iter().map(|e| (e.code.as_str(), e.count)).collect();
        let expected: Vec<_> = code.iter().map(|code| (*code, count)).collect();
        assert_eq!((statement.count, statement.rows, errors), (count, rows, expected), "{statement:?}");
    }
    assert_eq!(report.coverage.requests, requests, "{:#?}", lines(report));
}

#[test]
fn the_client_counts_as_the_server_counts_compressed_or_not() {
    let _one = one_at_a_time();
    let server = server();
    println!("{}", server.sql("SELECT VERSION()").unwrap());
    // The first login sends the password encrypted with the server's key, later ones find it in the server's cache.
    for options in [&[][..], &[], &["--compression-algorithms=zlib"], &["--compression-algorithms=zstd"]] {
        println!("{options:?}");
        let before = counted(&server);
        let (ended, output) = watch(&client(&server, options)).unwrap();
        println!("{output:?}");
        let report = complete(&ended, Gaps::default()).unwrap();
        check(&report, counted(&server) - before + UNCOUNTED);
        let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
        assert_eq!(
            (connection.user.as_deref(), connection.database.as_deref()),
            (Some("someone"), Some("d"))
        );
        assert_eq!(connection.role, Some(Role::Client));
    }
    // The other side.
    let before = counted(&server);
    let dbtap = Dbtap::attach(server.pid().unwrap()).unwrap().start().unwrap();
    client(&server, &[]).output().unwrap();
    let ended = dbtap.interrupt().unwrap();
    check(&complete(&ended, Gaps::default()).unwrap(), counted(&server) - before + UNCOUNTED);
}

#[test]
fn passwords_attributes_and_values_are_in_no_report() {
    let _one = one_at_a_time();
    let server = server();
    for options in [&[][..], &["--compression-algorithms=zstd"]] {
        let reports = watch_in_all_forms(&client(&server, options)).unwrap();
        none_shows(&reports, &["hunter2", "492912341"], "select a from t where a = ?").unwrap();
    }
}
