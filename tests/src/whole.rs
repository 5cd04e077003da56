//! Captures from the first system call of a client to its last one, and what a report of such a capture must say of its own
//! completeness.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Result, ensure};
use tracer::report::model::Report;

use crate::dbtap::{Dbtap, Ended};
use crate::drivers::{Output, Paused};

/// Watches a shell that starts the client only then, to the client's end.
///
/// # Errors
/// When dbtap or the client does not start or end.
pub fn watch(client: &Command) -> Result<(Ended, Output)> {
    let mut paused = Paused::new(client)?;
    let dbtap = Dbtap::attach(paused.pid())?.start()?;
    paused.go()?;
    let output = paused.wait()?;
    Ok((dbtap.interrupt()?, output))
}

/// Watches a client with every form of report at once, for a look at what they show.
///
/// # Errors
/// As [`watch`].
pub fn watch_in_all_forms(client: &Command) -> Result<Vec<(&'static str, Ended)>> {
    let mut paused = Paused::new(client)?;
    let pid = paused.pid().to_string();
    let mut running = Vec::new();
    for form in ["table", "csv", "json"] {
        let dbtap = Dbtap::with(["attach", &pid, "--duration", "10m", "--format", form])?;
        running.push((form, dbtap.start()?));
    }
    paused.go()?;
    let output = paused.wait()?;
    eprintln!("{}", output.stderr);
    running.into_iter().map(|(form, dbtap)| Ok((form, dbtap.interrupt()?))).collect()
}

/// What a report may say of its own completeness; everything that is not named must be zero.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gaps {
    /// Answers to requests that were sent before the capture.
    pub started_before: u64,
    /// Requests without an answer when the capture ended.
    pub in_flight: u64,
    /// Requests whose text is not known.
    pub statements_unnamed: u64,
    /// Connections of which nothing could be read because of TLS.
    pub connections_tls_opaque: u64,
    /// Requests that the server was to carry out later and never did.
    pub skipped: u64,
    /// Messages that the server sent unasked.
    pub pushed: u64,
}

/// The report of a capture that ended well, lost nothing, guessed nothing wrong and knows of no gap but these.
///
/// # Errors
/// Otherwise; all that is wrong is said.
pub fn complete(ended: &Ended, gaps: Gaps) -> Result<Report> {
    let report = ended.report()?;
    let coverage = &report.coverage;
    let mut wrong = String::new();
    let mut expect = |name: &str, found: u64, expected: u64| {
        if found != expected {
            let _ = writeln!(wrong, "coverage.{name} is {found} instead of {expected}");
        }
    };
    expect("events_lost", coverage.events_lost, 0);
    expect("gaps", coverage.gaps, 0);
    expect("bytes_unreadable", coverage.bytes_unreadable, 0);
    expect("answers_unmatched", coverage.answers_unmatched, 0);
    expect("connections_undecoded", coverage.connections_undecoded, 0);
    expect("wrong_guesses", coverage.wrong_guesses, 0);
    expect("skipped", coverage.skipped, gaps.skipped);
    expect("connections_tls_opaque", coverage.connections_tls_opaque, gaps.connections_tls_opaque);
    expect("started_before", coverage.started_before, gaps.started_before);
    expect("in_flight", coverage.in_flight, gaps.in_flight);
    expect("statements_unnamed", coverage.statements_unnamed, gaps.statements_unnamed);
    expect("pushed", coverage.pushed, gaps.pushed);
    expect("complete", u64::from(coverage.complete), 1);
    if ended.code != Some(0) {
        let _ = writeln!(wrong, "exit {:?}: {}", ended.code, ended.stderr);
    }
    ensure!(wrong.is_empty(), "{wrong}{coverage:?}\n{:#?}", lines(&report));
    Ok(report)
}

/// One line for each statement, for the words of a test that fails.
pub fn lines(report: &Report) -> Vec<String> {
    let line = |s: &tracer::report::model::Statement| {
        let errors: Vec<_> =
            s.errors.iter().map(|error| format!(" {}x{}", error.count, error.code)).collect();
        format!("{:>7} requests, {:>7} rows{} {}: {}", s.count, s.rows, errors.concat(), s.protocol, s.text)
    };
    report.statements.iter().map(line).collect()
}

/// Errors when a secret is anywhere in these outputs, or `there`, which must be in those that show text, is not.
///
/// # Errors
/// See above; the place is quoted.
pub fn none_shows(outputs: &[(&'static str, Ended)], secrets: &[&str], there: &str) -> Result<()> {
    for (form, ended) in outputs {
        let stdout = ended.text();
        for (stream, text) in [("stdout", &stdout), ("stderr", &ended.stderr)] {
            for secret in secrets {
                let places: Vec<String> = text
                    .match_indices(secret)
                    .map(|(at, _)| {
                        text.chars().skip(text[..at].chars().count().saturating_sub(60)).take(140).collect()
                    })
                    .collect();
                ensure!(places.is_empty(), "{secret:?} is on {stream} of {form}: {places:#?}");
            }
        }
        ensure!(stdout.to_lowercase().contains(there), "{there:?} is not in {form}: {stdout}");
    }
    Ok(())
}
