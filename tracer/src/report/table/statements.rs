//! The statements by total time: who takes the time, and how it is spread.

use std::io;

use super::line::{Line, Page, Style, columns};
use super::sparkline;
use crate::report::condition;
use crate::report::duration;
use crate::report::model::{Distribution, Report, Statement};
use crate::report::units::{count, share};

/// A person reads no more; the rest is summed up, and in the JSON report.
const LISTED: usize = 20;
/// Most lines for one statement's text.
const TEXT_LINES: usize = 3;
/// Error codes listed for one statement.
const CODES: usize = 6;

/// A column of numbers.
struct Column {
    title: &'static str,
    width: usize,
    /// Shown from this width of the page on.
    from: usize,
    cell: fn(&Statement) -> (Style, String),
}

/// The columns between the share of time and the sparkline.
const COLUMNS: &[Column] = &[
    Column { title: "count", width: 8, from: 0, cell: |s| (Style::Plain, count(s.count)) },
    Column { title: "errors", width: 8, from: 0, cell: errors },
    Column { title: "total", width: 9, from: 100, cell: |s| time(s.latency.sum_ns) },
    Column { title: "mean", width: 9, from: 120, cell: |s| time(s.latency.mean_ns) },
    Column { title: "p50", width: 8, from: 0, cell: |s| percentile(s, 2, s.latency.p50_ns) },
    Column { title: "p95", width: 8, from: 0, cell: |s| percentile(s, 20, s.latency.p95_ns) },
    Column { title: "p99", width: 8, from: 0, cell: |s| percentile(s, 100, s.latency.p99_ns) },
    Column { title: "max", width: 8, from: 0, cell: |s| time(s.latency.max_ns) },
    Column { title: "1st p50", width: 9, from: 110, cell: |s| percentile(s, 2, s.first_byte.p50_ns) },
];
const SHARE_WIDTH: usize = 6;
/// Text begins right of the shares, which so stand alone.
const INDENT: usize = SHARE_WIDTH + 2;
/// Details begin right of their names.
const DETAIL: usize = INDENT + 8;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let finished = report.statements.iter().filter(|s| s.count > 0);
    let (waiting, working): (Vec<&Statement>, Vec<&Statement>) = finished.partition(|s| s.waits_by_design);
    let mut protocols = waiting.iter().chain(&working).map(|s| s.protocol.as_str());
    let first = protocols.next();
    let several = protocols.any(|protocol| Some(protocol) != first);
    let title = "STATEMENTS by total time; right: how many took how long, log scale";
    list(title, &working, several, page)?;
    let title = "WAITING BY DESIGN, for something to happen: apart from the others";
    list(title, &waiting, several, page)
}

/// `several`: the report has more than one protocol, so that each statement says its own.
fn list(title: &str, finished: &[&Statement], several: bool, page: &mut Page<'_>) -> io::Result<()> {
    if finished.is_empty() {
        return Ok(());
    }
    let total_ns = finished.iter().fold(0_u64, |sum, s| sum.saturating_add(s.latency.sum_ns));
    page.gap()?;
    heading(title, page)?;
    for statement in finished.iter().take(LISTED) {
        numbers(statement, total_ns, page)?;
        text(statement, several, page)?;
        details(statement, page)?;
    }
    let rest = finished.get(LISTED..).unwrap_or_default();
    if !rest.is_empty() {
        let rest_ns = rest.iter().fold(0_u64, |sum, s| sum.saturating_add(s.latency.sum_ns));
        let line = format!("and {} more; --format json lists all", rest.len());
        page.line(
            page.start().right(Style::Plain, &share(rest_ns, total_ns), SHARE_WIDTH).plain("  ").plain(&line),
        )?;
    }
    Ok(())
}

fn shown(page: &Page<'_>) -> impl Iterator<Item = &'static Column> {
    let width = page.layout.width;
    COLUMNS.iter().filter(move |column| column.from <= width)
}

/// Columns left for the sparkline.
fn sparkline_columns(page: &Page<'_>, used: usize) -> usize {
    page.layout.width.saturating_sub(used + 2).min(sparkline::MAX_COLUMNS)
}

fn heading(title: &str, page: &mut Page<'_>) -> io::Result<()> {
    page.line(page.start().push(Style::Strong, title))?;
    let mut line = page.start().right(Style::Faint, "time", SHARE_WIDTH);
    for column in shown(page) {
        line = line.right(Style::Faint, column.title, column.width);
    }
    let axis = sparkline::axis(sparkline_columns(page, line.columns()));
    page.line(line.plain("  ").push(Style::Faint, &axis))
}

fn numbers(statement: &Statement, total_ns: u64, page: &mut Page<'_>) -> io::Result<()> {
    let share = share(statement.latency.sum_ns, total_ns);
    let mut line = page.start().right(Style::Strong, &share, SHARE_WIDTH);
    for column in shown(page) {
        let (style, cell) = (column.cell)(statement);
        line = line.right(style, &cell, column.width);
    }
    let room = sparkline_columns(page, line.columns());
    page.line(bars(line.plain("  "), &statement.latency, room, page.layout.ascii))
}

fn bars(line: Line, latency: &Distribution, room: usize, ascii: bool) -> Line {
    line.plain(&sparkline::bars(&latency.buckets, room, ascii))
}

/// The statement, and where it runs: on the same line if there is room.
fn text(statement: &Statement, several: bool, page: &mut Page<'_>) -> io::Result<()> {
    let whole = if statement.text.is_empty() { "(empty statement)" } else { &statement.text };
    let lines = page.wrap(whole, INDENT, TEXT_LINES);
    let place = place(statement, several);
    for (n, part) in lines.iter().enumerate() {
        let line = page.start().indent(INDENT).plain(part);
        let room = page.layout.width.saturating_sub(line.columns());
        if n + 1 < lines.len() {
            page.line(line)?;
        } else if columns(&place) + 3 <= room {
            page.line(line.plain("   ").push(Style::Faint, &place))?;
        } else {
            page.line(line)?;
            page.line(page.start().indent(INDENT).push(Style::Faint, &place))?;
        }
    }
    Ok(())
}

fn place(statement: &Statement, several: bool) -> String {
    let peer = if statement.peer.is_empty() { "any server" } else { &statement.peer };
    let protocol = if several { format!("{}: ", statement.protocol) } else { String::new() };
    match &statement.database {
        Some(database) => format!("{protocol}{database} @ {peer}"),
        None => format!("{protocol}@ {peer}"),
    }
}

/// Errors by code with their names, and how many were slow.
fn details(statement: &Statement, page: &mut Page<'_>) -> io::Result<()> {
    if !statement.errors.is_empty() {
        let mut codes: Vec<String> = statement
            .errors
            .iter()
            .take(CODES)
            .map(|error| {
                let name = condition::name(&statement.protocol, &error.code);
                let name = name.map(|name| format!(" {name}")).unwrap_or_default();
                format!("{}x {}{name}", count(error.count), error.code)
            })
            .collect();
        if statement.errors.len() > CODES {
            codes.push(format!("and {} more", statement.errors.len() - CODES));
        }
        if statement.cancelled > 0 {
            codes.push(format!("{} after a cancel request of a client", count(statement.cancelled)));
        }
        page.paragraph((Style::Alarm, "        errors"), DETAIL, (Style::Plain, &codes.join(", ")), 3)?;
    }
    if statement.slow_count > 0 && !statement.waits_by_design {
        let slow = format!(
            "{} ({}) took as long as --slow says, or longer",
            count(statement.slow_count),
            share(statement.slow_count, statement.count)
        );
        page.paragraph((Style::Strong, "        slow"), DETAIL, (Style::Plain, &slow), 2)?;
    }
    Ok(())
}

fn errors(statement: &Statement) -> (Style, String) {
    let n = statement.errors.iter().fold(0_u64, |sum, error| sum.saturating_add(error.count));
    (if n > 0 { Style::Alarm } else { Style::Faint }, count(n))
}

fn time(ns: u64) -> (Style, String) {
    (Style::Plain, duration::text(ns))
}

/// A percentile of fewer values than `least` would only repeat the maximum.
fn percentile(statement: &Statement, least: u64, ns: u64) -> (Style, String) {
    if statement.count < least { (Style::Faint, "-".to_owned()) } else { time(ns) }
}
