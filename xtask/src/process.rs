//! Starting other programs, and ending them.
//!
//! Nothing started here outlives this process: a [`Service`] is ended when dropped and also ends by itself
//! when its standard input closes, which the kernel does however this process died.

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often a waiting loop looks at its child and at the signals.
const POLL: Duration = Duration::from_millis(20);

/// Time that a service gets to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Counts SIGINT and SIGTERM from the moment it listens.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Takes over both signals.
    pub fn listen() -> anyhow::Result<Self> {
        let count = Arc::new(AtomicUsize::new(0));
        let mut signals =
            signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).context("cannot listen for signals")?;
        let counter = count.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self(count))
    }

    /// How many signals came so far.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Errors when a signal came.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.count() == 0 { Ok(()) } else { bail!("interrupted") }
    }
}

/// The command as a person would type it.
pub fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end. Errors when it cannot start, fails, or a signal comes.
pub fn run(command: &mut Command, interrupt: &Interrupt) -> anyhow::Result<()> {
    let status = wait(&mut spawn(command)?, interrupt)?;
    if !status.success() {
        bail!("`{}` failed ({status})", describe(command));
    }
    Ok(())
}

/// Runs a command and returns its standard output. For short questions: does not listen for signals.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", describe(command)))?;
    if !done.status.success() {
        bail!("`{}` failed ({})", describe(command), done.status);
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{}` printed no UTF-8", describe(command)))
}

/// Whether a program of that name can be started.
pub fn exists(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

fn spawn(command: &mut Command) -> anyhow::Result<Child> {
    command.spawn().with_context(|| format!("cannot start `{}`", describe(command)))
}

fn wait(child: &mut Child, interrupt: &Interrupt) -> anyhow::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            interrupt.check()?;
            return Ok(status);
        }
        if interrupt.count() > 0 {
            // From a terminal the child has the signal already; a second SIGTERM does no harm.
            signal(child, Signal::TERM);
            child.wait()?;
            interrupt.check()?;
        }
        std::thread::sleep(POLL);
    }
}

/// Sends a signal to a child. A child that is gone already is no error: that is what was wanted.
fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = pid(child) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// A program that runs beside this one, in a process group of its own, until dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    name: String,
    /// What it said when it was ready.
    pub ready: String,
}

impl Service {
    /// Starts a program and waits for its first line of output, which says that it is ready.
    ///
    /// The program must end when its standard input ends. Errors when it ends before that line.
    pub fn start(command: &mut Command, interrupt: &Interrupt) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        // A group of its own: Ctrl-C in the terminal must not end it before the report is made.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut service = Self { child: spawn(command)?, name, ready: String::new() };
        let lines = service.child.stdout.take().map(BufReader::new).context("no pipe")?;
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Reads on after the first line, so that the service never blocks on a full pipe.
            for line in lines.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        loop {
            interrupt.check()?;
            match receive.recv_timeout(POLL) {
                Ok(line) => {
                    service.ready = line;
                    return Ok(service);
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                    bail!("`{}` ended before it was ready", service.name)
                }
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let begin = Instant::now();
        while begin.elapsed() < GRACE {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(POLL);
        }
        eprintln!("xtask: `{}` did not end by itself; killing it", self.name);
        if let Some(pid) = pid(&self.child) {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Runs a command in a process group of its own; each signal that comes is passed on to it as `pass_on` says.
///
/// Returns the command's own status, also after a signal: it may still have a report to print.
pub fn run_and_pass_on(
    command: &mut Command,
    interrupt: &Interrupt,
    pass_on: impl Fn(u32),
) -> anyhow::Result<ExitStatus> {
    let mut child = spawn(command.stdin(Stdio::null()).process_group(0))?;
    let mut passed = interrupt.count();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        while passed < interrupt.count() {
            passed += 1;
            pass_on(child.id());
        }
        std::thread::sleep(POLL);
    }
}
