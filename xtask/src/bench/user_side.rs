//! Records a second of the user side, from the bench `records` of the package `tracer`.

use super::divan::{self, Column};
use super::{Goal, Measurement, Row};
use crate::process::Interrupt;
use anyhow::{Context as _, ensure};

const COMMAND: &str = "cargo bench --locked --package tracer --no-default-features --bench records";

/// A bench, a column of it, what it is called, the items that it counts, and the goal of the whole.
type Number = (&'static str, Column, &'static str, &'static str, Option<Goal>);

const NUMBERS: &[Number] = &[
    ("pipeline", Column::Median, "all stages, one core", "records/s", Some(Goal::AtLeast(2e6))),
    ("pipeline", Column::Fastest, "all stages, fastest sample: least disturbed", "records/s", None),
    ("decode", Column::Median, "decode", "records/s", None),
    ("order_and_connection", Column::Median, "order and connection table", "records/s", None),
    ("protocol", Column::Median, "PostgreSQL observer", "records/s", None),
    ("aggregate", Column::Median, "aggregate", "requests/s", None),
    ("normalise_cold", Column::Median, "normalise, text not seen before", "texts/s", None),
    ("normalise_cached", Column::Median, "normalise, text seen before", "texts/s", None),
];

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "user-side",
    title: "User side",
    about: "Recorded traffic of `pgbench -S -M prepared`, said again on 16 connections in turn. Median of the samples, \
            where nothing else is said.",
    run,
};

fn run(_: &Interrupt) -> anyhow::Result<Vec<Row>> {
    let said = divan::output(COMMAND, &[])?;
    let rows: Vec<Row> = NUMBERS
        .iter()
        .map(|(bench, column, name, unit, goal)| {
            let value = divan::throughput(&said, bench, *column)
                .with_context(|| format!("no number for {bench} in:\n{said}"))?;
            Ok(Row {
                name: (*name).to_owned(),
                value,
                unit,
                goal: *goal,
                command: format!("{COMMAND} -- {bench}"),
            })
        })
        .collect::<anyhow::Result<_>>()?;
    ensure!(!rows.is_empty(), "nothing was measured");
    Ok(rows)
}
