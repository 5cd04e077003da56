//! Requests without an answer when the capture ended: what hangs right now.

use std::io;

use super::line::{Page, Style};
use crate::report::duration;
use crate::report::model::{Connection, InFlight, Report};
use crate::report::units::count;

/// Lines are dear above the statements; the rest is counted, and in the JSON report.
const LISTED: usize = 10;
const INDENT: usize = 10;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.in_flight.is_empty() {
        return Ok(());
    }
    let mut oldest: Vec<&InFlight> = report.in_flight.iter().collect();
    oldest.sort_by_key(|request| std::cmp::Reverse(request.age_ns));
    page.gap()?;
    let n = count(u64::try_from(oldest.len()).unwrap_or(u64::MAX));
    let note = "  without an answer, oldest first; they have taken at least:";
    page.line(page.start().push(Style::Alarm, &format!("IN FLIGHT NOW: {n}")).plain(note))?;
    let mut last = None;
    for request in oldest.iter().take(LISTED) {
        let connection = report.connections.iter().find(|c| c.id == request.connection);
        let age = format!("{:>8}", duration::text(request.age_ns));
        let id = match request.connection.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let whom = format!("{}connection {id}, thread {}", place(connection), request.thread);
        // Many wait for the same lock: its statement is shown once.
        if last.replace(&request.statement) == Some(&request.statement) {
            page.paragraph((Style::Alarm, &age), INDENT, (Style::Faint, &format!("the same; {whom}")), 2)?;
        } else {
            let text = statement_text(report, request, connection);
            page.paragraph((Style::Alarm, &age), INDENT, (Style::Plain, text), 2)?;
            page.paragraph((Style::Plain, ""), INDENT, (Style::Faint, &whom), 2)?;
        }
    }
    if let Some(rest) = oldest.len().checked_sub(LISTED).filter(|rest| *rest > 0) {
        let rest = format!("and {rest} more; --format json lists all");
        page.line(page.start().indent(INDENT).push(Style::Faint, &rest))?;
    }
    Ok(())
}

/// The text of a request's statement. The id alone finds it: it is a hash of the text.
fn statement_text<'a>(report: &'a Report, request: &InFlight, connection: Option<&Connection>) -> &'a str {
    let same_id = || report.statements.iter().filter(|s| s.id == request.statement);
    let protocol = connection.and_then(|c| c.protocol.as_deref());
    let found = same_id().find(|s| Some(s.protocol.as_str()) == protocol).or_else(|| same_id().next());
    found.map_or("(unknown statement)", |statement| statement.text.as_str())
}

/// `database @ peer, user name, `, as far as known.
fn place(connection: Option<&Connection>) -> String {
    let Some(connection) = connection else { return String::new() };
    let mut place = String::new();
    if let Some(database) = &connection.database {
        place += database;
        place += " @ ";
    }
    place += if connection.peer.is_empty() { "unnamed peer" } else { &connection.peer };
    if let Some(user) = &connection.user {
        place += ", user ";
        place += user;
    }
    place + ", "
}
