//! Clients in Rust, of the package `rust-drivers`: drivers with many dependencies, which only their own programs wait for.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

/// mysql_async in this mode; see the program itself for the modes. It takes the server and the session from the
/// environment.
///
/// # Errors
/// When the program is not built; with the remedy.
pub fn mysql_async(mode: &str) -> Result<Command> {
    client("mysql-async-client", mode)
}

/// As [`mysql_async`], redis-rs. It takes the server from `REDIS_URL`.
///
/// # Errors
/// As [`mysql_async`].
pub fn redis_rs(mode: &str) -> Result<Command> {
    client("redis-rs-client", mode)
}

/// As [`mysql_async`], MongoDB's official driver for Rust. It takes the server from `MONGODB_URI`.
///
/// # Errors
/// As [`mysql_async`].
pub fn mongodb_rust(mode: &str) -> Result<Command> {
    client("mongodb-client", mode)
}

fn client(name: &str, mode: &str) -> Result<Command> {
    let mut command = Command::new(built(name)?);
    command.arg(mode);
    Ok(command)
}

/// The program, one folder above the test that runs.
fn built(name: &str) -> Result<PathBuf> {
    let running = std::env::current_exe()?;
    let found =
        running.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.exists());
    found.with_context(|| format!("{name} is not built: cargo build -p rust-drivers"))
}
