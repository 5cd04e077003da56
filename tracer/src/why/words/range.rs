//! Ranges of codes in words.

use super::Names;
use super::number::{Shown, rounded, size, whole_range};
use crate::report::duration;
use crate::report::units::{bytes, count};
use crate::time::Nanos;

/// A limit, where there is one.
type Limit = Option<i64>;

/// A range for a person: what follows the subject and its verb.
pub(super) struct Range {
    /// `900 thousand or more`, `3 to 7`, `at most 5`.
    pub words: String,
    /// `>= 900000`, `<= 7`: all hold.
    pub values: Vec<String>,
}

/// Puts both limits together.
fn range(from: Option<Shown>, to: Option<Shown>, (more, less): (&str, &str)) -> Range {
    let values = from.iter().map(|from| format!(">= {}", from.digits));
    let values = values.chain(to.iter().map(|to| format!("<= {}", to.digits))).collect();
    let words = match (from, to) {
        (Some(from), Some(to)) if from == to => from.words,
        (None, Some(to)) if to.digits == "0" && less == "fewer" => "no".to_owned(),
        (Some(from), Some(to)) => format!("{} to {}", from.words, to.words),
        (Some(from), None) => format!("{} or {more}", from.words),
        (None, Some(to)) => format!("{} or {less}", to.words),
        (None, None) => "anything".to_owned(),
    };
    Range { words, values }
}

/// A number that may not be shown: one digit and its magnitude. With `--show-values` as it was kept.
pub(super) fn magnitude(from: Limit, to: Limit, names: &dyn Names) -> Range {
    let digits = if names.shows_values() { 3 } else { 1 };
    let numbers = [from, to].map(|code| code.map(|code| size(code).number()));
    let exact = |number: &f64| number.fract() == 0.0 && number.abs() < 10.0;
    let about = if numbers.iter().flatten().all(exact) { "" } else { "about " };
    let [from, to] = numbers.map(|number| number.map(|number| rounded(number, digits)));
    let mut range = range(from, to, ("more", "less"));
    range.words.insert_str(0, about);
    range
}

/// Whole numbers that may be shown, by the codes of their sizes.
pub(super) fn sizes(from: Limit, to: Limit) -> Range {
    let shown = |n: u64| Shown { words: count(n), digits: n.to_string() };
    let (from, to) = (from.map(|code| whole_range(code).0), to.map(|code| whole_range(code).1));
    range(from.map(shown), to.map(shown), ("more", "fewer"))
}

/// Sizes in bytes, by the codes of their sizes.
pub(super) fn byte_sizes(from: Limit, to: Limit) -> Range {
    let shown = |n: u64| Shown { words: bytes(n), digits: format!("{n} bytes") };
    let (from, to) = (from.map(|code| whole_range(code).0), to.map(|code| whole_range(code).1));
    range(from.map(shown), to.map(shown), ("more", "less"))
}

/// Whole numbers that are their own codes.
pub(super) fn numbers(from: Limit, to: Limit) -> Range {
    let shown = |n: i64| Shown { words: count(u64::try_from(n).unwrap_or(0)), digits: n.to_string() };
    range(from.map(shown), to.map(shown), ("more", "fewer"))
}

/// Spans by the codes of their sizes in microseconds, of which four make a doubling.
pub(super) fn idle(from: Limit, to: Limit) -> Range {
    let shown = |micros: u64| {
        let ns = micros.saturating_mul(1_000);
        Shown { words: duration::text(ns), digits: format!("{ns} ns") }
    };
    let from = from.map(|code| shown(whole_range(code).0));
    // The step that is the upper limit reaches up to the next one.
    let to = to.map(|code| shown(whole_range(code | 0x1f).1));
    range(from, to, ("longer", "less"))
}

/// How far a point in time lies from now, by the codes of the seconds; the past is negative.
pub(super) fn distance(from: Limit, to: Limit) -> Range {
    let seconds = |code: i64| size(code).number();
    let value = |sign: &str, code: i64| format!("{sign} {} s", rounded(seconds(code), 2).digits);
    let values = from.iter().map(|code| value(">=", *code)).chain(to.iter().map(|code| value("<=", *code)));
    let span = |code: i64| {
        let words = span(seconds(code).abs());
        if code < 0 { format!("{words} before now") } else { format!("{words} after now") }
    };
    let words = match (from, to) {
        (None, Some(to)) if to < 0 => format!("about {} or earlier", span(to)),
        (None, Some(to)) => format!("earlier than about {}", span(to)),
        (Some(from), None) if from > 0 => format!("about {} or later", span(from)),
        (Some(from), None) => format!("later than about {}", span(from)),
        (Some(from), Some(to)) => format!("about {} to {}", span(from), span(to)),
        (None, None) => "any time".to_owned(),
    };
    Range { words, values: values.collect() }
}

/// Seconds in the largest fitting unit, up to years.
fn span(seconds: f64) -> String {
    const UNITS: [(f64, &str); 5] =
        [(31_556_952.0, "year"), (86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second")];
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| seconds >= *unit).unwrap_or((1.0, "second"));
    let n = rounded(seconds / unit, 2).words;
    format!("{n} {name}{}", if n == "1" { "" } else { "s" })
}

/// A window of time: what follows "it started".
pub(super) fn window(from: Limit, to: Limit, names: &dyn Names) -> Range {
    let [from, to] =
        [from, to].map(|limit| limit.map(|ns| names.time(Nanos(u64::try_from(ns).unwrap_or(0)))));
    let values = from.iter().map(|from| format!(">= {from}"));
    let values = values.chain(to.iter().map(|to| format!("<= {to}"))).collect();
    let words = match (from.as_deref().map(time_of_day), to.as_deref().map(time_of_day)) {
        (Some(from), Some(to)) => format!("between {from} and {to}"),
        (Some(from), None) => format!("at {from} or later"),
        (None, Some(to)) => format!("at {to} or earlier"),
        (None, None) => "at any time".to_owned(),
    };
    Range { words, values }
}

/// `02:00:10.5` of `2026-11-23T02:00:10.512345Z`.
fn time_of_day(time: &str) -> &str {
    let time = time.split_once('T').map_or(time, |(_, time)| time).trim_end_matches('Z');
    match time.split_once('.') {
        Some((seconds, _)) => time.get(..seconds.len() + 2).unwrap_or(time),
        None => time,
    }
}
