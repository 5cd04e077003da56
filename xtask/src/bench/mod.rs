//! `cargo xtask bench`: measures what dbtap costs, prints it, and writes `docs/benchmarks.md` with the machine's name.
//!
//! One file for each measurement, and one word in [`MEASUREMENTS`]. A measurement gives rows and never judges them; the
//! goal stands beside each number.

mod busy_process;
mod busy_servers;
mod divan;
mod document;
mod kernel_side;
mod machine;
mod measured;
mod protocols;
mod user_side;
mod why_slow;

use crate::process::Interrupt;
use anyhow::{Context as _, bail};

/// What a measurement found.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was measured, in words.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Its unit: `records/s`, `ns`, `MiB`, ...
    pub unit: &'static str,
    /// What it should be. None: it explains another number.
    pub goal: Option<Goal>,
    /// The command that gives this number again.
    pub command: String,
}

/// What a number should be, in the row's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    /// Whether a value reaches it.
    pub fn is_reached(self, value: f64) -> bool {
        match self {
            Goal::AtLeast(least) => value >= least,
            Goal::AtMost(most) => value <= most,
        }
    }
}

/// A measurement.
pub struct Measurement {
    /// Its name on the command line.
    pub name: &'static str,
    /// Heading of its table.
    pub title: &'static str,
    /// What is measured and how, for the reader of the table.
    pub about: &'static str,
    /// Makes it.
    pub run: fn(&Interrupt) -> anyhow::Result<Vec<Row>>,
}

/// All of them, in the order of the document.
const MEASUREMENTS: &[Measurement] = &[
    user_side::MEASUREMENT,
    protocols::MEASUREMENT,
    why_slow::MEASUREMENT,
    kernel_side::MEASUREMENT,
    busy_process::MEASUREMENT,
    busy_servers::MEASUREMENT,
];

#[derive(clap::Args)]
pub struct Arguments {
    /// Measurements to make; all of them when none is named
    names: Vec<String>,
    /// Print the tables only, and leave docs/benchmarks.md as it is
    #[arg(long)]
    print: bool,
}

/// Makes the measurements. Writes the document only when all were made.
pub fn run(arguments: &Arguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    for name in &arguments.names {
        if !MEASUREMENTS.iter().any(|measurement| measurement.name == name) {
            let known: Vec<&str> = MEASUREMENTS.iter().map(|measurement| measurement.name).collect();
            bail!("no measurement {name}; there are: {}", known.join(", "));
        }
    }
    let mut tables = Vec::new();
    for measurement in MEASUREMENTS {
        let is_wanted =
            arguments.names.is_empty() || arguments.names.iter().any(|name| name == measurement.name);
        if is_wanted {
            eprintln!("xtask: measuring {}", measurement.name);
            let rows =
                (measurement.run)(interrupt).with_context(|| format!("measuring {}", measurement.name))?;
            tables.push((measurement, rows));
        }
    }
    for (measurement, rows) in &tables {
        println!("{}", document::table(measurement, rows));
    }
    if !arguments.print && arguments.names.is_empty() {
        let path = "docs/benchmarks.md";
        std::fs::write(path, document::whole(&machine::read()?, &tables))
            .context("cannot write docs/benchmarks.md")?;
        eprintln!("xtask: wrote {path}");
    }
    Ok(())
}
