//! `cargo xtask build`: the release binary with the kernel programs inside.

use crate::process::{self, Interrupt};
use crate::{tools, workspace};
use anyhow::ensure;
use std::path::PathBuf;
use std::process::Command;

/// Makes sure of the tools, builds, and returns the binary's path.
pub fn run(interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
    tools::ensure(interrupt)?;
    let arguments = ["build", "--release", "--locked", "--package=tracer", "--features=bpf", "--bin=dbtap"];
    process::run(Command::new("cargo").args(arguments), interrupt)?;
    let binary = workspace::target()?.join("release/dbtap");
    ensure!(binary.is_file(), "cargo built no {}", binary.display());
    eprintln!("xtask: built {}", binary.display());
    Ok(binary)
}
