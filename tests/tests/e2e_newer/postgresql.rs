//! PostgreSQL 17 with its own pgbench and psql.

use tests::daemon::output;
use tests::postgres::PostgresServer;
use tests::whole::{Gaps, complete, lines, watch};

use crate::one_at_a_time;

fn calls(server: &PostgresServer, kind: &str) -> u64 {
    let sql = format!("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query ILIKE '{kind}%'");
    server.psql(&sql).unwrap().trim().parse().unwrap()
}

#[test]
fn pgbench_counts_as_the_server_counts() {
    let _one = one_at_a_time();
    let server = PostgresServer::start_17(&[
        ("shared_preload_libraries", "pg_stat_statements"),
        ("autovacuum", "off"),
        ("jit", "off"),
    ])
    .unwrap();
    assert!(server.psql("SHOW server_version").unwrap().starts_with("17."));
    server.psql("CREATE EXTENSION pg_stat_statements").unwrap();
    output(server.command("pgbench").args(["-i", "-q", "-I", "dtGp"])).unwrap();
    for protocol in ["simple", "extended", "prepared"] {
        server.psql("SELECT pg_stat_statements_reset()").unwrap();
        let mut client = server.command("pgbench");
        client.args(["-n", "-c", "3", "-j", "2", "-t", "150", "-b", "tpcb-like", "-M", protocol]);
        let (ended, output) = watch(&client).unwrap();
        let said = output.success().unwrap();
        assert!(said.contains("actually processed: 450/450"), "{said}");
        let report = complete(&ended, Gaps::default()).unwrap();
        for (kind, each) in [("UPDATE", 3), ("INSERT", 1), ("SELECT abalance", 1)] {
            let found: u64 =
                report.statements.iter().filter(|s| s.text.starts_with(kind)).map(|s| s.count).sum();
            assert_eq!(
                (found, calls(&server, kind)),
                (450 * each, 450 * each),
                "{protocol} {:#?}",
                lines(&report)
            );
        }
    }
}

/// Case 18: TLS from the first byte, without asking before.
#[test]
fn direct_tls_is_said_to_be_opaque() {
    let _one = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let mut make = std::process::Command::new("openssl");
    make.args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-keyout",
    ]);
    output(make.args([&key, &"-out".into(), &certificate])).unwrap();
    output(std::process::Command::new("chown").args(["-R", "postgres"]).arg(folder.path())).unwrap();
    let path = |path: &std::path::Path| path.display().to_string();
    let (key, certificate) = (path(&key), path(&certificate));
    let settings = [("ssl", "on"), ("ssl_key_file", key.as_str()), ("ssl_cert_file", certificate.as_str())];
    let server = PostgresServer::start_17(&settings).unwrap();
    let mut client = server.command("psql");
    client.env("PGSSLMODE", "require").env("PGSSLNEGOTIATION", "direct");
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let (ended, output) = watch(client.args(["-XAtc", sql])).unwrap();
    assert_eq!(output.success().unwrap(), "t\n");
    let report = ended.report().unwrap();
    assert!(report.statements.is_empty(), "{:#?}", lines(&report));
    let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
    assert!(connection.tls, "{connection:?} {:?}", report.coverage);
    complete(&ended, Gaps { connections_tls_opaque: 1, ..Gaps::default() }).unwrap();
}
