//! What watching costs a busy process, beside other tools; dbtap's own memory; the time until it is attached.

use super::measured::measure;
use super::{Goal, Measurement, Row};
use crate::{packages, process::Interrupt};

const COMMAND: &str = "cargo run --locked --release --package tests --bin pgbench-cost";

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "busy-process",
    title: "A busy process",
    about: "`pgbench -S -c 2 -j 2` on the Unix socket of a server on the same machine: transactions a second with a tool, \
            against without any in the same round. Medians of 3 rounds, the tools in turn. bpftrace: two syscall \
            tracepoints and a histogram; perf trace and strace: the sends and receives, to /dev/null.",
    run,
};

const TOOLS: [&str; 3] = ["bpftrace", "linux-perf", "strace"];

fn run(interrupt: &Interrupt) -> anyhow::Result<Vec<Row>> {
    packages::ensure("tools to compare with", &TOOLS, interrupt)?;
    let numbers = measure("pgbench-cost", interrupt)?;
    let row = |name: &str, value: f64, unit, goal| Row {
        name: name.to_owned(),
        value,
        unit,
        goal,
        command: COMMAND.to_owned(),
    };
    let mut rows = vec![row("transactions without a tool", numbers.get(&["tps_without"])?, "tps", None)];
    for tool in ["dbtap", "bpftrace", "perf trace", "strace"] {
        rows.push(row(&format!("ratio with {tool}"), numbers.get(&["ratio", tool])?, "of without", None));
    }
    let peak_mib = numbers.get(&["peak_rss_kib"])? / 1024.0;
    rows.push(row("dbtap's peak memory over 60 s", peak_mib, "MiB", Some(Goal::AtMost(64.0))));
    rows.push(row("requests seen in these 60 s", numbers.get(&["requests"])?, "requests", None));
    rows.push(row(
        "events lost in these 60 s",
        numbers.get(&["events_lost"])?,
        "events",
        Some(Goal::AtMost(0.0)),
    ));
    rows.push(row("from start to attached", numbers.get(&["attach_ms"])?, "ms", Some(Goal::AtMost(300.0))));
    Ok(rows)
}
