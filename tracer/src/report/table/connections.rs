//! Connections that the numbers say nothing of.

use std::io;

use super::line::{Page, Style};
use crate::report::model::{Connection, Report};
use crate::report::units::{bytes, count};

const LISTED: usize = 20;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    // Without any request each connection is of interest, otherwise only those that could hide some.
    let any_requests = report.statements.iter().any(|s| s.count > 0);
    let hidden = |c: &&Connection| c.requests == 0 && (!any_requests || c.tls || c.protocol.is_none());
    let hidden: Vec<&Connection> = report.connections.iter().filter(hidden).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    page.gap()?;
    let title = if any_requests { "CONNECTIONS NOT IN THESE NUMBERS" } else { "CONNECTIONS SEEN" };
    page.line(page.start().push(Style::Strong, title))?;
    for connection in hidden.iter().take(LISTED) {
        let peer = if connection.peer.is_empty() { "(unnamed)" } else { &connection.peer };
        let line = page.start().plain("  ").plain(peer).plain("   ").push(Style::Faint, &what(connection));
        page.line(line)?;
    }
    if let Some(rest) = hidden.len().checked_sub(LISTED).filter(|rest| *rest > 0) {
        let rest = format!("  and {} more", count(u64::try_from(rest).unwrap_or(u64::MAX)));
        page.line(page.start().push(Style::Faint, &rest))?;
    }
    Ok(())
}

fn what(connection: &Connection) -> String {
    let state = match (&connection.protocol, connection.tls) {
        (Some(protocol), true) => format!("{protocol} over TLS, not readable"),
        (None, true) => "TLS, not readable".to_owned(),
        (Some(protocol), false) if connection.login_error.is_some() => format!("{protocol}, login failed"),
        (Some(protocol), false) => format!("{protocol}, no request"),
        (None, false) if connection.bytes == Some(0) => "idle".to_owned(),
        (None, false) => "protocol not recognised".to_owned(),
    };
    match connection.bytes {
        Some(n) if n > 0 => format!("{state}, {}", bytes(n)),
        _ => state,
    }
}
