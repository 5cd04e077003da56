//! `cargo xtask fuzz`: runs the fuzz targets, each for a while, under limits that show that memory is bounded.

use crate::process::{self, Interrupt};
use crate::tools::cargo_fuzz;
use anyhow::{Context as _, bail};
use std::process::Command;

/// Everything that a target process keeps, sanitizer included.
const RSS_LIMIT_MB: u32 = 512;
/// The largest single allocation.
const MALLOC_LIMIT_MB: u32 = 64;

#[derive(clap::Args)]
pub struct Arguments {
    /// The target to run; all of them when none is named
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Writes the seeds, builds, and runs. A crash is an error and leaves its input in `fuzz/artifacts`.
pub fn run(arguments: &Arguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let program = cargo_fuzz::ensure(interrupt)?;
    // One after the other and by cargo alone: the seeds need no sanitizer.
    process::run(
        Command::new("cargo").args([
            "run",
            "--quiet",
            "--locked",
            "--manifest-path=fuzz/Cargo.toml",
            "--example=seeds",
        ]),
        interrupt,
    )?;
    let listed = process::output(Command::new(&program).args(["fuzz", "list"]))?;
    let mut targets: Vec<&str> = listed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(wanted) = &arguments.target {
        targets.retain(|target| target == wanted);
        if targets.is_empty() {
            bail!(
                "no fuzz target {wanted}; there are: {}",
                listed.split_whitespace().collect::<Vec<_>>().join(", ")
            );
        }
    }
    for target in targets {
        eprintln!("\nxtask: fuzzing {target} for {} s", arguments.seconds);
        let mut command = Command::new(&program);
        command
            // Sanitizers need -Z flags; .cargo/config.toml says why the stable toolchain may use them.
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "run", target, "--"])
            .arg(format!("-max_total_time={}", arguments.seconds))
            .arg(format!("-rss_limit_mb={RSS_LIMIT_MB}"))
            .arg(format!("-malloc_limit_mb={MALLOC_LIMIT_MB}"))
            .args(["-timeout=10", "-print_final_stats=1"]);
        process::run(&mut command, interrupt).with_context(|| {
            format!("{target} broke: put the input from fuzz/artifacts/{target} into fuzz/regressions/{target}, and mend the cause")
        })?;
    }
    Ok(())
}
