//! Where a capture looks from: the server's side, and a connection that turns to TLS.

use std::process::Command;

use tests::daemon::output;
use tests::dbtap::Dbtap;
use tests::mariadb::MariadbServer;
use tests::whole::{Gaps, complete, lines, watch};
use tracer::report::model::Role;

use crate::expected::check;
use crate::server::{Database, alone, server, shared};

const SCHEMA: &str = "CREATE TABLE t (a int PRIMARY KEY, b varchar(100)); \
                      INSERT INTO t SELECT seq, CONCAT('row ', seq) FROM seq_1_to_1000";

#[test]
fn the_servers_side_counts_the_same() {
    // Alone: every other test would be in the report too.
    let _alone = alone();
    let database = Database::new("server_side", SCHEMA);
    let before = database.counted();
    let dbtap = Dbtap::attach(server().pid().unwrap()).unwrap().start().unwrap();
    let script: String = (0..50)
        .map(|n| {
            format!("SELECT a FROM t WHERE a = {n};\nSELECT b FROM t WHERE a < 30;\nSELECT * FROM no_such;\n")
        })
        .collect();
    // No success: the last statement fails.
    database.script(&script).output().unwrap();
    let ended = dbtap.interrupt().unwrap();
    let expected = database.counted().since(&before).failed("SELECT * FROM no_such", "1146/42S02", 50);
    let report = check(&ended, &expected);
    let own = format!("127.0.0.1:{}", server().port());
    for connection in report.connections.iter().filter(|connection| connection.protocol.is_some()) {
        assert_eq!((connection.role, &*connection.local), (Some(Role::Server), &*own), "{connection:?}");
        assert_eq!(connection.user.as_deref(), Some("server_side"));
    }
    for statement in &report.statements {
        assert_eq!(statement.peer, own, "the server's address: {statement:?}");
    }
}

#[test]
fn the_servers_side_counts_prepared_statements() {
    let _alone = alone();
    let database = Database::new("server_prepared", "");
    let sysbench = |action: &[&str]| {
        let mut command = Command::new("sysbench");
        command.args(["oltp_read_write", "--tables=1", "--table-size=500", "--mysql-host=127.0.0.1"]);
        command.args([
            "--mysql-user=server_prepared",
            "--mysql-password=hunter2-login",
            "--mysql-db=server_prepared",
        ]);
        command.arg(format!("--mysql-port={}", server().port())).args(action);
        output(&mut command).unwrap()
    };
    sysbench(&["prepare"]);
    let before = database.commands("Execute");
    let dbtap = Dbtap::attach(server().pid().unwrap()).unwrap().start().unwrap();
    // One thread: with two, deadlocks would have it say some statements again.
    sysbench(&["--threads=1", "--time=0", "--events=200", "run"]);
    let report = complete(&dbtap.interrupt().unwrap(), Gaps::default()).unwrap();
    let executed = database.commands("Execute") - before;
    // 18 statements, BEGIN and COMMIT.
    assert_eq!((executed, report.coverage.requests), (200 * 20, 200 * 20), "{:#?}", lines(&report));
}

/// Case 76: a connection that begins in clear and goes on in TLS. (What is inside needs another source.)
#[test]
fn a_connection_that_turns_to_tls_is_said_to_be_opaque() {
    let _shared = shared();
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    output(
        Command::new("openssl")
            .args([
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
            ])
            .args([&key, &"-out".into(), &certificate]),
    )
    .unwrap();
    output(Command::new("chmod").args(["-R", "a+rX"]).arg(folder.path())).unwrap();
    let option = |name: &str, path: &std::path::Path| format!("--ssl-{name}={}", path.display());
    let server = MariadbServer::start(&[&option("key", &key), &option("cert", &certificate)]).unwrap();
    let mut client = server.command("mariadb");
    client.args(["--ssl", "-NBe", "SHOW STATUS LIKE 'ssl_cipher'; SELECT 1"]);
    let (ended, output) = watch(&client).unwrap();
    let said = output.success().unwrap();
    assert!(said.starts_with("Ssl_cipher\tTLS") && said.ends_with("\n1\n"), "{said:?}");
    let report = complete(&ended, Gaps { connections_tls_opaque: 1, ..Gaps::default() }).unwrap();
    assert!(report.statements.is_empty(), "{:#?}", lines(&report));
    let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
    assert!(connection.tls && connection.protocol.as_deref() == Some("mysql"), "{connection:?}");
}
