//! Records a second of the user side, from the bench `records` of the package `tracer`.

use super::{Goal, Measurement, Row};
use crate::process::{self, Interrupt};
use anyhow::{Context as _, ensure};
use std::process::Command;

const COMMAND: &str = "cargo bench --locked --package tracer --no-default-features --bench records";

/// Items that each bench counts, and the goal of the whole.
const BENCHES: &[(&str, &str, &str, Option<Goal>)] = &[
    ("pipeline", "all stages, one core", "records/s", Some(Goal::AtLeast(2e6))),
    ("decode", "decode", "records/s", None),
    ("order_and_connection", "order and connection table", "records/s", None),
    ("protocol", "PostgreSQL observer", "records/s", None),
    ("aggregate", "aggregate", "requests/s", None),
    ("normalise_cold", "normalise, text not seen before", "texts/s", None),
    ("normalise_cached", "normalise, text seen before", "texts/s", None),
];

/// The registry's entry.
pub const MEASUREMENT: Measurement = Measurement {
    name: "user-side",
    title: "User side",
    about: "Recorded traffic of `pgbench -S -M prepared`, said again on 16 connections in turn. Median of the samples.",
    run,
};

fn run(_: &Interrupt) -> anyhow::Result<Vec<Row>> {
    let mut words = COMMAND.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cargo"));
    command.args(words).args(["--", "--color=never"]);
    let said = process::output(&mut command)?;
    let rows: Vec<Row> = BENCHES
        .iter()
        .map(|(bench, name, unit, goal)| {
            let value = median(&said, bench).with_context(|| format!("no number for {bench} in:\n{said}"))?;
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

/// The median column of a bench's line of throughput, in items a second.
///
/// divan prints a tree: a line with the name and times (fastest, slowest, median, mean), then a line with the same
/// columns of throughput, such as `2.1 Mitem/s`.
fn median(said: &str, bench: &str) -> Option<f64> {
    let mut lines = said.lines().skip_while(|line| {
        line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).split(' ').next() != Some(bench)
    });
    lines.next()?;
    let columns: Vec<&str> = lines.next()?.split('│').map(str::trim).collect();
    let medians = columns.iter().filter(|column| column.ends_with("item/s")).nth(2)?;
    let (number, unit) = medians.split_once(' ')?;
    let factor = match unit {
        "item/s" => 1.0,
        "Kitem/s" => 1e3,
        "Mitem/s" => 1e6,
        "Gitem/s" => 1e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
Timer precision: 20 ns
records        fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ aggregate   1.1 ms        │ 2 ms          │ 1.2 ms        │ 1.3 ms        │ 100     │ 100
│              9 Mitem/s     │ 5 Mitem/s     │ 8.5 Mitem/s   │ 8 Mitem/s     │         │
╰─ decode      10 us         │ 20 us         │ 15 us         │ 16 us         │ 100     │ 100
               1.2 Gitem/s   │ 900 Kitem/s   │ 950.5 Kitem/s │ 1 Mitem/s     │         │
";

    #[test]
    fn medians_are_read() {
        let check = |bench, expected: Option<f64>| assert_eq!(median(SAID, bench), expected, "{bench}");
        check("aggregate", Some(8.5e6));
        check("decode", Some(950_500.0));
        check("records", None);
        check("order", None);
    }
}
