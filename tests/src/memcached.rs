//! A private memcached for one test: its own port or its own Unix socket, gone when dropped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use tests::memcached::MemcachedServer;
//! let server = MemcachedServer::start(&[])?;
//! println!("{} sets over {}", server.stats()?["cmd_set"], server.address());
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::daemon::{Daemon, free_port};

/// The unprivileged user that the server runs as when the test runs as root.
const SERVER_USER: &str = "memcache";

/// A running server. Listens on 127.0.0.1 or on a Unix socket: memcached does not do both.
#[derive(Debug)]
pub struct MemcachedServer {
    daemon: Daemon,
    listens: Listens,
}

#[derive(Clone, Debug)]
enum Listens {
    Tcp(u16),
    Unix(PathBuf),
}

impl MemcachedServer {
    /// Starts a server on TCP with these further options of `memcached`. Returns when it answers.
    ///
    /// # Errors
    /// When memcached is not installed (Debian's package memcached), or it does not start; its log is quoted.
    pub fn start(options: &[&str]) -> Result<Self> {
        Self::launch(Daemon::new(SERVER_USER)?, Listens::Tcp(free_port()?), options)
    }

    /// As [`Self::start`], on a Unix socket.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_unix(options: &[&str]) -> Result<Self> {
        let daemon = Daemon::new(SERVER_USER)?;
        let socket = daemon.folder().join("socket");
        Self::launch(daemon, Listens::Unix(socket), options)
    }

    /// As [`Self::start`], for this one user only, by SASL PLAIN (the binary protocol).
    ///
    /// # Errors
    /// As [`Self::start`]; also without Debian's packages sasl2-bin and libsasl2-modules.
    pub fn start_sasl(user: &str, password: &str) -> Result<Self> {
        let daemon = Daemon::new(SERVER_USER)?;
        let (folder, users) = (daemon.folder().to_owned(), daemon.folder().join("users"));
        let settings = format!(
            "mech_list: plain\npwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\n",
            users.display()
        );
        std::fs::write(folder.join("memcached.conf"), settings)?;
        let realm = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
        let mut saslpasswd = Command::new("/usr/sbin/saslpasswd2");
        saslpasswd.args(["-p", "-c", "-a", "memcached", "-u", realm.trim(), "-f"]).arg(&users).arg(user);
        let mut child = saslpasswd.stdin(Stdio::piped()).spawn().context("saslpasswd2 does not start")?;
        child.stdin.take().context("no stdin")?.write_all(password.as_bytes())?;
        anyhow::ensure!(child.wait()?.success(), "saslpasswd2 failed");
        std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o644))?;
        Self::launch_in(daemon, Listens::Tcp(free_port()?), &["-S"], &[("SASL_CONF_PATH", &folder)])
    }

    fn launch(daemon: Daemon, listens: Listens, options: &[&str]) -> Result<Self> {
        Self::launch_in(daemon, listens, options, &[])
    }

    fn launch_in(
        mut daemon: Daemon,
        listens: Listens,
        options: &[&str],
        environment: &[(&str, &Path)],
    ) -> Result<Self> {
        let mut command = daemon.command("memcached")?;
        command.envs(environment.iter().copied());
        match &listens {
            Listens::Tcp(port) => command.args(["-l", "127.0.0.1", "-U", "0", "-p", &port.to_string()]),
            Listens::Unix(socket) => command.args(["-a", "0777", "-s"]).arg(socket),
        };
        command.args(options);
        daemon.launch(command, || listens.connect().is_ok())?;
        Ok(Self { daemon, listens })
    }

    /// `HOST:PORT`, or the path of the socket, as libmemcached's programs want it behind `--servers=`.
    pub fn address(&self) -> String {
        match &self.listens {
            Listens::Tcp(port) => format!("127.0.0.1:{port}"),
            Listens::Unix(socket) => socket.display().to_string(),
        }
    }

    /// TCP port, or 0 of a server on a Unix socket.
    pub fn port(&self) -> u16 {
        match &self.listens {
            Listens::Tcp(port) => *port,
            Listens::Unix(_) => 0,
        }
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

    /// What the server counted since its start: `cmd_get` (one for each key), `cmd_set`, `get_hits`, ... The question
    /// itself counts in none of them.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn stats(&self) -> Result<BTreeMap<String, u64>> {
        let mut stream = self.listens.connect()?;
        stream.write_all(b"stats\r\n")?;
        let mut stats = BTreeMap::new();
        for line in BufReader::new(stream).lines() {
            let line = line?;
            let mut words = line.split(' ').skip_while(|word| *word == "STAT");
            let (name, value) = (words.next().context("an empty line")?, words.next());
            if name == "END" {
                return Ok(stats);
            }
            // Some are no counts: a version, a time with a fraction.
            if let Some(count) = value.and_then(|value| value.parse().ok()) {
                stats.insert(name.to_owned(), count);
            }
        }
        anyhow::bail!("the server's statistics have no end")
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Listens {
    fn connect(&self) -> Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(port) => Box::new(TcpStream::connect(("127.0.0.1", *port))?),
            Self::Unix(socket) => Box::new(UnixStream::connect(socket)?),
        })
    }
}
