//! Whether the numbers are whole, and if not, exactly what is missing and what helps.

use std::io;

use super::line::{Page, Style};
use crate::report::model::{Coverage, EndedBy, Report};
use crate::report::units::{bytes, plural};

const INDENT: usize = 10;

pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let coverage = &report.coverage;
    page.gap()?;
    let summary = format!(
        "{} on {}, {} of {} read",
        plural(coverage.requests, "request"),
        plural(coverage.connections, "connection"),
        bytes(coverage.bytes_captured),
        bytes(coverage.bytes_seen)
    );
    let (style, verdict) = if coverage.complete {
        (Style::Plain, format!("complete: {summary}; no event lost"))
    } else {
        (Style::Alarm, format!("INCOMPLETE: {summary}"))
    };
    page.paragraph((Style::Strong, "Coverage"), INDENT, (style, &verdict), 3)?;
    let other = report.statements.iter().filter(|s| s.text == "(other)").map(|s| s.count).sum();
    for (style, sentence) in sentences(coverage, report.capture.ended_by, other) {
        for (n, part) in page.wrap(&sentence, INDENT + 2, 4).iter().enumerate() {
            let bullet = if n == 0 { "- " } else { "  " };
            page.line(page.start().indent(INDENT).push(style, bullet).push(style, part))?;
        }
    }
    Ok(())
}

/// What is missing first, then what is only good to know.
fn sentences(coverage: &Coverage, ended_by: EndedBy, other: u64) -> Vec<(Style, String)> {
    let c = coverage;
    let missing = [
        (
            c.events_lost,
            "event",
            "lost because they came faster than dbtap read them. Counts are too low; the \
          latencies shown are right. Remedy: fewer processes, or --peer or --protocol to look at less.",
        ),
        (c.gaps, "gap", "in the byte streams: requests there are not counted. Remedy: as for lost events."),
        (
            c.answers_unmatched,
            "request",
            "not counted, because the request or its answer was not captured whole. \
          Remedy: a larger --capture-bytes.",
        ),
        (
            c.wrong_guesses,
            "connection",
            "first taken for another protocol: what moved until that was clear is not counted.",
        ),
        (
            c.connections_undecoded,
            "connection",
            "not decoded: no known protocol, or joined at a place that could \
          not be understood. Remedy: start the capture before the application connects.",
        ),
        (
            c.connections_tls_opaque,
            "connection",
            "encrypted with TLS and not readable. Remedy: attach to a process \
          beside it that speaks plain text, for instance its connection pooler.",
        ),
    ];
    let known = [
        (
            c.pushed,
            "message",
            "outside of requests and answers (subscriptions, monitoring, heartbeats, writes that ask for no \
          answer): they have no latency.",
        ),
        (
            c.started_before,
            "answer",
            "to requests sent before the capture: counted apart, they have no latency.",
        ),
        (
            c.requests_presumed,
            "request",
            "on connections that were open before, paired with answers in order from a moment that looked quiet. If \
          something was in flight then, their latencies are those of neighbours. Remedy: a longer capture, or let the \
          application reconnect during one.",
        ),
        (
            c.statements_unnamed,
            "request",
            "of statements prepared before the capture: timed, but their text is \
          unknown. Remedy: let the application reconnect during a capture.",
        ),
        (
            c.skipped,
            "statement",
            "that the server did not run, after an error or in a transaction that was given up: they are no \
          requests.",
        ),
        (
            other,
            "request",
            "counted together as (other): there were more different statements than dbtap keeps apart.",
        ),
    ];
    let mut sentences = Vec::new();
    match ended_by {
        EndedBy::TargetExit => {
            sentences.push((Style::Plain, "The time after the process exited is missing.".to_owned()))
        }
        EndedBy::Guard => sentences.push((
            Style::Plain,
            "The time after dbtap's guard stepped in is missing: the capture cost the host too much."
                .to_owned(),
        )),
        EndedBy::Duration | EndedBy::Interrupt => {}
    }
    let sentence = |(n, name, text): &(u64, &str, &str)| format!("{} {text}", plural(*n, name));
    sentences.extend(missing.iter().filter(|m| m.0 > 0).map(|m| (Style::Plain, sentence(m))));
    if c.bytes_unreadable > 0 {
        let moved = format!(
            "{} moved in a way that dbtap cannot read (sendfile, splice, io_uring, a 32-bit program).",
            bytes(c.bytes_unreadable)
        );
        sentences.push((Style::Plain, moved));
    }
    if !c.complete && sentences.is_empty() {
        let lost = "In places a connection's bytes could not be understood; requests there are not counted.";
        sentences.push((Style::Plain, lost.to_owned()));
    }
    sentences.extend(known.iter().filter(|m| m.0 > 0).map(|m| (Style::Faint, sentence(m))));
    sentences
}
