//! No value that passes may be seen: not as a literal, a bind value, a password, data of a file, a comment or an error's words.

use tests::drivers::mysql_client;
use tests::whole::{none_shows, watch_in_all_forms};

use crate::server::{Database, server, shared};

/// Every secret holds this word, so one search finds any of them, whole or as a piece; and one of digits.
const SECRETS: [&str; 3] = ["hunter2", "4929123412341234", "492912341"];

const SCRIPT: &str = r#"
SELECT 'hunter2-plain', "hunter2-double", 'hunter2\'escaped', 'hunter2''doubled', N'hunter2-national', _utf8mb4'hunter2-set';
SELECT 4929123412341234, -4929123412341234, 4929123412341234.5, 4929123412341234e3, 0x68756E74657232, X'68756E74657232';
/* hunter2 in a comment */ SELECT 1 -- hunter2 in another
;
SELECT 2 # hunter2 in a third
;
/*!50000 SELECT 'hunter2-executable' */;
/*M!100000 SELECT 'hunter2-executable' */;
CREATE USER secretive IDENTIFIED BY 'hunter2-user';
ALTER USER secretive IDENTIFIED BY 'hunter2-altered';
SET PASSWORD FOR secretive = PASSWORD('hunter2-password');
GRANT SELECT ON *.* TO secretive IDENTIFIED BY 'hunter2-granted';
DROP USER secretive;
SET @secret = 'hunter2-variable';
INSERT INTO t VALUES (4929, 'hunter2-row'), (4930, 'hunter2-row');
INSERT INTO t VALUES (4929, 'hunter2-again');
SELECT CAST('hunter2-no-number' AS int);
SELECT 'hunter2-unfinished;
';
SELEC 'hunter2-syntax';
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'hunter2-signalled';
PREPARE p FROM 'SELECT a FROM t WHERE b = ? AND b <> ''hunter2-prepared''';
SET @value = 'hunter2-executed';
EXECUTE p USING @value;
DEALLOCATE PREPARE p;
CREATE TABLE c (a int) COMMENT 'hunter2-comment';
SELECT b FROM t WHERE b IN ('hunter2', 'hunter2-b') AND a BETWEEN 4929123412341234 AND 4929123412341235;
SELECT b FROM t WHERE b LIKE 'hunter2%' ESCAPE '|' OR b REGEXP 'hunter2.*';
"#;

#[test]
fn literals_and_passwords_in_text_are_in_no_report() {
    let _shared = shared();
    let database = Database::new("privacy", "CREATE TABLE t (a bigint PRIMARY KEY, b varchar(100))");
    for options in [&["--comments"][..], &["--comments", "--compress"]] {
        let mut client = database.command("mariadb");
        client.args(options);
        let reports = watch_in_all_forms(&database.script_of(client, SCRIPT)).unwrap();
        none_shows(&reports, &SECRETS, "create user secretive").unwrap();
        let coverage = reports[2].1.report().unwrap().coverage;
        assert!(coverage.requests >= 25 && coverage.answers_unmatched == 0, "{coverage:?}");
        server().sql_in("privacy", "DROP TABLE c; DELETE FROM t").unwrap();
    }
}

#[test]
fn data_of_a_local_file_is_in_no_report() {
    let _shared = shared();
    let database = Database::new("file", "CREATE TABLE t (a bigint, b text)");
    let rows: String = (0..5_000).map(|n| format!("{n}\thunter2 row; SELECT 'hunter2'\n")).collect();
    let script = format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE t;\n", database.file(&rows).display());
    let mut client = database.command("mariadb");
    client.arg("--local-infile=1");
    let reports = watch_in_all_forms(&database.script_of(client, &script)).unwrap();
    none_shows(&reports, &SECRETS, "load data local infile").unwrap();
}

#[test]
fn values_of_drivers_are_in_no_report() {
    let _shared = shared();
    for (driver, name) in [("pymysql", "secrets_pymysql"), ("MySQLdb", "secrets_mysqldb")] {
        let database = Database::new(name, "CREATE TABLE t (a bigint PRIMARY KEY, b varchar(100))");
        let reports = watch_in_all_forms(&database.client(mysql_client(driver, "secrets"))).unwrap();
        none_shows(&reports, &SECRETS, "insert into t").unwrap();
    }
}

#[test]
fn passwords_of_the_login_are_in_no_report() {
    let _shared = shared();
    let database = Database::new("login", "");
    for password in ["hunter2-login", "hunter2-wrong"] {
        let mut client = server().command("mariadb");
        client.args([
            "--user=login",
            &format!("--password={password}"),
            "-e",
            "SELECT CURRENT_USER()",
            "login",
        ]);
        let reports = watch_in_all_forms(&client).unwrap();
        let there = if password.ends_with("login") { "select current_user" } else { "" };
        none_shows(&reports, &SECRETS, there).unwrap();
        let report = reports[2].1.report().unwrap();
        assert_eq!(report.coverage.requests, u64::from(!there.is_empty()), "{:?}", report.coverage);
        assert_eq!(report.connections[0].user.as_deref(), Some(database.name));
    }
}
