//! Ranges of codes in words.

use super::Names;
use super::number::{Shown, rounded, size, whole_range};
use crate::report::duration;
use crate::report::units::{bytes, count, plural};
use crate::time::Nanos;
use crate::value::{STEPS_SECONDS, Size};

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
pub(super) fn magnitude(from_code: Limit, to_code: Limit, names: &dyn Names) -> Range {
    let digits = if names.shows_values() { 3 } else { 1 };
    let numbers = [from_code, to_code].map(|code| code.map(|code| size(code).number()));
    let exact = |number: &f64| number.fract() == 0.0 && number.abs() < 10.0;
    let about = if numbers.iter().flatten().all(exact) { "" } else { "about " };
    let [_, to] = numbers;
    // A code stands for all numbers up to the next one: a round one among them is the limit that was meant.
    let next = |code: i64| {
        if code >= 0 && digits == 1 { size(code + 1).number() * (1.0 - 1e-9) } else { size(code).number() }
    };
    let from = from_code.map(|code| rounded(next(code), digits, false));
    let to = to.map(|number| rounded(number, digits, true));
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

/// How far a point in time lies from now, by the codes of [`STEPS_SECONDS`]; the past is negative.
pub(super) fn distance(from: Limit, to: Limit) -> Range {
    // A step stands for all up to the next one away from zero.
    let from = from.map(|code| if code < 0 { (code, steps(code).1) } else { (code, Some(steps(code).0)) });
    let to = to.map(|code| if code < 0 { (code, Some(steps(code).0)) } else { (code, steps(code).1) });
    // Past the last step there is no limit.
    let limit = |limit: Option<(i64, Option<u64>)>| limit.and_then(|(code, step)| Some((code < 0, step?)));
    let (from, to) = (limit(from), limit(to));
    let value = |(past, seconds): (bool, u64)| format!("{}{seconds} s", if past { "-" } else { "" });
    let values = from.iter().map(|limit| format!(">= {}", value(*limit)));
    let values = values.chain(to.iter().map(|limit| format!("<= {}", value(*limit)))).collect();
    let place = |(past, seconds): (bool, u64)| match (past, seconds) {
        (_, 0) => "now".to_owned(),
        (true, _) => format!("{} before now", span(seconds)),
        (false, _) => format!("{} after now", span(seconds)),
    };
    let words = match (from, to) {
        (None, Some(to)) => format!("{} or earlier", place(to)),
        (Some(from), None) => format!("{} or later", place(from)),
        (Some(from), Some(to)) => format!("between {} and {}", place(from), place(to)),
        (None, None) => "at any time".to_owned(),
    };
    Range { words, values }
}

/// The step of a code, and the next one away from zero.
fn steps(code: i64) -> (u64, Option<u64>) {
    let size = i64::from(size(code).code()).abs();
    let above =
        STEPS_SECONDS.partition_point(|step| i64::from(Size::of_u64(u64::from(*step)).code()) <= size);
    let step = above.checked_sub(1).and_then(|at| STEPS_SECONDS.get(at)).copied().unwrap_or(0);
    (step.into(), STEPS_SECONDS.get(above).copied().map(u64::from))
}

/// Seconds of a step in its largest unit.
fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = UNITS.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, name) = whole.unwrap_or((1, "second"));
    plural(seconds / unit, name)
}

/// A window of time: what follows "it started".
pub(super) fn window(from: Limit, to: Limit, names: &dyn Names) -> Range {
    // As fine as it is short: a lock may have been held for milliseconds.
    let decimals = match from.zip(to).map(|(from, to)| to.saturating_sub(from)) {
        Some(..100_000_000) => 6,
        Some(..2_000_000_000) => 3,
        _ => 1,
    };
    let time_of_day = |time| time_of_day(time, decimals);
    let [from, to] =
        [from, to].map(|limit| limit.map(|ns| names.time(Nanos(u64::try_from(ns).unwrap_or(0)))));
    let values = from.iter().map(|from| format!(">= {from}"));
    let values = values.chain(to.iter().map(|to| format!("<= {to}"))).collect();
    let words = match (from.as_deref().map(time_of_day), to.as_deref().map(time_of_day)) {
        (Some(from), Some(to)) => format!("between {from} and {to} UTC"),
        (Some(from), None) => format!("at {from} UTC or later"),
        (None, Some(to)) => format!("at {to} UTC or earlier"),
        (None, None) => "at any time".to_owned(),
    };
    Range { words, values }
}

/// `02:00:10.5` of `2026-11-23T02:00:10.512345Z`, for one decimal.
fn time_of_day(time: &str, decimals: usize) -> &str {
    let time = time.split_once('T').map_or(time, |(_, time)| time).trim_end_matches('Z');
    match time.split_once('.') {
        Some((seconds, _)) => time.get(..seconds.len() + 1 + decimals).unwrap_or(time),
        None => time,
    }
}
