//! A private MySQL server, unpacked from a later suite of Debian: its own data, its own port, gone when dropped.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use tests::mysql::MysqlServer;
//! let server = MysqlServer::start(&[])?;
//! println!("{}", server.sql("SELECT VERSION()")?);
//! # Ok(()) }
//! ```

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::daemon::{Daemon, free_port, output};
use crate::newer::Tree;

/// The unprivileged user that the server runs as.
const SERVER_USER: &str = "mysql";

/// A running server. Listens on 127.0.0.1 and on a Unix socket, user `root` without a password.
#[derive(Debug)]
pub struct MysqlServer {
    daemon: Daemon,
    tree: Tree,
    port: u16,
}

impl MysqlServer {
    /// Makes a data directory and starts a server on it, with these further options of `mysqld`. Needs root.
    ///
    /// # Errors
    /// When MySQL was not unpacked (see [`Tree::named`]), or it does not start; its log is quoted.
    pub fn start(options: &[&str]) -> Result<Self> {
        let tree = Tree::named("mysql")?;
        let mut daemon = Daemon::new(SERVER_USER)?;
        let data = format!("--datadir={}", daemon.folder().join("data").display());
        let mut install = daemon.command_in(&tree, "/usr/sbin/mysqld")?;
        let status = install.args(["--no-defaults", "--initialize-insecure", &data]).status()?;
        ensure!(status.success(), "mysqld --initialize-insecure: {}", daemon.log());
        let port = free_port()?;
        let mut command = daemon.command_in(&tree, "/usr/sbin/mysqld")?;
        command.args([
            "--no-defaults",
            &data,
            "--bind-address=127.0.0.1",
            "--mysqlx=OFF",
            "--skip-log-bin",
            "--secure-file-priv=",
        ]);
        command.arg(format!("--port={port}"));
        command.arg(format!("--socket={}", daemon.folder().join("socket").display()));
        command.args(["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]).args(options);
        // Clients of its own take a second to start: the port is asked first.
        let ready = || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
                && output(client(&tree, port).args(["-e", "SELECT 1"])).is_ok()
        };
        daemon.launch(command, ready)?;
        Ok(Self { daemon, tree, port })
    }

    /// TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
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

    /// The server's own command-line client, without option files and without TLS, as `root` over TCP.
    pub fn client(&self) -> Command {
        client(&self.tree, self.port)
    }

    /// Runs SQL and gives its output: each line a row, columns separated by tabs.
    ///
    /// # Errors
    /// The first statement that fails ends it, with the client's own words.
    pub fn sql(&self, sql: &str) -> Result<String> {
        output(self.client().args(["--batch", "--raw", "--skip-column-names", "--delimiter=//", "-e", sql]))
    }
}

fn client(tree: &Tree, port: u16) -> Command {
    let mut command = tree.command("/usr/bin/mysql", None);
    command.args([
        "--no-defaults",
        "--protocol=TCP",
        "--host=127.0.0.1",
        "--user=root",
        "--ssl-mode=DISABLED",
    ]);
    command.args(["--get-server-public-key", &format!("--port={port}")]);
    command
}
