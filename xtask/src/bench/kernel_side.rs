//! What the kernel programs cost: per traced event, per socket call of a process that is no target, and per system call
//! that touches no socket.

use super::measured::{Numbers, measure};
use super::{Goal, Measurement, Row};
use crate::process::Interrupt;

const COMMAND: &str = "cargo run --locked --release --package tests --bin kernel-cost";

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "kernel-side",
    title: "Kernel side",
    about: "A process sends itself 100 bytes over a Unix socket pair. Program time is the kernel's own BPF run-time \
            statistics; added time is the difference of the whole trip, and is noisy. Medians of 15 rounds, in turn.",
    run,
};

fn run(interrupt: &Interrupt) -> anyhow::Result<Vec<Row>> {
    let numbers = measure("kernel-cost", interrupt)?;
    rows(&numbers)
}

fn rows(numbers: &Numbers) -> anyhow::Result<Vec<Row>> {
    let added_to_syscall = numbers.get(&["syscall_attached_ns"])? - numbers.get(&["syscall_bare_ns"])?;
    let at_most = |value| Some(Goal::AtMost(value));
    let row = |name: &str, value: f64, goal| Row {
        name: name.to_owned(),
        value,
        unit: "ns",
        goal,
        command: COMMAND.to_owned(),
    };
    Ok(vec![
        row("program, traced send or receive", numbers.get(&["program_traced_ns"])?, at_most(450.0)),
        row("program, bystander's send or receive", numbers.get(&["program_bystander_ns"])?, at_most(130.0)),
        row("added to a traced send or receive", numbers.get(&["added_per_event_traced_ns"])?, None),
        row("added to a bystander's send or receive", numbers.get(&["added_per_event_bystander_ns"])?, None),
        row("getppid, nothing attached", numbers.get(&["syscall_bare_ns"])?, None),
        row("added to getppid (0 but for noise)", added_to_syscall, None),
    ])
}
