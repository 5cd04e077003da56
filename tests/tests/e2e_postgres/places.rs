//! Where the two ends are: IPv4, IPv6, Unix socket, TLS, the server's own side, and a pooler between.

use std::path::Path;
use std::process::Command;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, Paused};
use tracer::report::model::{Report, Role};

use crate::expected::{Expected, check};
use crate::psql::watch;
use crate::server::{Database, alone, run, server, shared};

#[test]
fn both_ends_and_the_session_are_named_rightly() {
    let _shared = shared();
    let database = Database::new("names", "CREATE ROLE reader LOGIN");
    let port = server().port();
    let socket = server().socket_dir().join(format!(".s.PGSQL.{port}")).display().to_string();
    let directory = server().socket_dir().display().to_string();
    let hosts =
        [("127.0.0.1", format!("127.0.0.1:{port}")), ("::1", format!("[::1]:{port}")), (&directory, socket)];
    for (host, peer) in hosts {
        println!("{host}");
        database.forget();
        let mut client = database.command("psql");
        client.env("PGHOST", host).env("PGUSER", "reader").args(["-XAtc", "SELECT 1", "-c", "SELECT 2, 3"]);
        let (ended, output) = watch(&client);
        assert_eq!(output.success().unwrap(), "1\n2|3\n");
        let report = check(&ended, &database.counted());
        let connection = report.connections.iter().find(|connection| connection.requests > 0).unwrap();
        let local = connection.local.rsplit_once(':').map_or("", |(address, _)| address);
        assert_eq!((&*connection.peer, local), (&*peer, peer.rsplit_once(':').map_or("", |(peer, _)| peer)));
        assert_eq!(connection.role, Some(Role::Client));
        assert_eq!(connection.user.as_deref(), Some("reader"));
        assert_eq!(connection.database.as_deref(), Some("names"));
        for statement in &report.statements {
            assert_eq!((&*statement.peer, statement.database.as_deref()), (&*peer, Some("names")));
            assert_eq!((&*statement.protocol, &*statement.operation), ("postgresql", "SELECT"));
        }
    }
}

#[test]
fn tls_is_said_to_be_opaque_and_nothing_is_made_of_it() {
    // Alone: the clients of other tests would take up the server's offer.
    let _alone = alone();
    let database = Database::new("tls", "");
    let data = server().psql("SHOW data_directory").unwrap();
    let (certificate, key) =
        (Path::new(data.trim()).join("server.crt"), Path::new(data.trim()).join("server.key"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost"]);
    openssl.arg("-out").arg(&certificate).arg("-keyout").arg(&key).stderr(std::process::Stdio::null());
    run(&mut openssl);
    run(Command::new("chown").arg("postgres").args([&certificate, &key]));
    run(Command::new("chmod").arg("600").arg(&key));
    server().psql("ALTER SYSTEM SET ssl = on").unwrap();
    server().psql("SELECT pg_reload_conf()").unwrap();
    let mut client = database.command("psql");
    client.env("PGSSLMODE", "require").args(["-XAt"]);
    client.args(["-c", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "-c", "SELECT 1"]);
    let (ended, output) = watch(&client);
    server().psql("ALTER SYSTEM RESET ssl").unwrap();
    server().psql("SELECT pg_reload_conf()").unwrap();
    assert_eq!(output.success().unwrap(), "t\n1\n");
    let report = ended.report().unwrap();
    assert!(report.statements.is_empty(), "{:?}", report.statements);
    let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
    assert!(
        connection.tls && connection.protocol.as_deref() == Some("postgresql"),
        "case 17: {connection:?}"
    );
    let coverage = report.coverage;
    assert_eq!((coverage.connections_tls_opaque, coverage.requests, coverage.answers_unmatched), (1, 0, 0));
    assert_eq!((coverage.connections_undecoded, coverage.events_lost, coverage.gaps), (0, 0, 0));
    assert!(coverage.bytes_seen > 1_000);
}

#[test]
fn the_servers_side_counts_the_same() {
    let _shared = shared();
    let database = Database::new("backend", "CREATE TABLE t (a int)");
    let port = server().port();
    let directory = server().socket_dir().display().to_string();
    let socket = format!("{directory}/.s.PGSQL.{port}");
    let hosts =
        [("127.0.0.1", format!("127.0.0.1:{port}")), ("::1", format!("[::1]:{port}")), (&directory, socket)];
    for (host, own) in hosts {
        println!("{host}");
        // One backend process, found by the client itself.
        let mut psql = database.command("psql");
        let mut client = Driver::start(psql.env("PGHOST", host).args(["-XAtq"])).unwrap();
        client.say("SELECT pg_backend_pid();").unwrap();
        let backend = client.hear().unwrap().parse().unwrap();
        let before = database.counted_now();
        let dbtap = Dbtap::attach(backend).unwrap().start().unwrap();
        let lines =
            ["INSERT INTO t SELECT generate_series(1, 50);", "SELECT 50 FROM t LIMIT 1;", "SELECT 1 / 0;"];
        for line in lines {
            client.say(line).unwrap();
        }
        client.hear_line("50").unwrap();
        client.say("SELECT 'end';").unwrap();
        client.hear_line("end").unwrap();
        let ended = dbtap.interrupt().unwrap();
        drop(client);
        let expected = database.counted().since(&before).failed("SELECT 1 / 0", "22012", 1);
        assert_eq!(expected.total(), 4);
        check_server_side(&check(&ended, &expected), &own);
    }
}

#[test]
fn the_postmaster_is_followed_to_its_new_backends() {
    // Alone: every other test would be in the report too.
    let _alone = alone();
    let database = Database::new("postmaster", "");
    database.forget();
    run(database.command("pgbench").args(["-i", "-q", "-I", "dtGp"]).stderr(std::process::Stdio::null()));
    database.forget();
    let dbtap = Dbtap::attach(server().pid().unwrap()).unwrap().start().unwrap();
    run(database.command("pgbench").args([
        "-n",
        "-c",
        "4",
        "-t",
        "100",
        "-M",
        "extended",
        "-b",
        "tpcb-like",
    ]));
    let ended = dbtap.interrupt().unwrap();
    let own = format!("127.0.0.1:{}", server().port());
    check_server_side(&check(&ended, &database.counted()), &own);
}

/// Every session is the server's, at this address of its own.
#[track_caller]
fn check_server_side(report: &Report, own: &str) {
    for connection in report.connections.iter().filter(|connection| connection.protocol.is_some()) {
        assert_eq!((connection.role, &*connection.local), (Some(Role::Server), own), "{connection:?}");
    }
    for statement in &report.statements {
        assert_eq!(statement.peer, own, "the server's address: {statement:?}");
    }
}

/// PgBouncer in transaction mode in front of the shared server.
struct Pooler {
    bouncer: Driver,
    port: u16,
    _folder: tempfile::TempDir,
}

fn pooler(database: &Database) -> Pooler {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let users = folder.path().join("users");
    let settings = folder.path().join("pgbouncer.ini");
    std::fs::write(&users, "\"postgres\" \"\"\n").unwrap();
    let text = format!(
        "[databases]\n{name} = host=127.0.0.1 port={server} dbname={name}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {users}\npool_mode = transaction\n\
         default_pool_size = 2\nserver_reset_query =\nserver_check_delay = 600\n",
        name = database.name,
        server = server().port(),
        users = users.display(),
    );
    std::fs::write(&settings, text).unwrap();
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(folder.path()));
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", "pgbouncer", "-q"]);
    let bouncer = Driver::start(command.arg(&settings)).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < deadline, "pgbouncer does not listen: {}", bouncer.stderr());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Pooler { bouncer, port, _folder: folder }
}

#[test]
fn a_pooler_shows_both_of_its_sides() {
    let _shared = shared();
    let database = Database::new("pooler", "");
    run(database.command("pgbench").args(["-i", "-q", "-I", "dtGp"]).stderr(std::process::Stdio::null()));
    let pooler = pooler(&database);
    database.forget();
    let mut client = database.command("pgbench");
    client.env("PGPORT", pooler.port.to_string());
    client.args(["-n", "-c", "6", "-j", "2", "-M", "extended", "-t", "50", "-b", "tpcb-like"]);
    let mut paused = Paused::new(&client).unwrap();
    let at_client = Dbtap::attach(paused.pid()).unwrap().start().unwrap();
    let at_pooler = Dbtap::attach(pooler.bouncer.pid()).unwrap().start().unwrap();
    paused.go().unwrap();
    let output = paused.wait().unwrap();
    let (at_client, at_pooler) = (at_client.interrupt().unwrap(), at_pooler.interrupt().unwrap());
    output.success().unwrap();
    // Two captures at once, of two processes: each sees its own.
    drop(pooler.bouncer);
    let counted = database.counted();
    // The pooler's own, on each of its two connections to the server.
    let own = "SET application_name = 'pgbench'";
    assert_eq!(counted.count(own), 2);
    let asked = counted.clone().without(own);
    check(&at_client, &asked);
    let report = at_pooler.report().unwrap();
    let side = |role: Role| -> (u64, Report) {
        let peer = match role {
            Role::Server => format!("127.0.0.1:{}", pooler.port),
            Role::Client => format!("127.0.0.1:{}", server().port()),
        };
        let of_side = |c: &&tracer::report::model::Connection| c.role == Some(role);
        let requests = report.connections.iter().filter(of_side).map(|connection| connection.requests).sum();
        let mut part = report.clone();
        part.statements.retain(|statement| statement.peer == peer);
        (requests, part)
    };
    for (role, counted) in [(Role::Server, &asked), (Role::Client, &counted)] {
        let (requests, part) = side(role);
        assert_eq!(requests, counted.total(), "case 10: {role:?} {:?}", report.connections);
        assert_eq!(Expected::of_report(&part), *counted, "{role:?}");
    }
    assert_eq!(
        (report.coverage.answers_unmatched, report.coverage.events_lost),
        (0, 0),
        "{:?}",
        report.coverage
    );
    assert_eq!(
        (at_pooler.code, report.coverage.connections_undecoded),
        (Some(0), 0),
        "{:?}",
        report.connections
    );
}
