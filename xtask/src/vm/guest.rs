//! The programs that run in the machines: built static, because there is nothing else in there.

use crate::process;
use anyhow::{Context as _, ensure};
use std::path::PathBuf;
use std::process::Command;

/// Naming the target keeps the flag away from build scripts and procedural macros, which are loaded into the compiler and
/// cannot be static.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const FLAGS: &str = "-C target-feature=+crt-static";

/// What the machines need, by the beginning of its name.
const NAMES: [&str; 4] = ["dbtap", "vm-", "demo-", "kernel_"];

/// A built program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name in cargo's terms, for instance `kernel_calls`.
    pub name: String,
    pub path: PathBuf,
}

/// Builds dbtap, the tests of the kernel side and the machine's own programs.
pub fn build() -> anyhow::Result<Vec<Program>> {
    let folder = crate::workspace::target()?.join("guest");
    let mut command = Command::new("cargo");
    command
        .args([
            "build",
            "--locked",
            "--profile=guest",
            "--target",
            TARGET,
            "--message-format=json-render-diagnostics",
        ])
        .args(["--package=tracer", "--package=tests"])
        .args(["--bin=dbtap", "--bin=vm-*", "--bin=demo-*", "--test=kernel_*"])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTFLAGS", FLAGS);
    let mut programs = programs(&process::output(&mut command)?)?;
    // For the tests' sake cargo builds all programs of their package.
    programs.retain(|program| NAMES.iter().any(|beginning| program.name.starts_with(beginning)));
    ensure!(programs.iter().any(|program| program.name == "vm-init"), "cargo built no vm-init");
    Ok(programs)
}

/// The executables in cargo's messages.
fn programs(messages: &str) -> anyhow::Result<Vec<Program>> {
    let mut programs = Vec::new();
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message: serde_json::Value = serde_json::from_str(line).context("cargo's message is no JSON")?;
        if let (Some(path), Some(name)) = (message["executable"].as_str(), message["target"]["name"].as_str())
        {
            programs.push(Program { name: name.to_owned(), path: path.into() });
        }
    }
    programs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_in_messages() {
        let messages = r#"
            not JSON
{"reason":"compiler-artifact","target":{"name":"b"},"executable":"/t/b-1"}
{"reason":"compiler-artifact","target":{"name":"library"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"a"},"executable":"/t/a"}
{"reason":"build-finished","success":true}"#;
        let program = |name: &str, path: &str| Program { name: name.into(), path: path.into() };
        assert_eq!(programs(messages).unwrap(), [program("a", "/t/a"), program("b", "/t/b-1")]);
    }
}
