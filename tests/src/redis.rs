//! A private Redis server for one test: its own folder, its own port, gone when dropped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use tests::redis::RedisServer;
//! let server = RedisServer::start(&["--maxmemory", "100mb"])?;
//! server.cli(["SET", "key", "value"])?;
//! println!("{:?}", server.command_stats()?["set"]);
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::daemon::{Daemon, free_port, output};
use crate::newer::Tree;

/// The unprivileged user that the server runs as when the test runs as root.
const SERVER_USER: &str = "redis";

/// A running server. Listens on 127.0.0.1 and on a Unix socket, saves nothing, allows `DEBUG`.
#[derive(Debug)]
pub struct RedisServer {
    daemon: Daemon,
    programs: Programs,
    port: u16,
    password: Option<String>,
}

/// Where its programs are, and by which names.
#[derive(Clone, Debug)]
enum Programs {
    /// `redis-server` and `redis-cli` of the machine.
    Redis,
    /// `valkey-server` and `valkey-cli` of unpacked packages.
    Valkey(Tree),
}

/// What the server counted of one command (`INFO commandstats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandStats {
    /// Calls that were carried out, with those that failed.
    pub calls: u64,
    /// Calls turned away before they were carried out.
    pub rejected: u64,
    /// Calls that failed while they were carried out.
    pub failed: u64,
}

impl RedisServer {
    /// Starts a server with these further settings, as words of `redis-server`'s command line. Returns when it answers.
    ///
    /// # Errors
    /// When Redis is not installed (Debian's package redis-server), or it does not start; its log is quoted.
    pub fn start(settings: &[&str]) -> Result<Self> {
        Self::start_of(Programs::Redis, settings)
    }

    /// As [`Self::start`], Valkey of a later suite of Debian. Needs root.
    ///
    /// # Errors
    /// When Valkey was not unpacked (see [`Tree::named`]), or it does not start; its log is quoted.
    pub fn start_valkey(settings: &[&str]) -> Result<Self> {
        Self::start_of(Programs::Valkey(Tree::named("valkey")?), settings)
    }

    fn start_of(programs: Programs, settings: &[&str]) -> Result<Self> {
        let mut daemon = Daemon::new(SERVER_USER)?;
        let port = free_port()?;
        let mut command = match &programs {
            Programs::Redis => daemon.command("redis-server")?,
            Programs::Valkey(tree) => daemon.command_in(tree, "/usr/bin/valkey-server")?,
        };
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.args(["--enable-debug-command", "yes", "--unixsocketperm", "777", "--unixsocket"]);
        command.arg(daemon.folder().join("socket")).arg("--dir").arg(daemon.folder()).args(settings);
        let password = settings.iter().skip_while(|word| **word != "--requirepass").nth(1);
        let password = password.map(|word| (*word).to_owned());
        let ready = || {
            let pong = output(programs.client("redis-cli", port, password.as_deref()).arg("PING"));
            pong.is_ok_and(|pong| pong.trim() == "PONG")
        };
        daemon.launch(command, ready)?;
        Ok(Self { daemon, programs, port, password })
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

    /// `redis-cli` or `redis-benchmark` (of Valkey its own), connecting here over TCP, with the server's password if it has one.
    pub fn command(&self, program: &str) -> Command {
        self.programs.client(program, self.port, self.password.as_deref())
    }

    /// As [`Self::command`], over the Unix socket.
    pub fn command_unix(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-s").arg(self.socket());
        command
    }

    /// Runs one command with `redis-cli` and gives its output.
    ///
    /// # Errors
    /// When the server does not answer. An error as an answer is output.
    pub fn cli(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<String> {
        output(self.command("redis-cli").args(words))
    }

    /// What the server counted of each command since the last [`Self::forget`], by its name in lower case; a subcommand as
    /// `config|get`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn command_stats(&self) -> Result<BTreeMap<String, CommandStats>> {
        let text = self.cli(["INFO", "commandstats"])?;
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("cmdstat_")?.split_once(':'));
        let stats = lines.map(|(name, fields)| {
            let field = |wanted: &str| -> Result<u64> {
                let mut fields = fields.split(',').filter_map(|field| field.split_once('='));
                let value = fields.find(|(name, _)| *name == wanted).map(|(_, value)| value);
                Ok(value.with_context(|| format!("no {wanted} in {name}"))?.parse()?)
            };
            let stats = CommandStats {
                calls: field("calls")?,
                rejected: field("rejected_calls")?,
                failed: field("failed_calls")?,
            };
            Ok((name.to_owned(), stats))
        });
        stats.collect()
    }

    /// How often the server answered with an error since the last [`Self::forget`], by the error's first word.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn error_stats(&self) -> Result<BTreeMap<String, u64>> {
        let text = self.cli(["INFO", "errorstats"])?;
        let lines =
            text.lines().filter_map(|line| line.trim().strip_prefix("errorstat_")?.split_once(":count="));
        lines.map(|(code, count)| Ok((code.to_owned(), count.parse()?))).collect()
    }

    /// Sets the counts of commands and of errors to zero.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn forget(&self) -> Result<()> {
        self.cli(["CONFIG", "RESETSTAT"]).map(drop)
    }
}

impl Programs {
    fn client(&self, program: &str, port: u16, password: Option<&str>) -> Command {
        let mut command = match self {
            Self::Redis => Command::new(program),
            Self::Valkey(tree) => {
                tree.command(&format!("/usr/bin/{}", program.replace("redis", "valkey")), None)
            }
        };
        command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        if let Some(password) = password {
            // By environment: an argument would earn a warning on stderr.
            command.env("REDISCLI_AUTH", password);
        }
        command
    }
}
