//! Clients in C, because only C reaches all of what libpq and libmariadb can do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Compiles the libpq client into this folder and gives its path. Needs gcc and libpq's headers.
///
/// # Errors
/// When the compiler is missing or refuses; its words are quoted.
pub fn pipeline_program(folder: &Path) -> Result<PathBuf> {
    compile("libpq_pipeline", "-I/usr/include/postgresql", "-lpq", folder)
}

/// As [`pipeline_program`], the libmariadb client. Needs gcc and libmariadb's headers.
///
/// # Errors
/// As [`pipeline_program`].
pub fn mariadb_program(folder: &Path) -> Result<PathBuf> {
    compile("mariadb_statements", "-I/usr/include/mariadb", "-lmariadb", folder)
}

fn compile(name: &str, include: &str, library: &str, folder: &Path) -> Result<PathBuf> {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("drivers").join(name).with_extension("c");
    let program = folder.join(name);
    let done = Command::new("gcc")
        .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", include, "-o"])
        .args([&program, &source])
        .arg(library)
        .output()
        .context("no gcc: install gcc, libpq-dev and libmariadb-dev")?;
    ensure!(done.status.success(), "gcc: {}", String::from_utf8_lossy(&done.stderr));
    Ok(program)
}
