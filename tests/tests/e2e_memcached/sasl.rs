//! The binary protocol with a login (SASL PLAIN): requests, and no password anywhere.

use tests::drivers::raw_client;
use tests::memcached::MemcachedServer;
use tests::whole::{none_shows, watch_in_all_forms};

#[test]
fn a_sasl_login_shows_no_password_and_shifts_nothing() {
    let server = MemcachedServer::start_sasl("alice", "hunter2-sasl").unwrap();
    let mut client = raw_client("sasl");
    client.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string());
    client.env("DB_USER", "alice").env("DB_PASSWORD", "hunter2-sasl");
    let reports = watch_in_all_forms(&client).unwrap();
    none_shows(&reports, &["hunter2"], "get user:?").unwrap();
    let report = reports[2].1.report().unwrap();
    let errors = |s: &tracer::report::model::Statement| -> Vec<String> {
        s.errors.iter().map(|error| format!(" {}x{}", error.count, error.code)).collect()
    };
    let shown: Vec<String> = report
        .statements
        .iter()
        .map(|s| format!("{} {} {}{}", s.text, s.count, s.rows, errors(s).concat()))
        .collect();
    let has =
        |line: &str| assert!(shown.iter().any(|shown| shown.starts_with(line)), "no {line}: {shown:#?}");
    // One get came before the login, and was refused.
    has("get user:? 4 3");
    has("set user:? 1");
    assert_eq!((report.coverage.answers_unmatched, report.coverage.requests), (0, 8), "{shown:#?}");
}
