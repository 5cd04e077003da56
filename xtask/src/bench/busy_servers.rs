//! What watching costs programs that keep a MariaDB or Redis server busy, and whether pipelines are counted in full.

use super::measured::measure;
use super::{Goal, Measurement, Row};
use crate::{packages, process::Interrupt};

const COMMAND: &str = "cargo run --locked --release --package tests --bin load-cost";

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "busy-servers",
    title: "Busy MariaDB and Redis",
    about: "The load's own rate with dbtap against without, in turn, medians of 3 rounds of 8 s, server and load on the \
            same machine: `sysbench oltp_read_write` with 2 threads on MariaDB's Unix socket; `redis-benchmark -c 8 -t get` \
            over TCP, without pipelining and with 16 commands in one. Then 30 s of these pipelines, counted by dbtap and by \
            the server (`redis-benchmark` is killed with answers outstanding, which the server counts).",
    run,
};

const PACKAGES: [&str; 4] = ["mariadb-server", "redis-server", "redis-tools", "sysbench"];

fn run(interrupt: &Interrupt) -> anyhow::Result<Vec<Row>> {
    packages::ensure("servers and loads to measure", &PACKAGES, interrupt)?;
    let numbers = measure("load-cost", interrupt)?;
    let row = |name: &str, value: f64, unit, goal| Row {
        name: name.to_owned(),
        value,
        unit,
        goal,
        command: COMMAND.to_owned(),
    };
    let mut rows = Vec::new();
    for (load, unit) in [
        ("sysbench oltp_read_write", "transactions/s"),
        ("redis-benchmark -P 1", "commands/s"),
        ("redis-benchmark -P 16", "commands/s"),
    ] {
        rows.push(row(&format!("{load}, without dbtap"), numbers.get(&[load, "without"])?, unit, None));
        rows.push(row(
            &format!("{load}, ratio with dbtap"),
            numbers.get(&[load, "ratio"])?,
            "of without",
            None,
        ));
    }
    for (key, name, unit, goal) in [
        ("requests", "30 s of pipelines: requests that dbtap counted", "requests", None),
        ("commandstats", "30 s of pipelines: commands that the server counted", "commands", None),
        ("events_lost", "30 s of pipelines: events lost", "events", Some(Goal::AtMost(0.0))),
        ("answers_unmatched", "30 s of pipelines: requests not counted", "requests", Some(Goal::AtMost(0.0))),
    ] {
        rows.push(row(name, numbers.get(&["pipelines", key])?, unit, goal));
    }
    let peak_mib = numbers.get(&["pipelines", "peak_rss_kib"])? / 1024.0;
    rows.push(row("30 s of pipelines: dbtap's peak memory", peak_mib, "MiB", Some(Goal::AtMost(64.0))));
    Ok(rows)
}
