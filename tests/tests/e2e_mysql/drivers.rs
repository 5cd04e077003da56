//! Drivers of applications: PyMySQL, a driver of its own, and mysqlclient, on libmariadb.

use tests::drivers::mysql_client;
use tests::whole::watch;

use crate::expected::check;
use crate::server::{Database, shared};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b varchar(100)); \
                      INSERT INTO t SELECT seq, CONCAT('row ', seq) FROM seq_1_to_1000; \
                      CREATE PROCEDURE several() BEGIN SELECT a FROM t LIMIT 5; SELECT 2, 3; END";

#[test]
fn pymysql_counts_as_the_server_counts() {
    counts_as_the_server_counts("pymysql", "pymysql");
}

#[test]
fn mysqlclient_counts_as_the_server_counts() {
    counts_as_the_server_counts("MySQLdb", "mysqldb");
}

fn counts_as_the_server_counts(driver: &str, name: &'static str) {
    let _shared = shared();
    let database = Database::new(name, SCHEMA);
    let before = database.counted();
    let (ended, output) = watch(&database.client(mysql_client(driver, "normal"))).unwrap();
    output.success().unwrap();
    let counted = database.counted().since(&before);
    println!("{:#?}", counted.show());
    let expected = counted
        .of_messages(&[
            ("SELECT 1 AS x", 1, 1, None),
            ("SELECT 2, 3", 1, 1, None),
            ("UPDATE t SET b = 'm' WHERE a = 1", 1, 1, None),
        ])
        .failed("SELECT * FROM no_such_table", "1146/42S02", 1)
        .failed("SELECT no_such_column FROM t", "1054/42S22", 1)
        .failed("INSERT INTO t (a) VALUES (1)", "1062/23000", 1)
        .exactly("CALL several()", 1, 5 + 1)
        .and("(ping)", 7, 0)
        .and("(init db)", 1, 0);
    assert_eq!((database.commands("Ping"), database.commands("Init DB")), (7, 1));
    check(&ended, &expected);
}
