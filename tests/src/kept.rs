//! A PostgreSQL server for all tests of one program: kept in a static, and still gone when the program ends.

use std::process::{Child, Command, Stdio};

use anyhow::Result;

use crate::postgres::PostgresServer;

/// A server that is stopped and removed when the test program ends, however it ends: a static is never dropped, so a
/// shell outside waits for its stdin to close.
#[derive(Debug)]
pub struct KeptServer {
    server: PostgresServer,
    /// Its stdin is held open.
    _reaper: Child,
}

impl KeptServer {
    /// Sets the shell beside a running server.
    ///
    /// # Errors
    /// When the server has ended, or there is no shell.
    pub fn new(server: PostgresServer) -> Result<Self> {
        let script = "cat; kill -QUIT \"$1\"; while kill -0 \"$1\"; do sleep 0.05; done; rm -rf \"$2\"";
        let reaper = Command::new("sh")
            .args(["-c", script, "sh", &server.pid()?.to_string()])
            .arg(server.socket_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { server, _reaper: reaper })
    }

    /// The server.
    pub fn server(&self) -> &PostgresServer {
        &self.server
    }
}
