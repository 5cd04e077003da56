//! The traffic that is recorded for replay: which server, which program, which script, and whose sockets are watched.
//! One file for each protocol, and one word in [`PROTOCOLS`].

pub mod foreign;
pub mod http;
pub mod memcached;
pub mod mysql;
pub mod postgresql;
pub mod redis;

use std::fs::File;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use anyhow::Result;

/// All protocols of which traffic is recorded.
pub const PROTOCOLS: &[Protocol] = &[
    postgresql::PROTOCOL,
    foreign::PROTOCOL,
    mysql::PROTOCOL,
    redis::PROTOCOL,
    memcached::PROTOCOL,
    http::ELASTICSEARCH,
    http::OPENSEARCH,
    http::CLICKHOUSE,
    http::HTTP,
];

/// Debian's own Python: the one that Debian's driver packages belong to.
const PYTHON: &str = "/usr/bin/python3";

/// The recordings of one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// As in dbtap's registry; the folder below `tests/captures`.
    pub name: &'static str,
    /// Starts a private server with the data that the scenarios need.
    pub start: fn() -> Result<Box<dyn Server>>,
    /// What is recorded.
    pub scenarios: &'static [Scenario],
}

/// A running server that is gone when dropped.
pub trait Server {
    /// Its process id; of several processes, that of the one that starts the others.
    ///
    /// # Errors
    /// When it has ended.
    fn pid(&self) -> Result<u32>;

    /// A program, set up by arguments or environment to connect here: over the Unix socket if `unix`, else over TCP.
    fn client(&self, program: &str, unix: bool) -> Command;
}

/// Whose sockets are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Those of the program.
    Client,
    /// Those of the database server's processes.
    Server,
}

/// One recording.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Name of the file.
    pub name: &'static str,
    /// Whose sockets are watched.
    pub watch: Watch,
    /// Over the Unix socket; else over TCP.
    pub unix: bool,
    /// One of the database's own programs, or an interpreter.
    pub program: &'static str,
    /// Its arguments.
    pub arguments: &'static [&'static str],
    /// Its script, if it has one: on its standard input.
    pub script: &'static str,
    /// The script goes into a file, and this option names it.
    pub script_option: Option<&'static str>,
}

/// What most recordings share.
const NOTHING: Scenario = Scenario {
    name: "",
    watch: Watch::Client,
    unix: false,
    program: "",
    arguments: &[],
    script: "",
    script_option: None,
};

/// A Python program on standard input, which finds the server in `DB_HOST` and `DB_PORT`, or in `DB_SOCKET`.
const PYTHON_SCRIPT: Scenario = Scenario { program: PYTHON, arguments: &["-"], ..NOTHING };

impl Scenario {
    /// Starts the program against the server. Its output is dropped, what it says of errors goes into a file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, server: &dyn Server, stderr: File) -> Result<Child> {
        let mut command = server.client(self.program, self.unix);
        command.args(self.arguments).stdout(Stdio::null()).stderr(stderr);
        if self.script.is_empty() {
            return Ok(command.stdin(Stdio::null()).spawn()?);
        }
        let mut script = tempfile::NamedTempFile::new()?;
        script.write_all(self.script.as_bytes())?;
        if let Some(option) = self.script_option {
            let (_, path) = script.keep()?;
            return Ok(command.arg(option).arg(path).stdin(Stdio::null()).spawn()?);
        }
        Ok(command.stdin(script.reopen()?).spawn()?)
    }
}
