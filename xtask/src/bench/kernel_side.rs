//! What the kernel programs cost, backend by backend: per traced event, per socket call of a process that is no target, and
//! per system call that touches no socket.

use super::measured::{Numbers, measure_with};
use super::{Goal, Measurement, Row};
use crate::process::Interrupt;
use anyhow::ensure;

const COMMAND: &str = "cargo run --locked --release --package tests --bin kernel-cost --";

/// As on the command line of `dbtap`. The goals are those of the first one, which this machine's kernel prefers.
const BACKENDS: [&str; 3] = ["socket", "fexit", "syscall"];

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "kernel-side",
    title: "Kernel side, backends side by side",
    about: "A process sends itself 100 bytes over a Unix socket pair. Program time is the kernel's own BPF run-time \
            statistics of one run; added time is the difference of the whole trip in CPU time, and is noisy. Medians of 15 rounds, in \
            turn. A backend that this kernel refuses has no rows. The programs of the backend syscall run twice for every \
            system call of every process; the others run once for a send or receive.",
    run,
};

fn run(interrupt: &Interrupt) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for backend in BACKENDS {
        let numbers = measure_with("kernel-cost", &["--backend", backend], interrupt)?;
        match numbers.text("refused") {
            Some(why) => eprintln!("xtask: backend {backend} is not measured: {why}"),
            None => rows.extend(rows_of(backend, &numbers)?),
        }
    }
    ensure!(!rows.is_empty(), "this kernel allows none of the backends");
    Ok(rows)
}

fn rows_of(backend: &str, numbers: &Numbers) -> anyhow::Result<Vec<Row>> {
    let added_to_syscall = numbers.get(&["syscall_attached_ns"])? - numbers.get(&["syscall_bare_ns"])?;
    let at_most = |value| (backend == "socket").then_some(Goal::AtMost(value));
    let row = |name: &str, value: f64, goal| Row {
        name: format!("{backend}: {name}"),
        value,
        unit: "ns",
        goal,
        command: format!("{COMMAND} --backend {backend}"),
    };
    Ok(vec![
        row("program, traced send or receive", numbers.get(&["program_traced_ns"])?, at_most(450.0)),
        row("program, bystander's send or receive", numbers.get(&["program_bystander_ns"])?, at_most(130.0)),
        row("added to a traced send or receive", numbers.get(&["added_per_event_traced_ns"])?, None),
        row("added to a bystander's send or receive", numbers.get(&["added_per_event_bystander_ns"])?, None),
        row("getppid, nothing attached", numbers.get(&["syscall_bare_ns"])?, None),
        row("added to getppid", added_to_syscall, None),
    ])
}
