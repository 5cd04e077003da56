//! Runs divan's benches and reads what they print.

use crate::process;
use std::process::Command;

/// Which of divan's columns.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    Fastest,
    Median,
}

/// What a bench prints. `filters` choose among its functions.
pub fn output(command: &str, filters: &[&str]) -> anyhow::Result<String> {
    let mut words = command.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cargo"));
    command.args(words).args(["--", "--color=never"]).args(filters);
    process::output(&mut command)
}

/// A column of a bench's line of throughput, in items a second.
///
/// divan prints a tree: a line with the name and times (fastest, slowest, median, mean), then a line with the same
/// columns of throughput, such as `2.1 Mitem/s`.
pub fn throughput(said: &str, bench: &str, column: Column) -> Option<f64> {
    let mut lines = said.lines().skip_while(|line| {
        line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).split(' ').next() != Some(bench)
    });
    lines.next()?;
    let columns: Vec<&str> = lines.next()?.split('│').map(str::trim).collect();
    let at = match column {
        Column::Fastest => 0,
        Column::Median => 2,
    };
    let wanted = columns.iter().filter(|column| column.ends_with("item/s")).nth(at)?;
    let (number, unit) = wanted.split_once(' ')?;
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
    fn throughput_is_read() {
        let check = |bench, expected: Option<f64>| {
            assert_eq!(throughput(SAID, bench, Column::Median), expected, "{bench}");
        };
        assert_eq!(throughput(SAID, "decode", Column::Fastest), Some(1.2e9));
        check("aggregate", Some(8.5e6));
        check("decode", Some(950_500.0));
        check("records", None);
        check("order", None);
    }
}
