//! A capture from beginning to end, held against what the client itself measured: the demo's server and application, and
//! dbtap attached to the application.
//!
//! Exact: every count, every error, every slow request. Latencies: dbtap sees less than the client, whose own scheduling
//! is in its measurement too, and not much less.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tracer::report::model::{EndedBy, Report, Statement};
use tracer::sql::Texts;

use crate::dbtap::Dbtap;
use crate::demo::statement::LOOKUP;
use crate::demo::{FAST, SLOW};
use crate::drivers::Driver;

/// How long the application sends requests.
const SECONDS: u32 = 6;
/// A client in an emulated machine may wait so long for its turn after an answer came, on average.
const MOST_OUTSIDE: Duration = Duration::from_millis(100);
const MOST_UNTIL_ENDED: Duration = Duration::from_secs(60);

/// Runs it with the demo's programs in `folder`. Returns a sentence that says what was seen.
///
/// # Errors
/// When the report and the client do not agree; the first difference is told.
pub fn check(folder: &Path, arguments: &[String]) -> Result<String> {
    let mut server = Command::new(folder.join("demo-server"));
    let server = Driver::start(server.arg("--end-with-input"))?;
    let ready = server.hear()?;
    let port = ready.rsplit(':').next().context("the server named no port")?;
    let mut application = Command::new(folder.join("demo-app"));
    application
        .arg(format!("host=127.0.0.1 port={port} user=payments dbname=payments"))
        .args(["--wait-for-line", "--end-with-input", "--print-own-statistics"])
        .arg(format!("--seconds={SECONDS}"))
        // No connection is open, and no statement prepared, before dbtap looks: so it knows every text.
        .args(["--warm-connections=0", "--connections=64", "--connection-lifetime=3600"])
        .args(["--lookups-per-second=30", "--payments-per-second=5", "--repeat-key-every=5"]);
    let mut application = Driver::start(&mut application)?;
    application.hear_line(&format!("ready {}", application.pid()))?;
    let mut dbtap = Dbtap::attach(application.pid())?.arg("--slow=1s");
    for argument in arguments {
        dbtap = dbtap.arg(argument);
    }
    let dbtap = dbtap.start()?;
    application.say("go")?;
    let own: Value = serde_json::from_str(&application.hear()?).context("the client's statistics")?;
    application.end()?;
    let ended = dbtap.wait(MOST_UNTIL_ENDED)?;
    server.end()?;
    // 3 says that the target ended before the capture was over; anything else that makes a report incomplete is in the report.
    ensure!(ended.code == Some(3), "dbtap ended with {:?}: {}", ended.code, ended.stderr);
    compare(&ended.report()?, &own)
}

fn compare(report: &Report, own: &Value) -> Result<String> {
    let coverage = &report.coverage;
    ensure!(report.capture.ended_by == EndedBy::TargetExit, "ended by {:?}", report.capture.ended_by);
    ensure!(coverage.events_lost == 0 && coverage.gaps == 0 && coverage.wrong_guesses == 0, "{coverage:?}");
    ensure!(coverage.answers_unmatched == 0 && coverage.statements_unnamed == 0, "{coverage:?}");
    ensure!(coverage.in_flight == 0 && coverage.connections_undecoded == 0, "{coverage:?}");
    ensure!(coverage.bytes_captured == coverage.bytes_seen, "{coverage:?}");
    let measured = own["statements"].as_array().context("no statements of the client")?;
    ensure!(measured.len() >= 5, "the client ran only {measured:?}");
    let mut requests = 0;
    for own in measured {
        let text = normalized(own["text"].as_str().context("no text")?);
        let found: Vec<&Statement> = report.statements.iter().filter(|seen| seen.text == text).collect();
        let [seen] = found[..] else { anyhow::bail!("{} statements of text {text:?}", found.len()) };
        statement(seen, own).with_context(|| format!("{text}: {seen:?} and the client's {own}"))?;
        requests += seen.count;
    }
    let lookup = normalized(LOOKUP);
    let lookup = report.statements.iter().find(|seen| seen.text == lookup).context("no lookup")?;
    ensure!(lookup.slow_count > 0, "no slow lookup: {lookup:?}");
    Ok(format!(
        "{requests} requests of {} statements exact, {} of {} lookups slow, kernel {}",
        measured.len(),
        lookup.slow_count,
        lookup.count,
        report.host.kernel,
    ))
}

fn statement(seen: &Statement, own: &Value) -> Result<()> {
    let own_ns = |name: &str| own["latency"][name].as_u64().context("no number");
    let errors: Value = seen.errors.iter().map(|error| (error.code.clone(), json!(error.count))).collect();
    ensure!(own["count"] == json!(seen.count), "counts differ");
    ensure!(own["errors"] == errors, "errors differ");
    ensure!(own["slow"] == json!(seen.slow_count), "counts of slow requests differ");
    let (shortest, longest) = (seen.latency.min_ns, seen.latency.max_ns);
    ensure!(shortest > 0 && longest <= own_ns("max_ns")?, "a request took longer than the client waited");
    let outside = own_ns("sum_ns")?.checked_sub(seen.latency.sum_ns).context("all took longer")?;
    let most_outside = u64::try_from(MOST_OUTSIDE.as_nanos())? * seen.count;
    ensure!(outside <= most_outside, "the client waited {outside} ns longer, all together");
    if seen.text == normalized(LOOKUP) {
        // The server's timer may have been set before the client's send was complete.
        let about = |duration: Duration| u128::from(u64::MAX).min(duration.as_nanos() * 9 / 10);
        ensure!(u128::from(shortest) >= about(FAST), "faster than the server");
        ensure!(u128::from(longest) >= about(SLOW), "no request as slow as the server");
    }
    Ok(())
}

fn normalized(text: &str) -> String {
    // One place is kept for what finds none.
    let mut texts = Texts::new(2);
    let id = texts.intern_sql(text.as_bytes(), false);
    texts.get(id).text.clone()
}
