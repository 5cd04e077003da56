//! Database clients as processes of their own, driven by lines on stdin and stdout, so that a test knows exactly what
//! happens before, during and after a capture.

mod compiled;
mod rust;

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

pub use compiled::{mariadb_program, pipeline_program};
pub use rust::{mongodb_rust, mysql_async, redis_rs};

/// A line must come within this time.
const MOST_UNTIL_HEARD: Duration = Duration::from_secs(120);

/// Debian's own Python: the one that Debian's driver packages belong to.
const PYTHON: &str = "/usr/bin/python3";

/// The psycopg 3 client in this mode; see the script itself for the modes.
pub fn psycopg(mode: &str, conninfo: &str) -> Command {
    let mut command = python("psycopg_client.py");
    command.arg(mode).env("CONNINFO", conninfo);
    command
}

/// psycopg 3 as a client that sends the requests of a plan; see the script itself.
pub fn planned_psycopg(plan: &Path) -> Command {
    let mut command = python("planned_client.py");
    command.arg(plan);
    command
}

/// The PyMongo client in this mode, which finds the server in `MONGODB_URI`; see the script itself for the modes.
pub fn pymongo(mode: &str) -> Command {
    let mut command = python("pymongo_client.py");
    command.arg(mode);
    command
}

/// As [`pymongo`], with the newer PyMongo of [`newer_python`].
///
/// # Errors
/// As [`newer_python`].
pub fn newer_pymongo(mode: &str) -> Result<Command> {
    let mut command = pymongo(mode);
    command.env("PYTHONPATH", newer_python()?);
    Ok(command)
}

/// The newer PyMongo as a client that counts its own commands; see the script itself. It finds the server in `MONGODB_URI`.
///
/// # Errors
/// As [`newer_python`].
pub fn counting_pymongo() -> Result<Command> {
    let mut command = python("counting_pymongo_client.py");
    command.env("PYTHONPATH", newer_python()?);
    Ok(command)
}

/// The folder of Python packages that are newer than the machine's release.
///
/// # Errors
/// When they were not installed; with the remedy.
pub fn newer_python() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/python");
    ensure!(
        folder.join("installed").is_file(),
        "no Python packages in .tools/python: `cargo xtask tools --newer-servers` installs them; it needs PyPI once"
    );
    Ok(folder.canonicalize()?)
}

/// PyMySQL (`pymysql`) or mysqlclient (`MySQLdb`) in this mode; see the script itself for the modes. It takes the server and
/// the session from the environment.
pub fn mysql_client(driver: &str, mode: &str) -> Command {
    let mut command = python("mysql_client.py");
    command.args([driver, mode]);
    command
}

/// pymemcache in this mode; see the script itself for the modes. It takes the server from the environment.
pub fn memcached_client(mode: &str) -> Command {
    let mut command = python("memcached_client.py");
    command.arg(mode);
    command
}

/// redis-py in this mode; see the script itself for the modes. It takes the server from the environment.
pub fn redis_client(mode: &str) -> Command {
    let mut command = python("redis_client.py");
    command.arg(mode);
    command
}

/// A process that holds this many TCP connections to a child of its own, and speaks no database protocol on them.
pub fn sockets(count: u32) -> Command {
    let mut command = python("sockets_client.py");
    command.arg(count.to_string());
    command
}

/// Those of the ids of BPF programs that the kernel still knows.
///
/// # Errors
/// When the kernel does not answer, for instance without root.
pub fn loaded_bpf_programs(ids: &[u32]) -> Result<Vec<u32>> {
    let done = python("bpf_ids.py").args(ids.iter().map(u32::to_string)).output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lines = String::from_utf8(done.stdout)?;
    lines.lines().map(|line| line.parse().context("no number")).collect()
}

fn python(script: &str) -> Command {
    let mut command = Command::new(PYTHON);
    command.arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("drivers").join(script));
    command
}

/// Sends a signal, for instance `INT`, to a process.
///
/// # Errors
/// When there is no such process.
pub fn signal(pid: u32, signal: &str) -> Result<()> {
    let script = format!("kill -s {signal} \"$1\"");
    let status = Command::new("sh").args(["-c", &script, "sh", &pid.to_string()]).status()?;
    ensure!(status.success(), "signal {signal} did not reach process {pid}");
    Ok(())
}

/// A client that talks by lines. Dropping it kills it and what it has started.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: tempfile::NamedTempFile,
}

impl Driver {
    /// Starts it.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let stderr = tempfile::NamedTempFile::new()?;
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.reopen()?)
            .spawn()
            .with_context(|| format!("{command:?} does not start"))?;
        let stdout = child.stdout.take().context("no stdout")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, lines, stderr })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its stdin.
    ///
    /// # Errors
    /// When it does not read any more.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("its stdin is closed")?;
        stdin.write_all(format!("{line}\n").as_bytes())?;
        Ok(stdin.flush()?)
    }

    /// The next line of its stdout.
    ///
    /// # Errors
    /// When it ends, or says nothing for two minutes; its stderr is quoted.
    pub fn hear(&self) -> Result<String> {
        self.lines.recv_timeout(MOST_UNTIL_HEARD).with_context(|| format!("it says: {}", self.stderr()))
    }

    /// The next line, which must be this one.
    ///
    /// # Errors
    /// As [`Self::hear`], and when it is another line.
    pub fn hear_line(&self, expected: &str) -> Result<()> {
        let line = self.hear()?;
        ensure!(line == expected, "{line:?} instead of {expected:?}; stderr: {}", self.stderr());
        Ok(())
    }

    /// What it has written to stderr.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).unwrap_or_default()
    }

    /// Closes its stdin and waits for its end.
    ///
    /// # Errors
    /// When it ends with a failure; its stderr is quoted.
    pub fn end(mut self) -> Result<()> {
        self.stdin = None;
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}: {}", self.stderr());
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stdin = None;
        if matches!(self.child.try_wait(), Ok(None)) {
            let script = format!("kill -s KILL -- -{}", self.child.id());
            let _ = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A shell that waits, then starts a client, and outlives it: whoever watches the shell sees the client from its first
/// system call to its last one.
#[derive(Debug)]
pub struct Paused {
    shell: Driver,
    stdout: tempfile::NamedTempFile,
    stderr: tempfile::NamedTempFile,
}

/// A client that has ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit code, as the shell tells it.
    pub code: i32,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
}

impl Paused {
    /// Starts the shell; the client waits.
    ///
    /// # Errors
    /// When there is no shell.
    pub fn new(client: &Command) -> Result<Self> {
        let (stdout, stderr) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
        let script = "out=$1 err=$2; shift 2; read -r go; \"$@\" >\"$out\" 2>\"$err\" </dev/null; \
                      echo \"$?\"; read -r end";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).args([stdout.path(), stderr.path()]);
        shell.arg(client.get_program()).args(client.get_args());
        let set = client.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        shell.envs(set.collect::<Vec<(OsString, OsString)>>());
        Ok(Self { shell: Driver::start(&mut shell)?, stdout, stderr })
    }

    /// Process id of the shell.
    pub fn pid(&self) -> u32 {
        self.shell.pid()
    }

    /// Lets the client go.
    ///
    /// # Errors
    /// When the shell is gone.
    pub fn go(&mut self) -> Result<()> {
        self.shell.say("go")
    }

    /// Waits for the client's end. The shell goes on.
    ///
    /// # Errors
    /// When the client takes more than two minutes.
    pub fn wait(&self) -> Result<Output> {
        let code = self.shell.hear()?.parse()?;
        Ok(Output {
            code,
            stdout: String::from_utf8_lossy(&std::fs::read(self.stdout.path())?).into_owned(),
            stderr: String::from_utf8_lossy(&std::fs::read(self.stderr.path())?).into_owned(),
        })
    }
}

impl Output {
    /// Stdout of a client that did not fail.
    ///
    /// # Errors
    /// When its exit code is not 0; its stderr is quoted.
    pub fn success(self) -> Result<String> {
        ensure!(self.code == 0, "the client ended with {}: {}{}", self.code, self.stdout, self.stderr);
        Ok(self.stdout)
    }
}
