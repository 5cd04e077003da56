//! A server that speaks MongoDB's wire protocol and that somebody else wrote, from the same documents: nx-27017, in Python
//! over SQLite. What dbtap and the server of this package might both misread, it need not misread too. It counts nothing.

use std::net::TcpStream;
use std::process::Command;

use anyhow::Result;

use super::program::SERVER_USER;
use crate::daemon::{Daemon, free_port, output};
use crate::drivers::newer_python;

/// A running server with no data. Listens on 127.0.0.1.
#[derive(Debug)]
pub struct IndependentServer {
    _daemon: Daemon,
    port: u16,
}

impl IndependentServer {
    /// Starts it. Returns when it listens.
    ///
    /// # Errors
    /// When its packages are not installed (see [`newer_python`]), or it does not start; its log is quoted.
    pub fn start() -> Result<Self> {
        let mut daemon = Daemon::new(SERVER_USER)?;
        let port = free_port()?;
        // Where the server's user may read them.
        let packages = daemon.folder().join("packages");
        output(Command::new("cp").arg("-r").arg(newer_python()?).arg(&packages))?;
        let mut command = daemon.command("/usr/bin/python3")?;
        command.env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
        command.args(["-c", "from nx_27017.nx_27017 import main; main()", "--db", "memory"]);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.arg("--log-file").arg(daemon.folder().join("own-log"));
        command.arg("--pid-file").arg(daemon.folder().join("pid"));
        daemon.launch(command, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { _daemon: daemon, port })
    }

    /// A connection string.
    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/", self.port)
    }
}
