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
    check(&ended, &counted);
}
