//! A list of checks, run in order, stopped at the first failure.

use crate::process::{self, Interrupt};
use anyhow::Context as _;
use std::process::Command;
use std::time::Instant;

/// One check: a heading and the command behind it.
pub struct Step {
    heading: &'static str,
    command: Command,
}

impl Step {
    /// A check made by one command.
    pub fn new(heading: &'static str, command: Command) -> Self {
        Self { heading, command }
    }

    /// A check made by `cargo` with these words, separated by white space.
    pub fn cargo(heading: &'static str, words: &str) -> Self {
        let mut command = Command::new("cargo");
        command.args(words.split_whitespace());
        Self::new(heading, command)
    }

    /// Sets a variable for the command.
    pub fn with(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }
}

/// Runs all steps. The error names the step that failed and how to run it alone.
pub fn run_all(steps: Vec<Step>, interrupt: &Interrupt) -> anyhow::Result<()> {
    for mut step in steps {
        eprintln!("\n=== {}: {}", step.heading, process::describe(&step.command));
        let begin = Instant::now();
        process::run(&mut step.command, interrupt).with_context(|| format!("FAILED: {}", step.heading))?;
        eprintln!("=== {}: good, {:.1} s", step.heading, begin.elapsed().as_secs_f64());
    }
    Ok(())
}
