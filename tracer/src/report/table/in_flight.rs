//! Requests without an answer when the capture ended: what hangs right now.

use std::collections::HashMap;
use std::io;

use super::line::{Page, Style};
use crate::report::duration;
use crate::report::model::{Connection, InFlight, Report, Statement};
use crate::report::units::count;

/// Statements listed. Lines are dear above the other statements; the rest is counted, and in the JSON report.
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
    let groups = by_statement(&oldest);
    for group in groups.iter().take(LISTED) {
        let Some((request, others)) = group.split_first() else { continue };
        let connection = report.connections.iter().find(|c| c.id == request.connection);
        let age = format!("{:>8}", duration::text(request.age_ns));
        let id = match request.connection.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let whom = format!("{}connection {id}, thread {}", place(connection), request.thread);
        let statement = statement(report, request, connection);
        let waits = statement.is_some_and(|statement| statement.waits_by_design);
        let text = statement.map_or("(unknown statement)", |statement| statement.text.as_str());
        let (style, whom) =
            if waits { (Style::Plain, whom + "; waits by design") } else { (Style::Alarm, whom) };
        page.paragraph((style, &age), INDENT, (Style::Plain, text), 2)?;
        page.paragraph((Style::Plain, ""), INDENT, (Style::Faint, &whom), 2)?;
        if let Some(youngest) = others.last() {
            let n = count(u64::try_from(others.len()).unwrap_or(u64::MAX));
            let more = format!("and {n} more of it, the youngest {}", duration::text(youngest.age_ns));
            page.paragraph((Style::Plain, ""), INDENT, (Style::Plain, &more), 2)?;
        }
    }
    let rest: usize = groups.iter().skip(LISTED).map(Vec::len).sum();
    if rest > 0 {
        let rest = format!("and {rest} of other statements; --format json lists all");
        page.line(page.start().indent(INDENT).push(Style::Faint, &rest))?;
    }
    Ok(())
}

/// Requests of one statement together, the statement with the oldest one first: many may wait for the same lock, and
/// must not hide what else hangs.
fn by_statement<'a>(oldest: &[&'a InFlight]) -> Vec<Vec<&'a InFlight>> {
    let mut groups: Vec<Vec<&InFlight>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for request in oldest {
        let place = *places.entry(&request.statement).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(request),
            None => groups.push(vec![request]),
        }
    }
    groups
}

/// A request's statement. The id alone finds it: it is a hash of the text.
fn statement<'a>(
    report: &'a Report,
    request: &InFlight,
    connection: Option<&Connection>,
) -> Option<&'a Statement> {
    let same_id = || report.statements.iter().filter(|s| s.id == request.statement);
    let protocol = connection.and_then(|c| c.protocol.as_deref());
    same_id().find(|s| Some(s.protocol.as_str()) == protocol).or_else(|| same_id().next())
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
