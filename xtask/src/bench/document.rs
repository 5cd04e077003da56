//! The numbers as Markdown.

use super::machine::Machine;
use super::{Goal, Measurement, Row};
use std::fmt::Write as _;

/// The whole of `docs/benchmarks.md`.
pub fn whole(machine: &Machine, tables: &[(&Measurement, Vec<Row>)]) -> String {
    let mut text = String::from("# Benchmarks\n\nWritten by `cargo xtask bench`; do not edit by hand.\n\n");
    let Machine { cpu, cores, memory_gib, kernel, rustc, date, load } = machine;
    let _ = writeln!(
        text,
        "Measured on {date}: {cpu}, {cores} cores, {memory_gib} GiB of memory, Linux {kernel}, {rustc}; \
         load average {load} at the end. Other work on the machine makes numbers worse, never better."
    );
    for (measurement, rows) in tables {
        let _ = write!(text, "\n{}", table(measurement, rows));
    }
    text
}

/// One measurement.
pub fn table(measurement: &Measurement, rows: &[Row]) -> String {
    let mut text = format!("## {}\n\n{}\n\n", measurement.title, measurement.about);
    text.push_str("| what | value | goal | reached | command |\n|---|---:|---:|---|---|\n");
    for row in rows {
        let (goal, reached) = match row.goal {
            None => (String::new(), ""),
            Some(goal) => (wanted(goal, row.unit), if goal.is_reached(row.value) { "yes" } else { "no" }),
        };
        let _ = writeln!(
            text,
            "| {} | {} {} | {goal} | {reached} | `{}` |",
            row.name,
            number(row.value),
            row.unit,
            row.command
        );
    }
    text
}

fn wanted(goal: Goal, unit: &str) -> String {
    match goal {
        Goal::AtLeast(least) => format!("at least {} {unit}", number(least)),
        Goal::AtMost(most) => format!("at most {} {unit}", number(most)),
    }
}

/// Three digits that mean something, with thousands set apart.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let whole = format!("{value:.0}");
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole.as_str()), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_can_be_read() {
        let check = |value, expected: &str| assert_eq!(number(value), expected);
        check(0.5, "0.50");
        check(446.0, "446");
        check(1000.0, "1,000");
        check(2_345_678.9, "2,345,679");
        check(-123_456.0, "-123,456");
    }

    #[test]
    fn a_goal_stands_beside_its_number() {
        let row = |value, goal| Row { name: "n".into(), value, unit: "ns", goal, command: "c".into() };
        let measurement = Measurement { name: "m", title: "T", about: "A.", run: |_| Ok(Vec::new()) };
        let rows =
            [row(446.0, Some(Goal::AtMost(450.0))), row(9.0, Some(Goal::AtLeast(10.0))), row(1.0, None)];
        let text = table(&measurement, &rows);
        assert!(text.contains("| n | 446 ns | at most 450 ns | yes | `c` |"), "{text}");
        assert!(text.contains("| n | 9.00 ns | at least 10.00 ns | no | `c` |"), "{text}");
        assert!(text.contains("| n | 1.00 ns |  |  | `c` |"), "{text}");
    }
}
