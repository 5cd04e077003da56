//! Logins that the server refuses, and a statement that runs already when the capture begins.

use std::process::Command;

use tests::dbtap::Dbtap;
use tests::drivers::Paused;
use tests::whole::{Gaps, complete, lines, none_shows, watch_in_all_forms};

use crate::server::{Database, server, shared};

#[test]
fn refused_logins_are_counted_by_code_and_user() {
    let _shared = shared();
    let database = Database::new("refused", "");
    let login =
        format!("mariadb --no-defaults --host=127.0.0.1 --port={} --user={}", server().port(), database.name);
    let script = format!(
        "for n in 1 2 3 4 5; do {login} --password=hunter2-wrong -e 'SELECT 1'; done; \
         {login} --password=hunter2-login no_such_database -e 'SELECT 2'; \
         {login} --password=hunter2-login -e 'SELECT 3'"
    );
    let reports = watch_in_all_forms(Command::new("sh").args(["-c", &script])).unwrap();
    none_shows(&reports, &["hunter2"], "select ?").unwrap();
    let report = reports[2].1.report().unwrap();
    let refused: Vec<_> = report
        .logins_refused
        .iter()
        .map(|refused| (&*refused.protocol, &*refused.code, refused.user.as_deref(), refused.count))
        .collect();
    let expected = [("mysql", "1045/28000", Some("refused"), 5), ("mysql", "1049/42000", Some("refused"), 1)];
    assert_eq!(refused, expected);
    assert_eq!(report.coverage.requests, 1, "{:#?}", lines(&report));
    assert!(report.coverage.complete);
    assert_eq!(report.connections.iter().filter(|connection| connection.login_error.is_some()).count(), 6);
    let table = reports[0].1.text();
    let line = "5x  1045/28000 ER_ACCESS_DENIED_ERROR, user refused";
    assert!(table.contains("LOGINS FAILED: 6") && table.contains(line), "{table}");
}

/// Case 67: the answer is counted apart, and what follows it on the same connection is right.
#[test]
fn a_statement_that_runs_when_the_capture_begins_is_counted_as_such() {
    let _shared = shared();
    let database = Database::new("runs_already", "");
    let script = "SELECT SLEEP(8), 1;\nSELECT 1, 1, 1;\nSELECT 2, 2, 2;\nSELECT 3, 3, 3;\n";
    let mut client = Paused::new(&database.script(script)).unwrap();
    client.go().unwrap();
    let sql = "SELECT COUNT(*) FROM information_schema.processlist \
               WHERE user = 'runs_already' AND state = 'User sleep'";
    while server().sql(sql).unwrap() != "1\n" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.wait().unwrap().success().unwrap();
    let report =
        complete(&dbtap.interrupt().unwrap(), Gaps { started_before: 1, ..Gaps::default() }).unwrap();
    assert_eq!(lines(&report).len(), 1, "{:#?}", lines(&report));
    let statement = &report.statements[0];
    assert_eq!((&*statement.text, statement.count), ("SELECT ?, ?, ?", 3));
    assert!(statement.latency.max_ns < 2_000_000_000, "{statement:?}");
    assert!(report.connections[0].opened_before);
}
