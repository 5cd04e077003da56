//! Debian packages: servers and drivers that tests and the demo with a real server need.

use crate::process::{self, Interrupt};
use crate::root;
use anyhow::bail;
use std::process::{Command, Stdio};

/// Installs those of the packages that are missing. Quick, and without root, when none is.
pub fn ensure(what_for: &str, packages: &[&str], interrupt: &Interrupt) -> anyhow::Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !process::exists("apt-get") {
        bail!(
            "{what_for}: install {} with this system's package tool (there is no apt-get here)",
            missing.join(", ")
        );
    }
    root::ensure("installing packages")?;
    eprintln!("xtask: installing {} with apt-get: {what_for}", missing.join(", "));
    // An old list may name versions that the mirror no longer has. A broken extra source must not stop
    // packages that other sources have, so only the installation itself has to succeed.
    if let Err(error) = process::run(root::command("apt-get").args(["update", "--quiet=2"]), interrupt) {
        interrupt.check()?;
        eprintln!("xtask: {error:#}; going on with the package lists as they are");
    }
    let mut install = root::command("env");
    install
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--quiet=2"])
        .arg("--no-install-recommends")
        .args(&missing);
    process::run(&mut install, interrupt)
}

/// Whether dpkg knows the package as fully installed. `false` where there is no dpkg.
fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|done| done.stdout == b"installed")
}
