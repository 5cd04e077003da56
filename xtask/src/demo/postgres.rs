//! A real PostgreSQL for the demo: a cluster of its own in a temporary folder, gone when the demo ends.

use crate::process::{Interrupt, Service};
use crate::{packages, root};
use anyhow::Context as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

/// Makes the cluster, says that it is ready, waits for the end of its input, and removes all. One script, so
/// that the cluster goes away also when this process is killed; run by the user who owns the cluster's files.
const CLUSTER: &str = include_str!("postgres.sh");

/// The payments tables, with the slow path.
const SCHEMA: &str = include_str!("postgres.sql");

/// Starts the cluster; returns it with the connection string for the application.
pub fn start(interrupt: &Interrupt) -> anyhow::Result<(Service, String)> {
    packages::ensure("a real server for the demo", &["postgresql"], interrupt)?;
    // Nobody else takes the port in the moment between: the kernel hands out others first.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = if root::is_root() {
        // PostgreSQL refuses to run as root.
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command
        .args(["-c", CLUSTER])
        .env("PORT", port.to_string())
        .env("SCHEMA", SCHEMA)
        .env("PATH", path_with_servers()?)
        // The cluster's user may not be allowed into this folder.
        .current_dir("/");
    let server = Service::start(&mut command, interrupt).context("PostgreSQL did not start")?;
    Ok((server, format!("host=127.0.0.1 port={port} user=payments dbname=payments")))
}

/// Debian keeps each version's server programs in a folder of their own, outside PATH.
fn path_with_servers() -> anyhow::Result<std::ffi::OsString> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    folders.retain(|folder| folder.join("initdb").is_file());
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    std::env::join_paths(folders).context("cannot make a PATH with PostgreSQL's programs")
}
