//! One MariaDB server for all tests of this program, and a database with its own user for each of them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use tests::kept::KeptServer;
use tests::mariadb::MariadbServer;

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

/// The server.
pub fn server() -> &'static MariadbServer {
    static SHARED: OnceLock<KeptServer<MariadbServer>> = OnceLock::new();
    SHARED.get_or_init(|| KeptServer::new(MariadbServer::start(&[]).unwrap()).unwrap()).server()
}

/// A database of one test, with a user of the same name and the password `hunter2-login`. Nobody else uses them, so the
/// server's statistics of them are the test's own.
pub struct Database {
    pub name: &'static str,
}

impl Database {
    /// A new one, with this schema.
    pub fn new(name: &'static str, schema: &str) -> Self {
        let server = server();
        server
            .sql(&format!(
                "CREATE DATABASE {name}; CREATE USER {name} IDENTIFIED BY 'hunter2-login'; \
                 GRANT ALL ON *.* TO {name}"
            ))
            .unwrap();
        if !schema.is_empty() {
            server.sql_in(name, schema).unwrap();
        }
        let database = Self { name };
        database.forget();
        database
    }

    /// One of MariaDB's own programs as this database's user, over TCP.
    pub fn command(&self, program: &str) -> Command {
        let mut command = server().command(program);
        command.args([&format!("--user={}", self.name), "--password=hunter2-login"]);
        command
    }

    /// `mariadb` with a script on its standard input.
    pub fn script(&self, script: &str) -> Command {
        self.script_of(self.command("mariadb"), script)
    }

    /// As [`Self::script`], of a client that is set up already.
    pub fn script_of(&self, mut client: Command, script: &str) -> Command {
        client
            .args(["--force", "--database", self.name])
            .arg("-e")
            .arg(format!("source {}", self.file(script).display()));
        client
    }

    /// A client of the tests' own, with the place of the server and the session in its environment.
    pub fn client(&self, mut command: Command) -> Command {
        command.env("DB_HOST", "127.0.0.1").env("DB_PORT", server().port().to_string());
        command.env("DB_USER", self.name).env("DB_PASSWORD", "hunter2-login").env("DB_NAME", self.name);
        command
    }

    /// A file with this content that lives as long as the server.
    pub fn file(&self, content: &str) -> PathBuf {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = server().folder().join(format!("{}-{number}", self.name));
        std::fs::write(&path, content).unwrap();
        path
    }

    /// What the server counted until now is not the test's. (Only its own digests: other tests run beside.)
    pub fn forget(&self) {
        self.quiesce();
    }

    /// Returns when nobody is connected any more: only then all is counted.
    pub fn quiesce(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let sql = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{}'", self.name);
        while server().sql(&sql).unwrap() != "0\n" {
            assert!(Instant::now() < deadline, "somebody stays connected as {}", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the server counted of text statements in this database, when all clients have gone.
    pub fn counted(&self) -> Expected {
        self.quiesce();
        self.counted_now()
    }

    /// What the server has counted by now.
    pub fn counted_now(&self) -> Expected {
        Expected::of_server(&server().digests(self.name).unwrap())
    }

    /// How often the server got this command from this user: `Execute`, `Prepare`, `Ping`, ...
    pub fn commands(&self, name: &str) -> u64 {
        server().commands(self.name, name).unwrap()
    }
}

/// Whole nanoseconds.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}
