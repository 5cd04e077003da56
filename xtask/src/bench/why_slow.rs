//! What comparing slow requests with fast ones costs on the user side, from the bench `why_cost` of the package `tracer`.

use super::{Goal, Measurement, Row};
use crate::process::{self, Interrupt};
use anyhow::Context as _;
use std::process::Command;

const COMMAND: &str = "cargo bench --locked --package tracer --no-default-features --bench why_cost";

/// Key in what the bench prints, what it is, its unit, and the goal.
const NUMBERS: &[(&str, &str, &str, Option<Goal>)] = &[
    ("with_ns", "1,000,000 requests: one, values compared", "ns", None),
    ("without_ns", "1,000,000 requests: one, values passed over", "ns", None),
    ("ratio", "1,000,000 requests: ratio, median of batches in turn", "", Some(Goal::AtMost(1.15))),
    ("first_with_ns", "first 40,000, every value read: one, values compared", "ns", None),
    ("first_without_ns", "first 40,000: one, values passed over", "ns", None),
    ("first_ratio", "first 40,000: ratio", "", None),
];

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "why-slow",
    title: "Why slow",
    about: "Executions with 5 bind values (int8, text, timestamptz, uuid, int4) on 16 connections in turn, through all \
            stages of the user side, once with the features of the values and the sample of requests, once without.",
    run,
};

fn run(_: &Interrupt) -> anyhow::Result<Vec<Row>> {
    let mut words = COMMAND.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cargo"));
    command.args(words);
    let said = process::output(&mut command)?;
    let printed: serde_json::Value = said
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
        .with_context(|| format!("the bench printed no JSON:\n{said}"))?;
    let row = |(key, name, unit, goal): &(&str, &str, &'static str, Option<Goal>)| {
        let value = printed.get(key).and_then(serde_json::Value::as_f64);
        Ok(Row {
            name: (*name).to_owned(),
            value: value.with_context(|| format!("the bench printed no {key}"))?,
            unit,
            goal: *goal,
            command: COMMAND.to_owned(),
        })
    };
    NUMBERS.iter().map(row).collect()
}
