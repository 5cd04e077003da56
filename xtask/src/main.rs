//! Everything a person does in this repository, as `cargo xtask COMMAND`.
//!
//! One file for each command. Commands say what they run and install on stderr; stdout carries only
//! results, such as the demo's report. Tools go into the repository's `.tools` folder, never into the system,
//! except packages that tests or a real server need.

mod bench;
mod build;
mod demo;
mod dist;
mod fuzz;
mod lint;
mod packages;
mod process;
mod root;
mod step;
mod test;
mod tools;
mod vm;
mod workspace;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use process::Interrupt;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, shows and checks dbtap")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the release binary with the kernel programs inside, and the tools for it first
    Build,
    /// Build static binaries for other hosts, with checksums, man page and completions, into target/dist
    Dist(dist::Arguments),
    /// Start a small payments service, attach to it, and print the report
    Demo(demo::Arguments),
    /// Install what tests need, then run every check and every test
    Test,
    /// Boot real kernels in an emulator and run the tests of the kernel side in there
    Vm(vm::Arguments),
    /// Run the fast checks: format, lints, documents, house rules
    Lint,
    /// Run the fuzz targets
    Fuzz(fuzz::Arguments),
    /// Measure what dbtap costs, and write docs/benchmarks.md
    Bench(bench::Arguments),
    /// Install the tools that the kernel programs' build needs
    Tools(tools::Arguments),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    // Paths in commands are relative to the repository, wherever the person stands.
    std::env::set_current_dir(workspace::root()).context("cannot enter the repository's folder")?;
    let interrupt = Interrupt::listen()?;
    match command {
        Command::Build => build::run(&interrupt).map(|_| ExitCode::SUCCESS),
        Command::Dist(arguments) => dist::run(arguments, &interrupt).map(|()| ExitCode::SUCCESS),
        Command::Demo(arguments) => demo::run(arguments, &interrupt),
        Command::Test => test::run(&interrupt).map(|()| ExitCode::SUCCESS),
        Command::Vm(arguments) => vm::run(arguments, &interrupt).map(|()| ExitCode::SUCCESS),
        Command::Lint => lint::run(&interrupt).map(|()| ExitCode::SUCCESS),
        Command::Fuzz(arguments) => fuzz::run(arguments, &interrupt).map(|()| ExitCode::SUCCESS),
        Command::Bench(arguments) => bench::run(arguments, &interrupt).map(|()| ExitCode::SUCCESS),
        Command::Tools(arguments) => tools::run(arguments, &interrupt).map(|()| ExitCode::SUCCESS),
    }
}
