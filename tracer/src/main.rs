//! The command `dbtap`: parses, validates, runs. Holds no logic of its own.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use tracer::cli::{Cli, Command, completions, man};
use tracer::doctor;

/// Every terminal has as many.
const COLUMNS: usize = 80;
/// The report was not made.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "dbtap: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    match cli.command {
        Command::Attach(arguments) => match tracer::config::AttachConfig::new(arguments.into_request()) {
            Ok(config) => attach(&config),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "dbtap: {error}");
                Ok(USAGE)
            }
        },
        Command::Doctor(arguments) => {
            let diagnosis = doctor::diagnose(arguments.pid);
            print(doctor::render(&diagnosis, COLUMNS).as_bytes())?;
            Ok(if diagnosis.is_ready() { 0 } else { FAILED })
        }
        Command::Completions(arguments) => print(&completions(arguments.shell)),
        Command::Man => print(&man()?),
    }
}

#[cfg(feature = "bpf")]
fn attach(config: &tracer::config::AttachConfig) -> anyhow::Result<u8> {
    /// The report was made and is known to be incomplete.
    const INCOMPLETE: u8 = 3;
    Ok(match tracer::capture::run(config)? {
        tracer::capture::Finished::Complete => 0,
        tracer::capture::Finished::Incomplete => INCOMPLETE,
    })
}

#[cfg(not(feature = "bpf"))]
fn attach(_: &tracer::config::AttachConfig) -> anyhow::Result<u8> {
    anyhow::bail!("this dbtap was built without its kernel part; build it with `cargo xtask build`")
}

/// A reader that has seen enough is no failure.
fn print(bytes: &[u8]) -> anyhow::Result<u8> {
    match std::io::stdout().write_all(bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(0),
    }
}
