//! What only RESP3 has: invalidations of a client-side cache between the answers, and passwords inside HELLO.

use tests::drivers::raw_client;
use tests::redis::RedisServer;
use tests::whole::{Gaps, none_shows, watch, watch_in_all_forms};

use crate::expected::{Expected, check_with};
use crate::shared;

#[test]
fn invalidations_are_pushed_and_in_no_latency() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let mut client = raw_client("tracking");
    client.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string());
    let (ended, output) = watch(&client).unwrap();
    let output = output.success().unwrap();
    let expected = Expected::of_server(&server);
    let pushed: u64 = output.trim().parse().unwrap();
    let report = check_with(&ended, &expected, Gaps { pushed, ..Gaps::default() });
    assert_eq!((pushed, expected.count("get"), expected.count("set")), (20, 20, 40));
    // Each invalidation came 50 ms or more behind the answer to the GET before it.
    let get = report.statements.iter().find(|s| s.text == "GET cached:?").unwrap();
    assert_eq!((get.count, get.rows), (20, 20));
    assert!(get.latency.p50_ns < 40_000_000, "{get:?}");
}

#[test]
fn a_password_inside_hello_is_in_no_report() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.cli(["ACL", "SETUSER", "alice", "on", ">hunter2-hello", "~*", "+@all"]).unwrap();
    let mut client = raw_client("hello");
    client.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string());
    client.env("DB_USER", "alice").env("DB_PASSWORD", "hunter2-hello");
    let reports = watch_in_all_forms(&client).unwrap();
    none_shows(&reports, &["hunter2"], "set user:?").unwrap();
    let report = reports[2].1.report().unwrap();
    assert_eq!((report.coverage.requests, report.coverage.answers_unmatched), (5, 0));
    assert_eq!(report.connections[0].user.as_deref(), Some("alice"));
    let hello = report.statements.iter().find(|s| s.operation == "HELLO").unwrap();
    let errors: Vec<_> = hello.errors.iter().map(|error| (&*error.code, error.count)).collect();
    assert_eq!((hello.count, errors), (2, vec![("WRONGPASS", 1)]), "{hello:?}");
}
