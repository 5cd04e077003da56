//! The first lines: which processes, for how long, and what ended it.

use std::io;

use super::line::{Page, Style};
use crate::report::duration;
use crate::report::model::{EndedBy, Report};
use crate::report::units::plural;

/// Process names listed when there are several targets; a fork-happy server has hundreds of few names.
const NAMES: usize = 4;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let capture = &report.capture;
    let line = page.start();
    let line = match report.targets.as_slice() {
        [] => line.push(Style::Strong, "no process"),
        [one] => line.push(Style::Strong, &one.comm).plain(&format!(" (pid {})", one.pid)),
        [first, rest @ ..] => line.push(Style::Strong, &first.comm).plain(&format!(
            " (pid {}) and {} more",
            first.pid,
            rest.len()
        )),
    };
    let took = duration::text(capture.duration_ns);
    let (style, ended) = match capture.ended_by {
        EndedBy::Duration => (Style::Plain, format!("captured for the full {took}")),
        EndedBy::Interrupt => (Style::Plain, format!("captured for {took}, ended by a signal (Ctrl-C)")),
        EndedBy::TargetExit => (Style::Alarm, format!("ENDED EARLY after {took}: process exited")),
        EndedBy::Guard => (Style::Alarm, format!("ENDED EARLY after {took} by dbtap's guard")),
    };
    page.line(line.plain(", ").push(style, &ended))?;
    if !capture.started_at.is_empty() {
        let mut span = format!("{} to {}", capture.started_at, capture.ended_at);
        if !report.host.hostname.is_empty() {
            span += &format!(" on {}", report.host.hostname);
        }
        page.line(page.start().push(Style::Faint, &span))?;
    }
    if capture.show_values {
        let warning = "VALUES ARE SHOWN (--show-values): this report may hold personal data.";
        page.line(page.start().push(Style::Alarm, warning))?;
    }
    if report.targets.len() > 1 {
        processes(report, page)?;
    }
    for target in &report.targets {
        if let Some(ended) = &target.ended {
            let text = format!("  pid {} ended at {}: {}", target.pid, ended.at, ended.reason);
            page.line(page.start().push(Style::Alarm, &text))?;
        }
    }
    if report.statements.iter().any(|statement| statement.count > 0) { Ok(()) } else { nothing(report, page) }
}

/// The process ids by name.
fn processes(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let mut names: Vec<&str> = Vec::new();
    for target in &report.targets {
        if !names.contains(&target.comm.as_str()) && names.len() < NAMES {
            names.push(&target.comm);
        }
    }
    for name in &names {
        let pids: Vec<String> =
            report.targets.iter().filter(|t| t.comm == *name).map(|t| t.pid.to_string()).collect();
        let label = format!("  {name}");
        page.paragraph((Style::Plain, &label), 19, (Style::Faint, &pids.join(" ")), 2)?;
    }
    let rest = report.targets.iter().filter(|t| !names.contains(&t.comm.as_str())).count();
    if rest > 0 {
        page.line(page.start().plain(&format!("  and {rest} of other names")))?;
    }
    Ok(())
}

/// Said instead of the statements when there are none.
fn nothing(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    page.gap()?;
    let seen = match u64::try_from(report.connections.len()).unwrap_or(u64::MAX) {
        0 => "No connection was seen either. Is it the right process? `dbtap doctor PID` shows the connections \
              that it has."
            .to_owned(),
        n => format!("{} seen; below is what is known of them.", plural(n, "connection")),
    };
    let what = if report.in_flight.is_empty() { "seen" } else { "answered" };
    let sentence = format!("NO DATABASE REQUEST was {what}. {seen}");
    page.paragraph((Style::Plain, ""), 0, (Style::Strong, &sentence), 4)
}
