//! One PostgreSQL server for all tests of this program, and a database for each of them.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use tests::kept::KeptServer;
use tests::postgres::PostgresServer;

use crate::expected::Expected;

/// Tests that compare times run alone; all others share the machine.
static QUIET: RwLock<()> = RwLock::new(());

/// Held by a test that only counts.
pub fn shared() -> RwLockReadGuard<'static, ()> {
    QUIET.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Held by a test that compares times.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    QUIET.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The server: listens on IPv4, IPv6 and a Unix socket, offers TLS, counts statements.
pub fn server() -> &'static PostgresServer {
    static SHARED: OnceLock<KeptServer> = OnceLock::new();
    SHARED.get_or_init(start).server()
}

fn start() -> KeptServer {
    // Later versions count utility statements and rows by other rules: see `Expected::exactly`.
    let server = PostgresServer::start_major(
        15,
        &[
            ("shared_preload_libraries", "pg_stat_statements"),
            ("pg_stat_statements.track_utility", "on"),
            ("pg_stat_statements.max", "20000"),
            ("listen_addresses", "127.0.0.1,::1"),
            ("max_connections", "200"),
            ("deadlock_timeout", "200ms"),
            ("autovacuum", "off"),
            ("jit", "off"),
        ],
    )
    .unwrap();
    server.psql("CREATE EXTENSION pg_stat_statements").unwrap();
    KeptServer::new(server).unwrap()
}

/// A database of one test. Nobody else uses it, so the server's statistics of it are the test's own.
pub struct Database {
    pub name: &'static str,
}

impl Database {
    /// A new one, with this schema.
    pub fn new(name: &'static str, schema: &str) -> Self {
        server().psql(&format!("CREATE DATABASE {name}")).unwrap();
        let database = Self { name };
        if !schema.is_empty() {
            database.psql(schema);
        }
        database
    }

    /// A connection string over TCP.
    pub fn conninfo(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={}", server().port(), self.name)
    }

    /// A connection string over the Unix socket.
    pub fn conninfo_unix(&self) -> String {
        format!(
            "host={} port={} user=postgres dbname={}",
            server().socket_dir().display(),
            server().port(),
            self.name
        )
    }

    /// One of PostgreSQL's own programs, set up to connect here over TCP.
    pub fn command(&self, program: &str) -> Command {
        let mut command = server().command(program);
        command.env("PGDATABASE", self.name);
        command
    }

    /// Runs SQL that is to be counted or not: see [`Self::forget`].
    pub fn psql(&self, sql: &str) -> String {
        let output =
            self.command("psql").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a script of psql, which may use psql's own commands.
    pub fn script(&self, script: &str) -> Command {
        let file = self.file(script);
        let mut command = self.command("psql");
        command.args(["-X", "-q", "-f"]).arg(file);
        command
    }

    /// A file with this content that lives as long as the server.
    pub fn file(&self, content: &str) -> std::path::PathBuf {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = server().socket_dir().join(format!("{}-{number}.sql", self.name));
        std::fs::File::create_new(&path).unwrap().write_all(content.as_bytes()).unwrap();
        path
    }

    /// What the server counted until now is not the test's.
    pub fn forget(&self) {
        self.quiesce();
        server()
            .psql(&format!(
                "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = '{}'), 0)",
                self.name
            ))
            .unwrap();
    }

    /// Returns when nobody is connected any more: only then all is counted.
    pub fn quiesce(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        while server().psql(&sql).unwrap() != "0\n" {
            assert!(Instant::now() < deadline, "somebody stays connected to {}", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the server counted, when all clients have gone.
    pub fn counted(&self) -> Expected {
        self.quiesce();
        self.counted_now()
    }

    /// What the server has counted by now.
    pub fn counted_now(&self) -> Expected {
        let rows = server()
            .psql(&format!(
                "SELECT coalesce(json_agg(json_build_object('query', query, 'calls', calls, 'rows', rows)), \
                 '[]') FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = '{}'",
                self.name
            ))
            .unwrap();
        Expected::of_server(&rows)
    }
}

/// Whole nanoseconds.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}

/// Everything that a command writes to stdout, which must succeed.
pub fn run(command: &mut Command) -> String {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{command:?}: {text}");
    text
}
