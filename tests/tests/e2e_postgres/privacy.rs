//! No value that passes may be seen: not as a literal, a bind value, a password, COPY data, a comment or an error's words.

use std::path::Path;

use tests::dbtap::{Dbtap, Ended};
use tests::drivers::{Paused, psycopg};

use crate::server::{Database, server, shared};

/// Every secret holds this word, so one search finds any of them, whole or as a piece.
const MARK: &str = "hunter2";
/// A secret of digits.
const NUMBER: &str = "4929123412341234";

const SCRIPT: &str = r#"
SELECT 'hunter2-plain', E'hunter2\tescaped', U&'hunter2\0041', $$hunter2 dollars$$, $tag$hunter2 $$ tag$tag$, B'1010';
SELECT 4929123412341234, -4929123412341234, 4929123412341234.5, 4929123412341234e3;
/* hunter2 in a comment */ SELECT 1 -- hunter2 in another
;
/*+ SeqScan(t) 'hunter2' */ SELECT count(*) FROM t WHERE b = 'hunter2';
CREATE ROLE secretive LOGIN PASSWORD 'hunter2-role';
ALTER ROLE secretive PASSWORD 'hunter2-changed';
ALTER USER secretive WITH ENCRYPTED PASSWORD 'hunter2-encrypted' VALID UNTIL '2030-01-01';
SET my.secret = 'hunter2-set';
SET application_name = 'hunter2-application';
SELECT set_config('my.other', 'hunter2-config', false);
INSERT INTO t VALUES (4929, 'hunter2-row'), (4930, 'hunter2-row');
INSERT INTO t VALUES (4929, 'hunter2-again');
SELECT 'hunter2-no-number'::int;
SELECT 'hunter2-unfinished;
';
SELEC 'hunter2-syntax';
DO $do$ BEGIN RAISE NOTICE 'hunter2-notice'; RAISE EXCEPTION 'hunter2-raised'; END $do$;
LISTEN c;
NOTIFY c, 'hunter2-payload';
PREPARE p (text) AS SELECT a FROM t WHERE b = $1 AND b <> 'hunter2-prepared';
EXECUTE p ('hunter2-executed');
COPY t FROM STDIN;
5000	hunter2-copied
\.
COPY t TO STDOUT;
DECLARE c CURSOR WITH HOLD FOR SELECT b FROM t WHERE b LIKE 'hunter2%';
FETCH ALL FROM c;
COMMENT ON TABLE t IS 'hunter2-comment';
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''hunter2-body''';
SELECT f();
ALTER SYSTEM SET log_line_prefix = 'hunter2';
ALTER SYSTEM RESET log_line_prefix;
SELECT b FROM t WHERE b IN ('hunter2', 'hunter2-b') AND a BETWEEN 4929123412341234 AND 4929123412341235;
"#;

/// Watches a client with every form of report at once.
fn watch_in_all_forms(client: &std::process::Command) -> Vec<(&'static str, Ended)> {
    let mut paused = Paused::new(client).unwrap();
    let pid = paused.pid().to_string();
    let forms = ["table", "csv", "json"].map(|form| {
        let dbtap = Dbtap::with(["attach", &pid, "--duration", "10m", "--format", form]).unwrap();
        (form, dbtap.start().unwrap())
    });
    paused.go().unwrap();
    let output = paused.wait().unwrap();
    println!("{}", output.stderr);
    forms.into_iter().map(|(form, running)| (form, running.interrupt().unwrap())).collect()
}

#[track_caller]
fn assert_no_secret(reports: &[(&'static str, Ended)], at_least: &str) {
    for (form, ended) in reports {
        let (stdout, stderr) = (ended.text(), &ended.stderr);
        for secret in [MARK, NUMBER, "492912341"] {
            let show = |text: &str| {
                text.match_indices(secret)
                    .map(|(at, _)| text[at.saturating_sub(60)..].chars().take(120).collect())
                    .collect::<Vec<String>>()
            };
            assert!(!stdout.contains(secret), "{form}: {:#?}", show(&stdout));
            assert!(!stderr.contains(secret), "{form}: {:#?}", show(stderr));
        }
        // It was there to be seen. CSV has statements and nothing else.
        if *form == "csv" && at_least.starts_with(|letter: char| letter.is_ascii_digit()) {
            continue;
        }
        assert!(stdout.to_lowercase().contains(at_least), "{form}: {stdout}");
    }
}

#[test]
fn literals_passwords_and_copied_data_are_in_no_report() {
    let _shared = shared();
    let database = Database::new("privacy", "CREATE TABLE t (a int PRIMARY KEY, b text)");
    let reports = watch_in_all_forms(&database.script(SCRIPT));
    assert_no_secret(&reports, "create role secretive");
    let report = reports[2].1.report().unwrap();
    assert_eq!((report.coverage.requests, report.coverage.answers_unmatched), (30, 0));
}

#[test]
fn bind_values_are_in_no_report() {
    let _shared = shared();
    let database = Database::new("bound", "CREATE TABLE t (a bigint PRIMARY KEY, b text)");
    let reports = watch_in_all_forms(&psycopg("secrets", &database.conninfo()));
    assert_no_secret(&reports, "insert into t values");
}

#[test]
fn passwords_of_the_start_up_are_in_no_report() {
    let _shared = shared();
    let database = Database::new(
        "passwords",
        "SET password_encryption = 'md5'; CREATE ROLE by_md5 LOGIN PASSWORD 'hunter2-md5'",
    );
    database.psql("CREATE ROLE by_scram LOGIN PASSWORD 'hunter2-scram'; CREATE ROLE in_clear LOGIN PASSWORD 'hunter2-clear'");
    let data = server().psql("SHOW data_directory").unwrap();
    let rules = Path::new(data.trim()).join("pg_hba.conf");
    let old = std::fs::read_to_string(&rules).unwrap();
    let methods = [("by_md5", "md5"), ("by_scram", "scram-sha-256"), ("in_clear", "password")];
    let new: String =
        methods.iter().map(|(role, method)| format!("host all {role} all {method}\n")).collect();
    std::fs::write(&rules, new + &old).unwrap();
    server().psql("SELECT pg_reload_conf()").unwrap();
    for (role, password) in
        [("by_md5", "hunter2-md5"), ("by_scram", "hunter2-scram"), ("in_clear", "hunter2-clear")]
    {
        let mut client = database.command("psql");
        client.env("PGUSER", role).env("PGPASSWORD", password).args(["-XAtc", "SELECT current_user"]);
        let reports = watch_in_all_forms(&client);
        assert_no_secret(&reports, "select current_user");
        assert_eq!(reports[2].1.report().unwrap().connections[0].user.as_deref(), Some(role));
        // A wrong one: the session is refused.
        let reports = watch_in_all_forms(client.env("PGPASSWORD", "hunter2-wrong"));
        assert_no_secret(&reports, "127.0.0.1");
        let coverage = reports[2].1.report().unwrap().coverage;
        assert_eq!((coverage.requests, coverage.answers_unmatched), (0, 0), "{coverage:?}");
    }
}
