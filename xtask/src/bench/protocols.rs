//! Records and requests a second of each protocol, from the bench `protocols` of the package `tracer`.

use super::divan::{self, Column};
use super::{Goal, Measurement, Row};
use crate::process::Interrupt;
use anyhow::Context as _;

const COMMAND: &str = "cargo bench --locked --package tracer --no-default-features --bench protocols";

/// A function of the bench, the recording that it takes, what its items are, and the goal.
type Number = (&'static str, &'static str, &'static str, Option<Goal>);

const NUMBERS: &[Number] = &[
    ("records_taken", "postgresql/pgbench-select-prepared", "records/s", Some(Goal::AtLeast(2e6))),
    ("records_taken", "mysql/sysbench-prepared", "records/s", Some(Goal::AtLeast(2e6))),
    ("records_taken", "redis/redis-benchmark", "records/s", None),
    ("requests_counted", "redis/redis-benchmark-pipeline", "commands/s", Some(Goal::AtLeast(4e6))),
    ("records_taken", "memcached/pymemcache", "records/s", None),
    ("records_taken", "mongodb/pymongo", "records/s", None),
    ("records_taken", "elasticsearch/elasticsearch-py", "records/s", None),
];

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "protocols",
    title: "Protocols",
    about: "Recorded traffic of loads with small requests, said again on 16 connections in turn, through all stages on one \
            core. Median of the samples. A record is one piece of one send or receive; a pipeline has many requests in one.",
    run,
};

fn run(_: &Interrupt) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (function, recording, unit, goal) in NUMBERS {
        let said = divan::output(COMMAND, &[function])?;
        let value = divan::throughput(&said, recording, Column::Median)
            .with_context(|| format!("no number for {recording} in:\n{said}"))?;
        rows.push(Row {
            name: (*recording).to_owned(),
            value,
            unit,
            goal: *goal,
            command: format!("{COMMAND} -- {function}"),
        });
    }
    Ok(rows)
}
