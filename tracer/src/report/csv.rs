//! The statements as rows, for spreadsheets: RFC 4180 with a header, lines end with CR LF.
//!
//! It has no place for coverage and requests in flight; the exit code still says whether the numbers are whole.

use std::io;

use super::model::{Distribution, Report, Statement};
use super::sanitize::visible;
use super::{Layout, Output};

/// `--format csv`.
#[derive(Debug)]
pub struct Csv;

const COUNTS: &str = "id,protocol,operation,database,peer,count,errors,rows,request_bytes,answer_bytes,slow_count,waits_by_design";
const SPANS: [&str; 9] =
    ["min_ns", "mean_ns", "p50_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns", "sum_ns"];

impl Output for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn render(&self, report: &Report, _layout: Layout, out: &mut dyn io::Write) -> io::Result<()> {
        write!(out, "{COUNTS}")?;
        for kind in ["latency", "first_byte"] {
            for span in SPANS {
                write!(out, ",{kind}_{span}")?;
            }
        }
        write!(out, ",text\r\n")?;
        report.statements.iter().try_for_each(|statement| row(statement, out))
    }
}

fn row(s: &Statement, out: &mut dyn io::Write) -> io::Result<()> {
    for text in [&s.id, &s.protocol, &s.operation, s.database.as_deref().unwrap_or_default(), &s.peer] {
        write!(out, "{},", field(text))?;
    }
    let errors = s.errors.iter().fold(0_u64, |sum, error| sum.saturating_add(error.count));
    let [count, rows, slow] = [s.count, s.rows, s.slow_count];
    write!(
        out,
        "{count},{errors},{rows},{},{},{slow},{},",
        s.request_bytes, s.answer_bytes, s.waits_by_design
    )?;
    for span in spans(&s.latency).into_iter().chain(spans(&s.first_byte)) {
        write!(out, "{span},")?;
    }
    write!(out, "{}\r\n", field(&s.text))
}

/// In the order of [`SPANS`].
fn spans(d: &Distribution) -> [u64; 9] {
    [d.min_ns, d.mean_ns, d.p50_ns, d.p90_ns, d.p95_ns, d.p99_ns, d.p999_ns, d.max_ns, d.sum_ns]
}

/// Text as one field: without control characters, quoted where it must be. A spreadsheet would take text that begins
/// like a formula for one, and the target chose the text: such a field gets an apostrophe, which spreadsheets hide.
fn field(text: &str) -> String {
    let safe = visible(text, false, usize::MAX);
    let guard = if safe.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if safe.contains(['"', ',']) {
        format!("\"{guard}{}\"", safe.replace('"', "\"\""))
    } else {
        format!("{guard}{safe}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_are_no_formulas() {
        for (text, expected) in [
            ("SELECT a", "SELECT a"),
            ("SELECT a, \"B\"", "\"SELECT a, \"\"B\"\"\""),
            ("a\r\nb\x1b[31m", "a\\r\\nb\\x1b[31m"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@pool,1", "\"'@pool,1\""),
            ("", ""),
        ] {
            assert_eq!(field(text), expected);
        }
    }

    #[test]
    fn every_row_has_every_column() {
        let mut bytes = Vec::new();
        Csv.render(&crate::report::testdata::errors(), Layout::default(), &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.split_terminator("\r\n");
        let columns = lines.next().unwrap().split(',').count();
        assert_eq!(columns, 31);
        // The text is the last column and may hold commas.
        let cells: Vec<usize> = lines.map(|line| line.splitn(columns, ',').count()).collect();
        assert_eq!(cells, [columns; 3]);
    }
}
