//! A private PostgreSQL server for one test: its own data directory, its own port, gone when dropped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use tests::postgres::PostgresServer;
//! let server = PostgresServer::start(&[("shared_preload_libraries", "pg_stat_statements")])?;
//! println!("over TCP: {}, over the unix socket: {}", server.conninfo(), server.conninfo_unix());
//! server.psql("CREATE TABLE t (a int)")?;
//! let status = server.command("pgbench").args(["-i", "-q"]).status()?;
//! # Ok(()) }
//! ```
//!
//! It never touches a server that the host already runs, and never runs as root.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::daemon::{free_port, is_root, user_ids};
use crate::newer::Tree;

/// The unprivileged user that the server runs as when the test runs as root.
const SERVER_USER: &str = "postgres";

/// Where Debian installs each major version.
const INSTALLED: &str = "/usr/lib/postgresql";

/// A running server. Listens on 127.0.0.1 and on a unix socket, trusts every local connection, superuser `postgres`,
/// database `postgres`. Dropping it stops the server at once and removes its files.
#[derive(Debug)]
pub struct PostgresServer {
    dir: tempfile::TempDir,
    /// Its programs are in there; else they are the machine's.
    tree: Option<Tree>,
    bin_dir: PathBuf,
    port: u16,
    as_root: bool,
}

impl PostgresServer {
    /// Makes a cluster of the newest PostgreSQL installed and starts it with these settings (`postgresql.conf` names and
    /// values) on top of quick, unsafe defaults (no fsync). Returns when it accepts connections, about a second later.
    ///
    /// # Errors
    /// When no PostgreSQL is installed under `/usr/lib/postgresql`, or it does not start; the server's log is quoted.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_in(None, newest_bin_dir()?, settings)
    }

    /// As [`Self::start`], with this major version.
    ///
    /// # Errors
    /// As [`Self::start`], and when this version is not installed.
    pub fn start_major(major: u32, settings: &[(&str, &str)]) -> Result<Self> {
        let bin_dir = PathBuf::from(format!("{INSTALLED}/{major}/bin"));
        ensure!(bin_dir.join("initdb").exists(), "no PostgreSQL {major}: install postgresql-{major}");
        Self::start_in(None, bin_dir, settings)
    }

    /// As [`Self::start`], PostgreSQL 17 of a later suite of Debian. Needs root.
    ///
    /// # Errors
    /// As [`Self::start`], and when it was not unpacked (see [`Tree::named`]).
    pub fn start_17(settings: &[(&str, &str)]) -> Result<Self> {
        let bin_dir = PathBuf::from(format!("{INSTALLED}/17/bin"));
        Self::start_in(Some(Tree::named("postgresql-17")?), bin_dir, settings)
    }

    fn start_in(tree: Option<Tree>, bin_dir: PathBuf, settings: &[(&str, &str)]) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("pg-")
            .tempdir()
            .context("no temporary directory for the cluster")?;
        let as_root = is_root()?;
        if as_root {
            let (uid, gid) = user_ids(SERVER_USER)?;
            chown(dir.path(), Some(uid), Some(gid))?;
        }
        let mut server = Self { dir, tree, bin_dir, port: 0, as_root };
        let data = server.data_dir();
        server.run_as_owner("initdb", |c| {
            c.args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ]);
            c.arg(&data);
        })?;
        // Another process may take the free port between the look and the start.
        let mut last = None;
        for _ in 0..3 {
            server.port = free_port()?;
            match server.launch(settings) {
                Ok(()) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("not started")))
            .with_context(|| format!("log: {}", fs::read_to_string(server.log_file()).unwrap_or_default()))
    }

    /// TCP port on 127.0.0.1, also the number in the unix socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Directory of the unix socket: `host=` of a connection string that is to use it.
    pub fn socket_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Connection string over TCP, for libpq and tokio-postgres.
    pub fn conninfo(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname=postgres", self.port)
    }

    /// Connection string over the unix socket, for libpq and tokio-postgres.
    pub fn conninfo_unix(&self) -> String {
        format!("host={} port={} user=postgres dbname=postgres", self.socket_dir().display(), self.port)
    }

    /// Process id of the postmaster, in the pid namespace of the test.
    ///
    /// # Errors
    /// When the server has ended.
    pub fn pid(&self) -> Result<u32> {
        let file =
            fs::read_to_string(self.data_dir().join("postmaster.pid")).context("the server has ended")?;
        Ok(file.lines().next().unwrap_or_default().trim().parse()?)
    }

    /// The server's log, for an error message.
    pub fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// One of PostgreSQL's own programs (`psql`, `pgbench`, ...), set up by environment to connect here over TCP, run
    /// as the caller. Set `PGHOST` to [`Self::socket_dir`] for the unix socket.
    pub fn command(&self, program: &str) -> Command {
        let program = self.bin_dir.join(program);
        let mut command = match &self.tree {
            Some(tree) => tree.command(&program.display().to_string(), None),
            None => Command::new(program),
        };
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command.env("PGUSER", "postgres").env("PGDATABASE", "postgres").env("PGOPTIONS", "");
        command
    }

    /// Runs SQL with psql (each line of the result: one row, columns separated by `|`) and gives its output.
    ///
    /// # Errors
    /// The first statement that fails ends it, with psql's own words.
    pub fn psql(&self, sql: &str) -> Result<String> {
        let output = self.command("psql").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]).output()?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn launch(&self, settings: &[(&str, &str)]) -> Result<()> {
        let socket_dir = self.dir.path().display();
        let mut conf = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{socket_dir}'\n\
             fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n",
            self.port
        );
        for (name, value) in settings {
            conf.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        }
        fs::write(self.data_dir().join("postgresql.auto.conf"), conf)?;
        let (data, log) = (self.data_dir(), self.log_file());
        self.run_as_owner("pg_ctl", |c| {
            c.args(["start", "--wait", "--silent"]).arg("-D").arg(&data).arg("-l").arg(&log);
        })
    }

    /// Runs a program that refuses root as the owner of the cluster.
    fn run_as_owner(&self, program: &str, arguments: impl FnOnce(&mut Command)) -> Result<()> {
        let program = self.bin_dir.join(program);
        let mut command = if let Some(tree) = &self.tree {
            tree.command(&program.display().to_string(), Some(user_ids(SERVER_USER)?))
        } else if self.as_root {
            let mut c = Command::new("setpriv");
            c.arg(format!("--reuid={SERVER_USER}"))
                .arg(format!("--regid={SERVER_USER}"))
                .arg("--clear-groups");
            c.arg("--").arg(&program);
            c
        } else {
            Command::new(&program)
        };
        arguments(&mut command);
        // To files, not pipes: the server inherits them and would hold a pipe open for ever.
        let said = tempfile::NamedTempFile::new()?;
        command.stdin(Stdio::null()).stdout(said.reopen()?).stderr(said.reopen()?);
        let status = command
            .current_dir("/")
            .status()
            .with_context(|| format!("{} does not run", program.display()))?;
        if !status.success() {
            bail!("{} failed ({status}): {}", program.display(), fs::read_to_string(said.path())?);
        }
        Ok(())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let data = self.data_dir();
        let stopped = self.run_as_owner("pg_ctl", |c| {
            c.args(["stop", "--mode=immediate", "--wait", "--silent"]).arg("-D").arg(&data);
        });
        // A start that failed has no server to stop.
        if let Err(error) = stopped
            && data.join("postmaster.pid").exists()
        {
            eprintln!("a test server may still run: {error:#}");
        }
    }
}

/// The programs of the newest PostgreSQL in Debian's layout.
fn newest_bin_dir() -> Result<PathBuf> {
    let root = Path::new(INSTALLED);
    let entries = fs::read_dir(root)
        .with_context(|| format!("no PostgreSQL in {}: install postgresql", root.display()))?;
    let version = |name: &OsStr| name.to_str().and_then(|n| n.parse::<u32>().ok());
    let newest = entries
        .flatten()
        .filter_map(|e| version(&e.file_name()))
        .filter(|v| root.join(v.to_string()).join("bin/initdb").exists());
    let newest = newest.max().context("no PostgreSQL server programs: install postgresql")?;
    Ok(root.join(newest.to_string()).join("bin"))
}
