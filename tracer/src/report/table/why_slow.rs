//! Why slow: for each statement with a slow group, what sets it apart, or that nothing does.

use std::io;

use super::line::{Page, Style};
use crate::report::model::{Finding, Report, Slow};

/// Statements listed; the rest is in the JSON report.
const LISTED: usize = 5;
/// An unexplained statement is listed if its slow requests took at least one part in so many of all time: nobody looks
/// for the cause of a tail that takes no time.
const LEAST_PART: u128 = 100;
/// Findings of one statement.
const FINDINGS: usize = 3;
/// Effects of one statement.
const EFFECTS: usize = 3;
/// Examples of values.
const EXAMPLES: usize = 5;
/// Sentences begin right of their labels.
const INDENT: usize = 12;
/// No paragraph is longer: texts of the target may be.
const LINES: usize = 6;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let total_ns: u128 = report.statements.iter().map(|s| u128::from(s.latency.sum_ns)).sum();
    let matters = |slow: &&Slow| slow.explained || slow.time_ns().saturating_mul(LEAST_PART) >= total_ns;
    let mut statements: Vec<&Slow> = report.slow.iter().filter(matters).collect();
    if statements.is_empty() {
        return Ok(());
    }
    statements.sort_by_key(|slow| std::cmp::Reverse(slow.time_ns()));
    page.gap()?;
    let title = "  what slow executions have in common and fast ones have not";
    page.line(page.start().push(Style::Strong, "WHY SLOW").plain(title))?;
    for slow in statements.iter().take(LISTED) {
        statement(report, slow, page)?;
    }
    let rest = report.slow.len() - statements.len().min(LISTED);
    if rest > 0 {
        let rest = format!("and {rest} more; --format json lists all");
        page.line(page.start().indent(2).push(Style::Faint, &rest))?;
    }
    Ok(())
}

fn statement(report: &Report, slow: &Slow, page: &mut Page<'_>) -> io::Result<()> {
    let known = report.statements.iter().find(|statement| statement.id == slow.statement);
    let text = known.map_or("(unknown statement)", |statement| statement.text.as_str());
    let text = if text.is_empty() { "(empty statement)" } else { text };
    page.paragraph((Style::Plain, ""), 2, (Style::Plain, text), 2)?;
    let mut say = |label: &str, style, text: &str| {
        page.paragraph((Style::Faint, &format!("    {label}")), INDENT, (style, text), LINES)
    };
    say("slow", Style::Plain, &slow.summary)?;
    let findings = || report.findings.iter().filter(|finding| finding.statement == slow.statement);
    let is_effect = |finding: &&Finding| finding.kind == "effect";
    for (n, finding) in findings().filter(|finding| !is_effect(finding)).take(FINDINGS).enumerate() {
        say(if n == 0 { "found" } else { "also" }, Style::Strong, &finding.summary)?;
        say("", Style::Faint, &evidence(finding))?;
    }
    if !slow.explained {
        say("found", Style::Strong, "Nothing: no attribute that dbtap saw explains it.")?;
        let tried = if slow.tried.is_empty() { "nothing differed".to_owned() } else { slow.tried.join(", ") };
        say("tried", Style::Faint, &tried)?;
    }
    for effect in findings().filter(is_effect).take(EFFECTS) {
        say("effect", Style::Plain, &effect.summary)?;
    }
    if slow.explained && !slow.no_difference.is_empty() {
        say("not", Style::Faint, &slow.no_difference.join(", "))?;
    }
    if !slow.not_seen.is_empty() {
        say("unseen", Style::Faint, &slow.not_seen.join(" "))?;
    }
    for (name, examples) in [("slow", &slow.slow_examples), ("fast", &slow.fast_examples)] {
        let shown: Vec<&str> = examples.iter().take(EXAMPLES).map(String::as_str).collect();
        if !shown.is_empty() {
            say("values", Style::Plain, &format!("{name}: {}", shown.join("; ")))?;
        }
    }
    Ok(())
}

/// How sure it is, and how much it answers.
fn evidence(finding: &Finding) -> String {
    let percent = (finding.explained.clamp(0.0, 1.0) * 100.0).floor();
    // A smaller number says no more to anybody.
    let p = if finding.p_value < 1e-99 { "< 1e-99".to_owned() } else { format!("= {:.0e}", finding.p_value) };
    format!("p {p}, corrected for all that was tried; explains {percent:.0}%")
}
