//! The libpq client: a small C program, because only C reaches libpq's pipeline mode directly.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Compiles the program into this folder and gives its path. Needs gcc and libpq's headers.
///
/// # Errors
/// When the compiler is missing or refuses; its words are quoted.
pub fn pipeline_program(folder: &Path) -> Result<PathBuf> {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("drivers/libpq_pipeline.c");
    let program = folder.join("libpq_pipeline");
    let done = Command::new("gcc")
        .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-I/usr/include/postgresql", "-o"])
        .args([&program, &source])
        .arg("-lpq")
        .output()
        .context("no gcc: install gcc and libpq-dev")?;
    ensure!(done.status.success(), "gcc: {}", String::from_utf8_lossy(&done.stderr));
    Ok(program)
}
