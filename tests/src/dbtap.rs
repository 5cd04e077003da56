//! The real `dbtap` beside a test: started as a person would start it, its output kept, its exit code told.
//!
//! The program is named by the environment variable `DBTAP_BINARY`; without it, the newest of `target/release/dbtap`
//! and `target/debug/dbtap` is taken. Everything here ends within a time limit: a hang is an error.

use std::ffi::OsStr;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tracer::report::model::Report;

/// Loading the programs takes about a second; a machine that also compiles needs more.
const MOST_UNTIL_ATTACHED: Duration = Duration::from_secs(30);
/// From the signal to the end: drain, report, detach.
const MOST_UNTIL_ENDED: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// The program under test.
///
/// # Errors
/// When it is not built.
pub fn binary() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("DBTAP_BINARY") {
        return Ok(PathBuf::from(named));
    }
    // target/debug/deps/TEST
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3).context("this test is not below a target folder")?;
    let built = ["release/dbtap", "debug/dbtap"].map(|name| target.join(name));
    let modified = |path: &PathBuf| path.metadata().and_then(|facts| facts.modified()).ok();
    let newest = built.into_iter().filter(|path| path.exists()).max_by_key(modified);
    newest.context("dbtap is not built: run `cargo xtask build`, or name it in DBTAP_BINARY")
}

/// `dbtap` with arguments, ready to start.
#[derive(Debug)]
pub struct Dbtap {
    command: Command,
}

impl Dbtap {
    /// `dbtap` with these arguments.
    ///
    /// # Errors
    /// When it is not built.
    pub fn with(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.args(arguments).env_remove("RUST_BACKTRACE");
        Ok(Self { command })
    }

    /// `dbtap attach PID --format json`, for longer than any test takes: [`Running::interrupt`] ends it. By the backend that
    /// `DBTAP_TEST_BACKEND` names, where it does.
    ///
    /// # Errors
    /// When it is not built.
    pub fn attach(pid: u32) -> Result<Self> {
        let dbtap = Self::with(["attach", &pid.to_string(), "--format", "json", "--duration", "10m"])?;
        Ok(match std::env::var_os("DBTAP_TEST_BACKEND") {
            Some(name) => dbtap.arg("--backend").arg(name),
            None => dbtap,
        })
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Another copy of the program.
    #[must_use]
    pub fn program(self, path: &Path) -> Self {
        let mut command = Command::new(path);
        command.args(self.command.get_args());
        Self { command }
    }

    /// As this user, with no group and no capability of root.
    #[must_use]
    pub fn run_as(self, user: &str) -> Self {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={user}"), "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
        command.arg("--").arg(self.command.get_program()).args(self.command.get_args());
        Self { command }
    }

    /// Starts it and returns when it said `attached`.
    ///
    /// # Errors
    /// When it ends before, with its words, or is not in place in time.
    pub fn start(self) -> Result<Running> {
        let mut running = self.spawn()?;
        let deadline = Instant::now() + MOST_UNTIL_ATTACHED;
        while !running.stderr_so_far()?.lines().any(|line| line.starts_with("attached")) {
            if let Some(status) = running.child.try_wait()? {
                bail!("dbtap ended ({status}) before it was attached: {}", running.stderr_so_far()?);
            }
            ensure!(Instant::now() < deadline, "dbtap is not attached after {MOST_UNTIL_ATTACHED:?}");
            std::thread::sleep(POLL);
        }
        Ok(running)
    }

    /// Starts it without waiting for anything.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(mut self) -> Result<Running> {
        let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        self.command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
        let child = self.command.spawn().context("dbtap does not start")?;
        Ok(Running { child, stdout, stderr })
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end within `most`.
    pub fn run(self, most: Duration) -> Result<Ended> {
        self.spawn()?.wait(most)
    }
}

/// A running `dbtap`. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: std::fs::File,
    stderr: std::fs::File,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to stderr until now.
    ///
    /// # Errors
    /// When the file that holds it cannot be read.
    pub fn stderr_so_far(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&contents(&self.stderr)?).into_owned())
    }

    /// Sends a signal, for instance `INT`.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: &str) -> Result<()> {
        crate::drivers::signal(self.pid(), signal)
    }

    /// Ctrl-C, then its end.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn interrupt(self) -> Result<Ended> {
        self.signal("INT")?;
        self.wait(MOST_UNTIL_ENDED)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end within `most`; it is killed then.
    pub fn wait(mut self, most: Duration) -> Result<Ended> {
        let deadline = Instant::now() + most;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(Instant::now() < deadline, "dbtap did not end within {most:?}");
            std::thread::sleep(POLL);
        };
        Ok(Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: contents(&self.stdout)?,
            stderr: self.stderr_so_far()?,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A `dbtap` that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Everything on stdout.
    pub stdout: Vec<u8>,
    /// Everything on stderr.
    pub stderr: String,
}

impl Ended {
    /// The JSON report on stdout.
    ///
    /// # Errors
    /// When stdout holds none; what is there, and stderr, are quoted.
    pub fn report(&self) -> Result<Report> {
        serde_json::from_slice(&self.stdout).with_context(|| {
            let start = String::from_utf8_lossy(self.stdout.get(..500).unwrap_or(&self.stdout));
            format!("no report (exit {:?}, stderr {:?}): {start}", self.code, self.stderr)
        })
    }

    /// Stdout as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Reads by position: the writer shares the file's own.
fn contents(file: &std::fs::File) -> Result<Vec<u8>> {
    let length = usize::try_from(file.metadata()?.len())?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
