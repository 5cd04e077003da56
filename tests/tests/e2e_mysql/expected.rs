//! What a report must say of each statement: from the server's own digests, and from what the test knows beside them; and
//! the comparison with a report.
//!
//! MariaDB counts every text statement by its digest, with those that failed. Executions of prepared statements have none:
//! a test adds them, and holds their sum against the server's count of the command. Of a message with several statements,
//! each gets the text of the first: a test says what they were, and the server's count of them must be theirs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tests::dbtap::Ended;
use tests::mariadb::Digest;
use tests::whole::{Gaps, complete};
use tracer::report::model::Report;
use tracer::sql::{Dialect, Texts};
use tracer::time::Nanos;

/// Count, rows and errors by statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    lines: BTreeMap<String, Line>,
    /// Statements of messages with several, whose texts the server does not tell.
    untold: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    count: u64,
    rows: u64,
    errors: BTreeMap<String, u64>,
    /// Errors that the server counted and whose code the test has not named yet.
    unnamed: u64,
}

impl Expected {
    /// From the server's digests.
    pub fn of_server(digests: &[Digest]) -> Self {
        let mut expected = Self::default();
        for digest in digests {
            if digest.text.trim_end().ends_with(';') {
                expected.untold += digest.count;
                continue;
            }
            let line = expected.line(&digest.text);
            line.count += digest.count;
            line.unnamed += digest.errors;
            line.rows += digest.rows_sent + digest.rows_affected;
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

    /// What the messages with several statements held: statement, how many of them, their rows, the code of their error.
    pub fn of_messages(mut self, statements: &[(&str, u64, u64, Option<&str>)]) -> Self {
        assert_eq!(self.untold, statements.iter().map(|(_, count, ..)| count).sum::<u64>());
        self.untold = 0;
        for (sql, count, rows, code) in statements {
            let line = self.line(sql);
            line.count += count;
            line.rows += rows;
            if let Some(code) = code {
                *line.errors.entry((*code).to_owned()).or_default() += count;
            }
        }
        self
    }

    /// Requests that succeeded and that the server has no digest of.
    pub fn and(mut self, sql: &str, count: u64, rows: u64) -> Self {
        let line = self.line(sql);
        line.count += count;
        line.rows += rows;
        self
    }

    /// What the server's digest says of this statement is known to be less than, or other than, what happened.
    pub fn exactly(mut self, sql: &str, count: u64, rows: u64) -> Self {
        *self.line(sql) = Line { count, rows, ..Line::default() };
        self
    }

    /// The code of statements that failed and that the server counted.
    pub fn failed(mut self, sql: &str, code: &str, count: u64) -> Self {
        let line = self.line(sql);
        assert!(line.unnamed >= count, "the server knows {} errors of {sql}", line.unnamed);
        line.unnamed -= count;
        *line.errors.entry(code.to_owned()).or_default() += count;
        self
    }

    /// Statements that failed and that the server has no digest of.
    pub fn and_failed(mut self, sql: &str, code: &str, count: u64) -> Self {
        let line = self.line(sql);
        line.count += count;
        *line.errors.entry(code.to_owned()).or_default() += count;
        self
    }

    /// What came since an earlier look at the server.
    pub fn since(mut self, earlier: &Self) -> Self {
        for (text, before) in &earlier.lines {
            let line = self.lines.get_mut(text).unwrap();
            line.count -= before.count;
            line.rows -= before.rows;
            line.unnamed -= before.unnamed;
        }
        self.lines.retain(|_, line| line.count > 0);
        self.untold -= earlier.untold;
        self
    }

    /// All statements together.
    pub fn total(&self) -> u64 {
        self.lines.values().map(|line| line.count).sum()
    }

    fn line(&mut self, sql: &str) -> &mut Line {
        self.lines.entry(canonical(sql)).or_default()
    }

    /// One line for each statement.
    pub fn show(&self) -> Vec<String> {
        let line = |(text, line): (&String, &Line)| {
            let unnamed =
                if line.unnamed > 0 { format!(" and {} errors", line.unnamed) } else { String::new() };
            format!("{:>7} calls {:>7} rows {:?}{unnamed} {text}", line.count, line.rows, line.errors)
        };
        self.lines.iter().map(line).collect()
    }
}

/// One form for what the server and the report write differently: parameters and constants alike, lists of any length as one
/// element, names with and without backticks.
pub fn canonical(sql: &str) -> String {
    // The server hides the names of variables too.
    let plain = sql.replace("?, ...", "?").replace("(...)", "(?)").replace("@?", "@x").replace('`', " ");
    let plain = plain.replace("DISTINCTROW", "DISTINCT");
    let mut texts = Texts::new(2);
    let id = texts.intern(Dialect::Mysql, plain.replace('?', "''").as_bytes(), false, Nanos::default()).text;
    let shown = texts.get(id).text.to_lowercase();
    // Where the normaliser sets spaces depends on the spaces that were there.
    let mut shown: String = shown.chars().filter(|letter| !letter.is_whitespace()).collect();
    while shown.contains("?,?") {
        shown = shown.replace("?,?", "?");
    }
    shown
}

/// A capture that ended well, whose report says exactly this and knows of no gap.
#[track_caller]
pub fn check(ended: &Ended, expected: &Expected) -> Report {
    check_with(ended, expected, Gaps::default())
}

/// As [`check`], with these known gaps.
#[track_caller]
pub fn check_with(ended: &Ended, expected: &Expected, gaps: Gaps) -> Report {
    assert_eq!(expected.untold, 0, "statements of messages with several were not told");
    let found = Expected::of_report(&ended.report().unwrap());
    let mut wrong = String::new();
    let (shown_expected, shown_found) = (expected.show(), found.show());
    for line in shown_expected.iter().filter(|line| !shown_found.contains(line)) {
        let _ = writeln!(wrong, "expected {line}");
    }
    for line in shown_found.iter().filter(|line| !shown_expected.contains(line)) {
        let _ = writeln!(wrong, "   found {line}");
    }
    assert!(wrong.is_empty(), "\n{wrong}{:?}", ended.report().unwrap().coverage);
    complete(ended, gaps).unwrap()
}
