//! What a report must say of each statement, from the server's own statistics and from what the test knows beside them;
//! and the comparison with a report.
//!
//! `pg_stat_statements` counts what succeeded. It does not count PREPARE and DEALLOCATE, and credits EXECUTE to the text
//! that was prepared, as a report does. So a test adds what failed, and what is not counted there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tests::dbtap::Ended;
use tracer::report::model::Report;
use tracer::sql::{Effect, Texts, effect};

/// Count, rows and errors by statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected(BTreeMap<String, Line>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    count: u64,
    rows: u64,
    errors: BTreeMap<String, u64>,
}

/// What a report may say of its own completeness; everything that is not named must be zero.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gaps {
    pub started_before: u64,
    pub in_flight: u64,
    pub statements_unnamed: u64,
    pub skipped: u64,
}

impl Expected {
    /// From the JSON rows of `pg_stat_statements`.
    pub fn of_server(rows: &str) -> Self {
        let rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
        let mut expected = Self::default();
        for row in rows {
            let query = row["query"].as_str().unwrap();
            let text = match effect(query.as_bytes()) {
                Effect::Prepare { body, .. } => String::from_utf8_lossy(body).into_owned(),
                _ => query.to_owned(),
            };
            let line = expected.line(&text);
            line.count += row["calls"].as_u64().unwrap();
            line.rows += row["rows"].as_u64().unwrap();
        }
        expected
    }

    /// From a report.
    pub fn of_report(report: &Report) -> Self {
        let mut expected = Self::default();
        for statement in &report.statements {
            let line = expected.line(&statement.text);
            line.count += statement.count;
            line.rows += statement.rows;
            for error in &statement.errors {
                *line.errors.entry(error.code.clone()).or_default() += error.count;
            }
        }
        expected
    }

    /// Statements that succeeded and that the server does not count.
    pub fn and(mut self, sql: &str, count: u64) -> Self {
        self.line(sql).count += count;
        self
    }

    /// Statements of which the server's statistics are known to say less than happened: the client's own count.
    pub fn exactly(mut self, sql: &str, count: u64, rows: u64) -> Self {
        *self.line(sql) = Line { count, rows, ..Line::default() };
        self
    }

    /// Not this statement.
    pub fn without(mut self, sql: &str) -> Self {
        self.0.remove(&canonical(sql)).unwrap();
        self
    }

    /// Statements that failed.
    pub fn failed(mut self, sql: &str, code: &str, count: u64) -> Self {
        let line = self.line(sql);
        line.count += count;
        *line.errors.entry(code.to_owned()).or_default() += count;
        self
    }

    /// What came since an earlier look at the server.
    pub fn since(mut self, earlier: &Self) -> Self {
        for (text, before) in &earlier.0 {
            let line = self.0.get_mut(text).unwrap();
            line.count -= before.count;
            line.rows -= before.rows;
        }
        self.0.retain(|_, line| line.count > 0);
        self
    }

    /// All statements together.
    pub fn total(&self) -> u64 {
        self.0.values().map(|line| line.count).sum()
    }

    /// The count of one statement.
    pub fn count(&self, sql: &str) -> u64 {
        self.0.get(&canonical(sql)).map_or(0, |line| line.count)
    }

    fn line(&mut self, sql: &str) -> &mut Line {
        self.0.entry(canonical(sql)).or_default()
    }

    fn show(&self) -> Vec<String> {
        let line = |(text, line): (&String, &Line)| {
            format!("{:>7} calls {:>7} rows {:?} {text}", line.count, line.rows, line.errors)
        };
        self.0.iter().map(line).collect()
    }
}

/// One form for what the server and the report write differently: parameters and constants alike.
pub fn canonical(sql: &str) -> String {
    let mut plain = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        plain.push_str(&rest[..at]);
        // A constant, and one that does not melt into the operator before it, as `=?` would.
        plain.push_str(if digits > 0 { "''" } else { "$" });
        rest = &rest[at + 1 + digits..];
    }
    plain.push_str(rest);
    let mut texts = Texts::new(2);
    let id = texts.intern_sql(plain.as_bytes(), false);
    texts.get(id).text.to_lowercase()
}

/// A capture that ended well, whose report says exactly this and knows of no gap.
#[track_caller]
pub fn check(ended: &Ended, expected: &Expected) -> Report {
    check_with(ended, expected, Gaps::default())
}

/// As [`check`], with these known gaps.
#[track_caller]
pub fn check_with(ended: &Ended, expected: &Expected, gaps: Gaps) -> Report {
    let report = ended.report().unwrap();
    let found = Expected::of_report(&report);
    let mut wrong = String::new();
    let (shown_expected, shown_found) = (expected.show(), found.show());
    for line in shown_expected.iter().filter(|line| !shown_found.contains(line)) {
        let _ = writeln!(wrong, "expected {line}");
    }
    for line in shown_found.iter().filter(|line| !shown_expected.contains(line)) {
        let _ = writeln!(wrong, "   found {line}");
    }
    let coverage = &report.coverage;
    let mut expect = |name: &str, found: u64, expected: u64| {
        if found != expected {
            let _ = writeln!(wrong, "coverage.{name} is {found} instead of {expected}");
        }
    };
    expect("events_lost", coverage.events_lost, 0);
    expect("gaps", coverage.gaps, 0);
    expect("answers_unmatched", coverage.answers_unmatched, 0);
    expect("connections_tls_opaque", coverage.connections_tls_opaque, 0);
    expect("connections_undecoded", coverage.connections_undecoded, 0);
    expect("started_before", coverage.started_before, gaps.started_before);
    expect("in_flight", coverage.in_flight, gaps.in_flight);
    expect("statements_unnamed", coverage.statements_unnamed, gaps.statements_unnamed);
    expect("skipped", coverage.skipped, gaps.skipped);
    expect("requests", coverage.requests, expected.total());
    expect("complete", u64::from(coverage.complete), 1);
    if ended.code != Some(0) {
        let _ = writeln!(wrong, "exit {:?}: {}", ended.code, ended.stderr);
    }
    assert!(wrong.is_empty(), "\n{wrong}{coverage:?}");
    report
}
