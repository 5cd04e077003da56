//! Runs a measuring program of the package `tests` as root and reads the JSON that it prints.

use crate::process::{self, Interrupt};
use crate::{build, root, workspace};
use anyhow::Context as _;
use std::process::Command;

/// What a program printed.
#[derive(Debug)]
pub struct Numbers(serde_json::Value);

impl Numbers {
    /// The text at a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// The number at a path of keys.
    pub fn get(&self, path: &[&str]) -> anyhow::Result<f64> {
        path.iter()
            .try_fold(&self.0, |value, key| value.get(key))
            .and_then(serde_json::Value::as_f64)
            .with_context(|| format!("the measurement printed no number {}", path.join(".")))
    }
}

/// Builds `dbtap` and the program in release, and runs the program.
pub fn measure(program: &str, interrupt: &Interrupt) -> anyhow::Result<Numbers> {
    measure_with(program, &[], interrupt)
}

/// The same with arguments.
pub fn measure_with(program: &str, arguments: &[&str], interrupt: &Interrupt) -> anyhow::Result<Numbers> {
    root::ensure("measuring attached programs")?;
    let binary = build::run(interrupt)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked", "--release", "--package=tests", "--bin", program]);
    cargo.current_dir(workspace::root());
    process::run(&mut cargo, interrupt)?;
    let mut command = root::command(workspace::target()?.join("release").join(program));
    command.args(arguments).env("DBTAP_BINARY", binary);
    let said = process::output(&mut command)?;
    let value = serde_json::from_str(&said).with_context(|| format!("{program} printed no JSON:\n{said}"))?;
    Ok(Numbers(value))
}
