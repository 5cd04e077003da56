//! The private servers themselves: they start, both kinds of sockets answer, they count, and nothing of them stays.

use std::path::Path;

use tests::mariadb::MariadbServer;
use tests::memcached::MemcachedServer;
use tests::redis::RedisServer;

/// What drops the server, and what must be gone then.
fn leaves_nothing(pid: u32, folder: &Path, drop: impl FnOnce()) {
    let command_line = || std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(folder.exists() && !command_line().is_empty());
    drop();
    assert!(!folder.exists() && command_line().is_empty());
}

#[test]
fn mariadb_answers_on_both_sockets_and_counts_by_digest() {
    let server = MariadbServer::start(&["--max-connections=17"]).unwrap();
    assert_eq!(
        server.sql("SELECT @@max_connections; SELECT 'a\tb', USER()").unwrap(),
        "17\na\tb\troot@127.0.0.1\n"
    );
    let unix = server.command_unix("mariadb").args(["-NBe", "SELECT USER()"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&unix.stdout), "root@localhost\n");
    assert!(server.sql("SELECT no_such_column").unwrap_err().to_string().contains("no_such_column"));
    server.sql("CREATE DATABASE d; CREATE TABLE d.t (a int)").unwrap();
    server.forget_digests().unwrap();
    server
        .sql_in("d", "INSERT INTO t VALUES (1), (2); SELECT * FROM t; SELECT a FROM t WHERE a = 1")
        .unwrap();
    let mut digests = server.digests("d").unwrap();
    digests.sort_by(|a, b| a.text.cmp(&b.text));
    let counts: Vec<_> = digests.iter().map(|d| (d.count, d.errors, d.rows_sent, d.rows_affected)).collect();
    assert_eq!(counts, [(1, 0, 0, 2), (1, 0, 2, 0), (1, 0, 1, 0)], "{digests:?}");
    assert!(server.commands("root", "insert").unwrap() >= 1);
    assert_eq!(server.commands("root", "Execute").unwrap(), 0);
    let (pid, folder) = (server.pid().unwrap(), server.folder().to_owned());
    leaves_nothing(pid, &folder, || drop(server));
}

#[test]
fn redis_answers_on_both_sockets_and_counts_by_command() {
    let server = RedisServer::start(&["--requirepass", "secret", "--maxmemory", "90mb"]).unwrap();
    server.forget().unwrap();
    assert_eq!(server.cli(["SET", "key", "value"]).unwrap(), "OK\n");
    assert_eq!(server.cli(["LPOP", "key"]).unwrap().split(' ').next(), Some("WRONGTYPE"));
    assert_eq!(server.cli(["CONFIG", "GET", "maxmemory"]).unwrap(), "maxmemory\n94371840\n");
    let unix = server.command_unix("redis-cli").env("REDISCLI_AUTH", "secret").args(["GET", "key"]).output();
    assert_eq!(unix.unwrap().stdout, b"value\n");
    let stats = server.command_stats().unwrap();
    assert_eq!((stats["set"].calls, stats["get"].calls, stats["config|get"].calls), (1, 1, 1));
    assert_eq!((stats["lpop"].calls, stats["lpop"].failed), (1, 1));
    let (pid, folder) = (server.pid().unwrap(), server.folder().to_owned());
    leaves_nothing(pid, &folder, || drop(server));
}

#[test]
fn memcached_answers_on_either_socket_and_counts() {
    for server in [MemcachedServer::start(&["-m", "32"]).unwrap(), MemcachedServer::start_unix(&[]).unwrap()]
    {
        let missing = std::process::Command::new("memcexist")
            .arg(format!("--servers={}", server.address()))
            .arg("key")
            .output()
            .unwrap();
        assert!(!missing.status.success());
        let stats = server.stats().unwrap();
        assert_eq!(stats["cmd_set"] + stats["cmd_get"], 1, "memcexist asks by add or get: {stats:?}");
        let (pid, folder) = (server.pid().unwrap(), server.folder().to_owned());
        leaves_nothing(pid, &folder, || drop(server));
    }
}
