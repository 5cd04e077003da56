//! The server in a process of its own, gone when dropped.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::daemon::{Daemon, free_port, output};

/// The unprivileged user that the server runs as when the test runs as root.
pub(super) const SERVER_USER: &str = "daemon";

/// A running server. Listens on 127.0.0.1.
#[derive(Debug)]
pub struct MongoServer {
    daemon: Daemon,
    port: u16,
}

impl MongoServer {
    /// Starts a server with no data. Returns when it listens.
    ///
    /// # Errors
    /// When the program `mongodb-server` of this package is not built, or does not start; its log is quoted.
    pub fn start() -> Result<Self> {
        let mut daemon = Daemon::new(SERVER_USER)?;
        let port = free_port()?;
        // Where the server's user may read it. A process of its own writes it: a child that another test forks at that
        // moment would hold the open file, and a file that is open for writing cannot be executed.
        let program = daemon.folder().join("mongodb-server");
        output(Command::new("cp").arg(built()?).arg(&program))?;
        let mut command = daemon.command(&program)?;
        command.arg(port.to_string());
        daemon.launch(command, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { daemon, port })
    }

    /// TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection string.
    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/", self.port)
    }

    /// Process id of the server.
    ///
    /// # Errors
    /// None while the server is there; a `Result` as with the other servers.
    pub fn pid(&self) -> Result<u32> {
        self.daemon.pid()
    }
}

/// The program, beside the one that runs or, for a test, one folder up.
fn built() -> Result<PathBuf> {
    let running = std::env::current_exe()?;
    let mut folders = running.ancestors().skip(1).take(2).map(|folder| folder.join("mongodb-server"));
    folders.find(|path| path.exists()).context("mongodb-server is not built: cargo build -p tests")
}
