//! Counts against the server's own statistics: text, meta and binary commands, from either side.

use std::collections::BTreeMap;
use std::process::Command;

use tests::dbtap::{Dbtap, Ended};
use tests::drivers::{Driver, memcached_client};
use tests::memcached::MemcachedServer;
use tests::whole::{Gaps, complete, lines, watch};
use tracer::report::model::{Report, Role};

/// Requests and rows of the statements whose first word is this.
fn of(report: &Report, word: &str) -> (u64, u64) {
    let same = report.statements.iter().filter(|s| s.text.split(' ').next() == Some(word));
    same.fold((0, 0), |(count, rows), s| (count + s.count, rows + s.rows))
}

/// Errors of all statements, by code.
fn errors(report: &Report) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    for error in report.statements.iter().flat_map(|statement| &statement.errors) {
        *errors.entry(error.code.clone()).or_default() += error.count;
    }
    errors
}

fn client(server: &MemcachedServer, mode: &str) -> Command {
    let mut command = memcached_client(mode);
    command.env("DB_HOST", "127.0.0.1").env("DB_PORT", server.port().to_string());
    if server.port() == 0 {
        command.env("DB_SOCKET", server.address());
    }
    command
}

/// What the statistics of the text protocol say of pymemcache's mode `normal`.
fn check_normal(ended: &Ended, server: &MemcachedServer) -> Report {
    let stats = server.stats().unwrap();
    let report = complete(ended, Gaps::default()).unwrap();
    println!("{stats:#?} {:#?}", lines(&report));
    let count = |word| of(&report, word).0;
    // A get of many keys is one request; each value found is a row. The server counts keys.
    assert_eq!(of(&report, "get"), (300 + 10 + 1, 200 + 500 + 1));
    assert_eq!(of(&report, "gets"), (1, 1));
    assert_eq!(stats["get_hits"], of(&report, "get").1 + 1);
    assert_eq!(stats["cmd_get"], 300 + 10 * 100 + 1 + 1);
    // Every command that stores, with those that stored nothing; the one that is too large is not counted by the server.
    let stores = ["set", "add", "replace", "append", "prepend", "cas"].map(count);
    assert_eq!(stores, [200 + 1 + 1 + 1, 2, 1, 1, 1, 2]);
    assert_eq!(stats["cmd_set"] + 1, stores.iter().sum::<u64>());
    assert_eq!(stats["cmd_touch"], count("touch"));
    assert_eq!(stats["delete_hits"] + stats["delete_misses"], count("delete"));
    assert_eq!(stats["incr_hits"] + stats["incr_misses"] + 1, count("incr"), "one was refused");
    assert_eq!(stats["decr_hits"] + stats["decr_misses"], count("decr"));
    let errors = errors(&report);
    assert_eq!((errors["CLIENT_ERROR"], errors["SERVER_ERROR"], errors.len()), (1, 1, 2), "{errors:?}");
    assert_eq!(report.coverage.requests, report.statements.iter().map(|s| s.count).sum::<u64>());
    report
}

#[test]
fn pymemcache_counts_as_the_server_counts_over_either_socket() {
    for server in [MemcachedServer::start(&[]).unwrap(), MemcachedServer::start_unix(&[]).unwrap()] {
        let (ended, output) = watch(&client(&server, "normal")).unwrap();
        output.success().unwrap();
        let report = check_normal(&ended, &server);
        // The driver connects anew after each error.
        assert_eq!(report.connections.len(), 3);
        for connection in &report.connections {
            assert_eq!((connection.role, &*connection.peer), (Some(Role::Client), &*server.address()));
        }
        let page = report.statements.iter().find(|s| s.text == "get page:?").unwrap();
        assert!(page.answer_bytes > 21 * 20_000, "{page:?}");
    }
}

#[test]
fn the_servers_side_counts_the_same() {
    let server = MemcachedServer::start(&[]).unwrap();
    let dbtap = Dbtap::attach(server.pid().unwrap()).unwrap().start().unwrap();
    tests::daemon::output(&mut client(&server, "normal")).unwrap();
    let ended = dbtap.interrupt().unwrap();
    let report = check_normal(&ended, &server);
    for statement in &report.statements {
        assert_eq!(statement.peer, server.address(), "the server's address: {statement:?}");
    }
    let side = report.connections.iter().filter_map(|connection| connection.role);
    assert!(side.eq([Role::Server; 3]), "{:?}", report.connections);
}

#[test]
fn commands_without_an_answer_shift_nothing() {
    let server = MemcachedServer::start(&[]).unwrap();
    let (ended, output) = watch(&client(&server, "quiet")).unwrap();
    output.success().unwrap();
    let report = complete(&ended, Gaps::default()).unwrap();
    let stats = server.stats().unwrap();
    assert_eq!((stats["cmd_set"], stats["cmd_get"], stats["get_hits"]), (600, 51, 51));
    assert_eq!((report.coverage.requests, of(&report, "get")), (51, (51, 51)), "{:#?}", lines(&report));
}

#[test]
fn meta_commands_count_as_the_server_counts() {
    let server = MemcachedServer::start(&[]).unwrap();
    let (ended, output) = watch(&client(&server, "meta")).unwrap();
    output.success().unwrap();
    let report = complete(&ended, Gaps::default()).unwrap();
    println!("{:#?}", lines(&report));
    let stats = server.stats().unwrap();
    // 50 stores (one row each, as STORED is) and 50 hits alone, 20 misses, and 25 hits of 50 quiet ones in one piece.
    assert_eq!(of(&report, "ms"), (50, 50));
    assert_eq!(of(&report, "mg"), (50 + 20 + 25, 50 + 25));
    assert_eq!((stats["get_hits"], stats["cmd_set"] >= 50), (75, true), "{stats:?}");
    assert_eq!(of(&report, "ma").0, 2);
    // The quiet one that deleted says nothing.
    assert_eq!(of(&report, "md").0, 1);
    assert_eq!((of(&report, "mn").0, of(&report, "me").0), (2, 1));
}

#[test]
fn commands_in_one_piece_have_an_answer_each() {
    let server = MemcachedServer::start(&[]).unwrap();
    let (ended, output) = watch(&client(&server, "pipelined")).unwrap();
    output.success().unwrap();
    let report = complete(&ended, Gaps::default()).unwrap();
    println!("{:#?}", lines(&report));
    let stats = server.stats().unwrap();
    assert_eq!(of(&report, "get"), (100 + 1 + 2, 100 + 100 + 2));
    assert_eq!(stats["get_hits"], 100 + 100 + 2);
    assert_eq!(of(&report, "set").0, 100 + 1);
    assert_eq!(errors(&report).values().sum::<u64>(), 2);
}

#[test]
fn binary_commands_count_as_the_server_counts() {
    let server = MemcachedServer::start(&[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("one", 10), ("two", 3), ("three", 20_000)] {
        std::fs::write(folder.path().join(name), "x".repeat(bytes)).unwrap();
    }
    // Every program closes its own connection.
    let script = "cd \"$1\"; s=--servers=$2; memccp --binary $s one two three; memccat --binary $s one two none; \
                  memcexist --binary $s one; memcrm --binary $s one none; memctouch --binary $s --expire=9 two; \
                  memcslap --binary $s --concurrency=3 --execute-number=200 --initial-load=50 --test=get; \
                  memcslap --binary $s --concurrency=3 --execute-number=20 --initial-load=50 --test=mget";
    let mut client = Command::new("sh");
    client.args(["-c", script, "sh"]).arg(folder.path()).arg(server.address());
    let (ended, output) = watch(&client).unwrap();
    println!("{output:?}");
    let report = complete(&ended, Gaps::default()).unwrap();
    let stats = server.stats().unwrap();
    println!("{stats:#?} {:#?}", lines(&report));
    let rows: u64 = ["get", "gets", "getk"].iter().map(|word| of(&report, word).1).sum();
    assert_eq!(stats["get_hits"], rows, "every value found is a row");
    assert_eq!(stats["cmd_set"], of(&report, "set").0 + of(&report, "add").0);
    assert_eq!(stats["delete_hits"] + stats["delete_misses"], of(&report, "delete").0);
    assert_eq!(stats["cmd_touch"], of(&report, "touch").0);
}

#[test]
fn a_connection_that_is_never_idle_is_joined_and_counted_exactly() {
    let server = MemcachedServer::start(&[]).unwrap();
    let mut client = Driver::start(&mut client(&server, "busy")).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let counted: u64 = client.hear().unwrap().parse().unwrap();
    let ended = dbtap.interrupt().unwrap();
    let report = ended.report().unwrap();
    let gaps = Gaps { started_before: report.coverage.started_before, ..Gaps::default() };
    complete(&ended, gaps).unwrap();
    let second = report.statements.iter().find(|s| s.text == "get second:?").unwrap();
    assert!(counted > 500 && gaps.started_before <= 1, "{:?}", report.coverage);
    assert_eq!(second.count, counted, "{:#?}", lines(&report));
    assert!(report.connections[0].opened_before);
}
