//! A private MariaDB server for one test: its own data, its own port, gone when dropped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use tests::mariadb::MariadbServer;
//! let server = MariadbServer::start(&["--max-connections=200"])?;
//! server.sql("CREATE DATABASE d; CREATE TABLE d.t (a int)")?;
//! assert_eq!(server.sql_in("d", "SELECT COUNT(*) FROM t")?, "0\n");
//! let status = server.command("mariadb").args(["d", "-e", "SELECT * FROM t"]).status()?;
//! for digest in server.digests("d")? {
//!     println!("{} times {}", digest.count, digest.text);
//! }
//! # Ok(()) }
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::daemon::{Daemon, free_port, output};

/// The unprivileged user that the server runs as when the test runs as root.
const SERVER_USER: &str = "mysql";

/// A running server. Listens on 127.0.0.1 and on a Unix socket, user `root` without a password, counts statements by
/// digest, allows LOCAL INFILE, and takes packets of up to 256 MiB.
#[derive(Debug)]
pub struct MariadbServer {
    daemon: Daemon,
    port: u16,
}

/// What the server counted of one statement, which it tells from others by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The server's own normalised text.
    pub text: String,
    /// Executions, with those that failed.
    pub count: u64,
    /// Executions that failed.
    pub errors: u64,
    /// Rows sent.
    pub rows_sent: u64,
    /// Rows inserted, changed or deleted.
    pub rows_affected: u64,
}

impl MariadbServer {
    /// Makes a data directory and starts a server on it with these further options of `mariadbd` on top of quick, unsafe
    /// defaults. Returns when it answers, five seconds later.
    ///
    /// # Errors
    /// When MariaDB is not installed (Debian's package mariadb-server), or it does not start; its log is quoted.
    pub fn start(options: &[&str]) -> Result<Self> {
        let mut daemon = Daemon::new(SERVER_USER)?;
        let data = daemon.folder().join("data");
        let mut install = daemon.command("mariadb-install-db")?;
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        let status = install.arg("--skip-name-resolve").arg(option("--datadir", &data)).status()?;
        anyhow::ensure!(status.success(), "mariadb-install-db: {}", daemon.log());
        let port = free_port()?;
        let mut command = daemon.command("mariadbd")?;
        command.arg("--no-defaults").arg(option("--datadir", &data));
        command.arg(option("--socket", &daemon.folder().join("socket"))).arg(format!("--port={port}"));
        command.args(["--bind-address=127.0.0.1", "--skip-log-bin", "--skip-name-resolve"]);
        command.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]);
        command.args(["--local-infile=1", "--max-allowed-packet=256M"]);
        command.args(["--performance-schema=ON", "--performance-schema-digests-size=20000"]);
        command.args(["--max-digest-length=65536", "--performance-schema-max-digest-length=65536"]);
        command.args(options);
        let ready = || output(client("mariadb-admin", port).arg("ping")).is_ok();
        daemon.launch(command, ready)?;
        let server = Self { daemon, port };
        // The installation's anonymous users would take the place of users from anywhere.
        server.sql("DELETE FROM mysql.global_priv WHERE User = ''; FLUSH PRIVILEGES")?;
        Ok(server)
    }

    /// TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.daemon.folder().join("socket")
    }

    /// A folder that lives as long as the server.
    pub fn folder(&self) -> &Path {
        self.daemon.folder()
    }

    /// Process id of the server, in the pid namespace of the test.
    ///
    /// # Errors
    /// None while the server is there; a `Result` as with the other servers.
    pub fn pid(&self) -> Result<u32> {
        self.daemon.pid()
    }

    /// One of MariaDB's own programs (`mariadb`, `mariadb-dump`, `mariadb-slap`, ...), without option files, connecting
    /// here over TCP as `root`.
    pub fn command(&self, program: &str) -> Command {
        client(program, self.port)
    }

    /// As [`Self::command`], over the Unix socket.
    pub fn command_unix(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["--no-defaults", "--user=root"]).arg(option("--socket", &self.socket()));
        command
    }

    /// Runs SQL and gives its output: each line a row, columns separated by tabs. Everything goes in one message, so that a
    /// procedure may hold semicolons; `USE` is the client's own and has no place in it.
    ///
    /// # Errors
    /// The first statement that fails ends it, with the client's own words.
    pub fn sql(&self, sql: &str) -> Result<String> {
        self.sql_in("", sql)
    }

    /// As [`Self::sql`], with this current database.
    ///
    /// # Errors
    /// As [`Self::sql`].
    pub fn sql_in(&self, database: &str, sql: &str) -> Result<String> {
        let mut command = self.command("mariadb");
        // Raw: texts come as they are, without batch mode's escapes.
        command.args(["--batch", "--raw", "--skip-column-names", "--delimiter=//", "-e", sql, database]);
        output(&mut command)
    }

    /// What the server counted of text commands with this current database (`COM_QUERY`; executions of prepared
    /// statements have no digest in MariaDB 10.11, see [`Self::commands`]).
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn digests(&self, database: &str) -> Result<Vec<Digest>> {
        let rows = self.sql(&format!(
            "SELECT COUNT_STAR, SUM_ERRORS, SUM_ROWS_SENT, SUM_ROWS_AFFECTED, DIGEST_TEXT FROM \
             performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = '{database}'"
        ))?;
        let digest = |line: &str| {
            let mut fields = line.splitn(5, '\t');
            let mut number = || fields.next()?.parse().ok();
            let (count, errors, rows_sent, rows_affected) = (number()?, number()?, number()?, number()?);
            Some(Digest { text: fields.next()?.to_owned(), count, errors, rows_sent, rows_affected })
        };
        rows.lines().map(|line| digest(line).with_context(|| format!("no digest: {line}"))).collect()
    }

    /// Forgets the digests of all databases.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn forget_digests(&self) -> Result<()> {
        self.sql("TRUNCATE performance_schema.events_statements_summary_by_digest").map(drop)
    }

    /// How often this user's sessions sent a command: `Execute`, `Prepare`, `Quit`, ... as the server names it
    /// (`statement/com/NAME`), or ran a kind of statement as text: `select`, `insert`, ... (`statement/sql/NAME`).
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn commands(&self, user: &str, name: &str) -> Result<u64> {
        let rows = self.sql(&format!(
            "SELECT COALESCE(SUM(COUNT_STAR), 0) FROM \
             performance_schema.events_statements_summary_by_user_by_event_name WHERE USER = '{user}' AND \
             EVENT_NAME IN ('statement/com/{name}', 'statement/sql/{name}')"
        ))?;
        rows.trim().parse().with_context(|| format!("no count of {name}: {rows}"))
    }
}

fn client(program: &str, port: u16) -> Command {
    let mut command = Command::new(program);
    command.args(["--no-defaults", "--host=127.0.0.1", "--user=root"]).arg(format!("--port={port}"));
    command
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}
