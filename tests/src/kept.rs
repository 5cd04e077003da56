//! A server for all tests of one program: kept in a static, and still gone when the program ends.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Result;

use crate::mariadb::MariadbServer;
use crate::memcached::MemcachedServer;
use crate::postgres::PostgresServer;
use crate::redis::RedisServer;

/// What has to be ended, and how.
pub trait Private {
    /// Process id of the server.
    ///
    /// # Errors
    /// When the server has ended.
    fn pid(&self) -> Result<u32>;

    /// The folder that goes with it.
    fn folder(&self) -> &Path;

    /// The signal that ends it and all its processes at once.
    const SIGNAL: &'static str = "KILL";
}

/// A server that is stopped and removed when the test program ends, however it ends: a static is never dropped, so a
/// shell outside waits for its stdin to close.
#[derive(Debug)]
pub struct KeptServer<S = PostgresServer> {
    server: S,
    /// Its stdin is held open.
    _reaper: Child,
}

impl<S: Private> KeptServer<S> {
    /// Sets the shell beside a running server.
    ///
    /// # Errors
    /// When the server has ended, or there is no shell.
    pub fn new(server: S) -> Result<Self> {
        let script = "cat; kill -\"$3\" \"$1\"; while kill -0 \"$1\"; do sleep 0.05; done; rm -rf \"$2\"";
        let reaper = Command::new("sh")
            .args(["-c", script, "sh", &server.pid()?.to_string()])
            .arg(server.folder())
            .arg(S::SIGNAL)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { server, _reaper: reaper })
    }

    /// The server.
    pub fn server(&self) -> &S {
        &self.server
    }
}

impl Private for PostgresServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    fn folder(&self) -> &Path {
        self.socket_dir()
    }

    /// Killed, it would leave its backends and shared memory behind.
    const SIGNAL: &'static str = "QUIT";
}

impl Private for MariadbServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    fn folder(&self) -> &Path {
        self.folder()
    }
}

impl Private for RedisServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    fn folder(&self) -> &Path {
        self.folder()
    }
}

impl Private for MemcachedServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    fn folder(&self) -> &Path {
        self.folder()
    }
}
