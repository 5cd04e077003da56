//! Runs a step of the plan and says on the console how it ended. `cargo xtask vm` reads these lines.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};

use super::plan::Step;

/// Everything that a step prints, in the machine's memory.
const OUTPUT: &str = "/tmp/output";
/// Of a failed step at most so many lines are shown, the last ones.
const MOST_LINES: usize = 400;
const POLL: Duration = Duration::from_millis(5);

/// Runs all steps. Returns how many failed.
///
/// # Errors
/// When the console or the memory file system cannot be written.
pub fn all(steps: &[Step], console: &mut impl Write) -> Result<usize> {
    let mut failed = 0;
    for step in steps {
        writeln!(console, "vm: begin: {}", step.name)?;
        let begin = Instant::now();
        let end = one(step)?;
        let seconds = begin.elapsed().as_secs_f64();
        let said = String::from_utf8_lossy(&fs::read(OUTPUT)?).into_owned();
        if let Some(reason) = end {
            failed += 1;
            let lines: Vec<&str> = said.lines().collect();
            for line in lines.iter().skip(lines.len().saturating_sub(MOST_LINES)) {
                writeln!(console, "vm| {line}")?;
            }
            writeln!(console, "vm: failed: {}: {reason} ({seconds:.1} s)", step.name)?;
        } else {
            let closing = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            writeln!(console, "vm: good: {}: {closing} ({seconds:.1} s)", step.name)?;
        }
    }
    Ok(failed)
}

/// Runs one step to its end. Returns what was wrong with the end.
fn one(step: &Step) -> Result<Option<String>> {
    let output = fs::File::create(OUTPUT)?;
    let mut command = Command::new(&step.program);
    command
        .args(&step.arguments)
        .env_clear()
        .env("PATH", "/bin")
        .envs(&step.environment)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Some(format!("{} does not start: {error}", step.program))),
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
    let deadline = Instant::now() + step.limit;
    let mut is_late = false;
    loop {
        // Also takes the ends of processes whose parents have ended, which is a first process' duty.
        match wait(WaitOptions::NOHANG) {
            Ok(Some((ended, status))) if ended == pid => {
                return Ok(if is_late {
                    Some(format!("killed after {} s", step.limit.as_secs()))
                } else {
                    reason(status)
                });
            }
            Ok(Some(_)) => {}
            Ok(None) if !is_late && Instant::now() > deadline => {
                is_late = true;
                kill_process(pid, Signal::KILL).context("cannot kill")?;
            }
            Ok(None) => std::thread::sleep(POLL),
            Err(error) => return Err(error).context("cannot wait for a child"),
        }
    }
}

fn reason(status: WaitStatus) -> Option<String> {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit code {code}")),
        (None, signal) => Some(format!("ended by signal {}", signal.unwrap_or_default())),
    }
}
