//! Commands that need root: as they are for root, through sudo for everyone else.

use crate::process;
use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::ffi::OsStr;
use std::process::Command;

/// Whether this process is root.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Makes sure that [`command`] will work, and lets sudo ask for the password now, not in the middle of something.
pub fn ensure(what_for: &str) -> anyhow::Result<()> {
    if is_root() {
        return Ok(());
    }
    if !process::exists("sudo") {
        bail!("{what_for} needs root, and there is no sudo here; run this as root");
    }
    let status = Command::new("sudo").arg("--validate").status().context("cannot start sudo")?;
    if !status.success() {
        bail!("{what_for} needs root, and sudo refused; run this as root or as a user who may use sudo");
    }
    Ok(())
}

/// A command that runs as root. Call [`ensure`] before.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("--non-interactive").arg("--").arg(program);
    command
}

/// Sends SIGINT to a process started with [`command`].
///
/// Without root even one's own sudo can be signalled only by root; sudo passes the signal on to its command.
pub fn interrupt(pid: u32) {
    if !is_root() {
        let _ = command("kill").arg("-INT").arg(pid.to_string()).status();
    } else if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::INT);
    }
}
