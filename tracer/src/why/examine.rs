//! The end of a capture: which statements have slow requests, what sets them apart, and the report's part about it.

use std::collections::HashMap;

use super::sample::{Sample, Sampler};
use super::search::{Totals, explain};
use super::split::{Sides, Split, SplitBy, split};
use super::words::{Case, Names, Unseen, tell};
use super::{Facts, Row};
use crate::agg::histogram::Histogram;
use crate::agg::{Aggregator, TextLatency};
use crate::report::model;
use crate::request::MOST_VALUES;
use crate::sql::{TextId, TextKind, Texts};
use crate::time::Nanos;
use crate::value::{Kind, Value};

/// Requests compared of each side. More make the search slower and decide nothing that so many leave open.
const MOST_ROWS: usize = 8_000;
/// Statements whose slow requests are looked at: those with the most time in slow requests.
const MOST_STATEMENTS: usize = 100;
/// Requests of each side whose values are shown with `--show-values`.
const EXAMPLES: usize = 5;

/// A request without an answer.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// Its text.
    pub text: TextId,
    /// What is known of it, with its age as latency.
    pub facts: &'a Facts,
    /// Its values.
    pub values: &'a [Value],
    /// A tag of [`Sampler::draw`].
    pub tag: u64,
}

/// What a capture knows at its end.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Latencies of all statements.
    pub aggregator: &'a Aggregator,
    /// The requests that were kept.
    pub sampler: &'a Sampler,
    /// Texts.
    pub texts: &'a Texts,
    /// Requests in flight.
    pub waiting: &'a [Waiting<'a>],
    /// `--slow`.
    pub given: Option<Nanos>,
    /// Encrypted connections, which are not read.
    pub encrypted: u64,
    /// Requests whose answer or text was lost.
    pub lost: u64,
}

/// A statement with a slow group.
struct Slow {
    entry: TextLatency,
    split: Split,
    sides: Sides,
}

/// Findings and slow groups, by the time of the slow requests, the most first.
pub fn examine<'n>(
    known: &Known<'_>,
    names: &dyn Fn(TextId) -> Box<dyn Names + 'n>,
) -> (Vec<model::Finding>, Vec<model::Slow>) {
    let mut ages: HashMap<TextId, Vec<Nanos>> = HashMap::new();
    for waiting in known.waiting {
        ages.entry(waiting.text).or_default().push(waiting.facts.latency);
    }
    let ages_of = |text| ages.get(&text).map_or(&[][..], |ages| ages);
    let works = |entry: &TextLatency| !known.texts.get(entry.text).waits_by_design;
    let latencies = known.aggregator.latencies().into_iter().filter(works);
    let mut slow: Vec<Slow> =
        latencies.filter_map(|entry| group(ages_of(entry.text), known.given, entry)).collect();
    slow.sort_by_key(|slow| {
        std::cmp::Reverse(u128::from(slow.sides.slow) * u128::from(slow.sides.slow_p50.0))
    });
    slow.truncate(MOST_STATEMENTS);
    let statements = u64::try_from(slow.len()).unwrap_or(u64::MAX);
    let (mut findings, mut groups) = (Vec::new(), Vec::new());
    for slow in &slow {
        let (mut found, group) = statement(known, slow, statements, &*names(slow.entry.text));
        findings.append(&mut found);
        groups.push(group);
    }
    (findings, groups)
}

/// The slow requests of a statement, if it has some.
fn group(ages: &[Nanos], given: Option<Nanos>, entry: TextLatency) -> Option<Slow> {
    let buckets = entry.latency.buckets();
    let mut split = split(&buckets, ages, given)?;
    if split.by != SplitBy::Given {
        // On the edge of a bucket, so that the histogram counts exactly what the comparison of latencies says.
        split.at = Histogram::lower_edge(split.at);
    }
    let mut sides = split.sides(&buckets, ages);
    if split.by == SplitBy::Given {
        // Counted one by one: a bucket may lie on both sides.
        sides.slow = entry.slow_count.saturating_add(sides.in_flight);
        sides.fast = entry.latency.count().saturating_sub(entry.slow_count);
    }
    (sides.slow > 0).then_some(Slow { entry, split, sides })
}

fn statement(
    known: &Known<'_>,
    slow: &Slow,
    statements: u64,
    names: &dyn Names,
) -> (Vec<model::Finding>, model::Slow) {
    let (text, at) = (slow.entry.text, slow.split.at);
    let slow_sample = known.sampler.sample(text, at, None, MOST_ROWS);
    let fast_sample = known.sampler.sample(text, Nanos(0), Some(at), MOST_ROWS);
    let mut rows = rows(known, slow, &slow_sample, &fast_sample);
    rows.sort_by_key(|row| row.facts.started_at);
    let totals = Totals { slow: slow.sides.slow, fast: slow.sides.fast };
    let explained = explain(&rows, totals, statements);
    let sampled =
        |side| u64::try_from(rows.iter().filter(|row| row.slow == side).count()).unwrap_or(u64::MAX);
    let id = format!("{:016x}", known.texts.get(text).id);
    let (slow_examples, fast_examples) = (examples(&rows, true, names), examples(&rows, false, names));
    tell(
        &Case {
            statement: &id,
            split: slow.split,
            sides: slow.sides,
            sampled: (sampled(true), sampled(false)),
            found: &explained.found,
            effects: &explained.effects,
            no_difference: &explained.no_difference,
            tried: &explained.tried,
            unseen: &unseen(known, text, &rows),
            examples: (&slow_examples, &fast_examples),
        },
        names,
    )
}

fn rows<'a>(
    known: &Known<'a>,
    slow: &Slow,
    slow_sample: &Sample<'a>,
    fast_sample: &Sample<'a>,
) -> Vec<Row<'a>> {
    let finished = |sample: &Sample<'a>, slow| {
        sample
            .kept
            .iter()
            .map(move |kept| Row { slow, facts: &kept.facts, values: &kept.values })
            .collect::<Vec<_>>()
    };
    let waiting = known.waiting.iter().filter(|waiting| {
        waiting.text == slow.entry.text
            && waiting.facts.latency >= slow.split.at
            && waiting.tag < slow_sample.limit
    });
    let mut rows = finished(slow_sample, true);
    rows.extend(waiting.map(|waiting| Row { slow: true, facts: waiting.facts, values: waiting.values }));
    rows.extend(finished(fast_sample, false));
    rows
}

/// What could not be compared.
fn unseen(known: &Known<'_>, text: TextId, rows: &[Row<'_>]) -> Vec<Unseen> {
    let text = known.texts.get(text);
    let mut unseen = Vec::new();
    if text.kind == TextKind::PreparedBefore {
        unseen.push(Unseen::PreparedBefore);
    }
    if text.truncated {
        unseen.push(Unseen::TextCut);
    }
    let blind = |row: &&Row<'_>| {
        row.values.len() < text.positions.len().min(MOST_VALUES)
            || row.values.iter().any(|value| value.kind() == Kind::Unseen)
    };
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let requests = count(rows.iter().filter(blind).count());
    if requests > 0 {
        unseen.push(Unseen::Values { requests, compared: count(rows.len()) });
    }
    if known.encrypted > 0 {
        unseen.push(Unseen::Encrypted(known.encrypted));
    }
    if known.lost > 0 {
        unseen.push(Unseen::Lost(known.lost));
    }
    unseen
}

/// With `--show-values`: the values of some requests of one side, spread over the capture.
fn examples(rows: &[Row<'_>], slow: bool, names: &dyn Names) -> Vec<String> {
    if !names.shows_values() {
        return Vec::new();
    }
    let side: Vec<&Row<'_>> = rows.iter().filter(|row| row.slow == slow && !row.values.is_empty()).collect();
    let step = side.len().div_ceil(EXAMPLES).max(1);
    let shown = |value: &Value| match value.kind() {
        Kind::Null => "NULL".to_owned(),
        Kind::List => format!("({} elements)", value.elements()),
        _ => value.hash().and_then(|hash| names.shown_value(hash)).unwrap_or("(not kept)").to_owned(),
    };
    side.iter().step_by(step).map(|row| row.values.iter().map(shown).collect::<Vec<_>>().join(", ")).collect()
}
