//! cargo-fuzz: builds fuzz targets with libFuzzer and runs them.

use crate::process::{self, Interrupt};
use crate::workspace;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const VERSION: &str = "0.13.2";

/// Makes sure of `.tools/bin/cargo-fuzz` in that version, and returns its path.
pub fn ensure(interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
    let folder = workspace::tools();
    let program = folder.join("bin/cargo-fuzz");
    let version = Command::new(&program).arg("--version").stderr(Stdio::null()).output();
    let is_there = version.is_ok_and(|done| String::from_utf8_lossy(&done.stdout).contains(VERSION));
    if !is_there {
        eprintln!("xtask: installing cargo-fuzz {VERSION} into {} (some minutes)", folder.display());
        let mut install = Command::new("cargo");
        install
            .args(["install", "--quiet", "--locked", "--force", "cargo-fuzz"])
            .arg(format!("--version=={VERSION}"))
            .arg("--root")
            .arg(&folder);
        process::run(&mut install, interrupt)?;
    }
    Ok(program)
}
