//! Logins that failed: the application may not even have come to its first request.

use std::io;

use super::line::{Page, Style};
use crate::report::condition;
use crate::report::model::{LoginsRefused, Report};
use crate::report::units::count;

/// Ways to fail that are listed.
const LISTED: usize = 10;
const INDENT: usize = 10;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let refused = &report.logins_refused;
    if refused.is_empty() {
        return Ok(());
    }
    let all = refused.iter().fold(0_u64, |sum, refused| sum.saturating_add(refused.count));
    page.gap()?;
    let note = "  the server refused the session:";
    page.line(page.start().push(Style::Alarm, &format!("LOGINS FAILED: {}", count(all))).plain(note))?;
    for refused in refused.iter().take(LISTED) {
        let times = format!("{:>7}x", count(refused.count));
        page.paragraph((Style::Alarm, &times), INDENT, (Style::Plain, &how(refused)), 2)?;
    }
    if let Some(rest) = refused.len().checked_sub(LISTED).filter(|rest| *rest > 0) {
        let rest = format!("and in {rest} more ways; --format json lists all");
        page.line(page.start().indent(INDENT).push(Style::Faint, &rest))?;
    }
    Ok(())
}

fn how(refused: &LoginsRefused) -> String {
    let LoginsRefused { protocol, peer, user, code, .. } = refused;
    let mut how = code.clone();
    if let Some(name) = condition::name(protocol, code) {
        how.push(' ');
        how.push_str(name);
    }
    if let Some(user) = user {
        how.push_str(", user ");
        how.push_str(user);
    }
    if !peer.is_empty() {
        how.push_str(" @ ");
        how.push_str(peer);
    }
    how
}
