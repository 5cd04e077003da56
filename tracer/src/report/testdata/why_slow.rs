//! Reports with slow groups, made the way real ones are made: what was found goes through [`words`].

use super::{MS, S, errors, two_humps};
use crate::report::model::Report;
use crate::time::Nanos;
use crate::value::Size;
use crate::why::split::{Sides, Split, SplitBy};
use crate::why::words::tests::{Known, QUERY_CANCELED};
use crate::why::words::{self, Case, Unseen};
use crate::why::{Attribute, Condition, Feature, Found, Subject, Values};

fn condition(subject: Subject, feature: Feature, values: Values) -> Condition {
    Condition { attribute: Attribute { subject, feature }, values }
}

fn one_of(subject: Subject, feature: Feature, codes: &[i64]) -> Condition {
    condition(subject, feature, Values::OneOf(codes.to_vec()))
}

fn from(subject: Subject, feature: Feature, number: f64) -> Condition {
    condition(subject, feature, Values::Between(Some(i64::from(Size::of_f64(number).code())), None))
}

fn found(conditions: Vec<Condition>, slow: (u64, u64), fast: (u64, u64)) -> Found {
    Found {
        conditions,
        slow_matched: slow.0,
        slow_total: slow.1,
        fast_matched: fast.0,
        fast_total: fast.1,
        p_value: 2.4e-213,
        explained: 1.0,
        same_rows: Vec::new(),
    }
}

/// Adds what is known of one statement of a report.
fn add(report: &mut Report, statement: usize, case: Case<'_>, values: bool) {
    let id = report.statements[statement].id.clone();
    let (findings, slow) = words::tell(&Case { statement: &id, ..case }, &Known { values });
    report.findings.extend(findings);
    report.slow.push(slow);
}

const NOTHING: Case<'_> = Case {
    statement: "",
    split: Split { at: Nanos(316 * MS), by: SplitBy::TwoHumps },
    sides: Sides {
        slow: 230,
        fast: 770,
        in_flight: 0,
        fast_p99: Nanos(2_975_743),
        slow_min: Nanos(25_100 * MS),
        slow_p50: Nanos(32_600 * MS),
    },
    sampled: (230, 770),
    found: &[],
    effects: &[],
    no_difference: &[
        Subject::Server,
        Subject::Database,
        Subject::Connection,
        Subject::Process,
        Subject::Thread,
        Subject::Time,
        Subject::Transaction,
        Subject::Request,
        Subject::Load,
    ],
    tried: &[
        Subject::Value(0),
        Subject::Value(1),
        Subject::Server,
        Subject::Connection,
        Subject::Time,
        Subject::Request,
        Subject::Load,
        Subject::Answer,
    ],
    unseen: &[],
    examples: (&[], &[]),
};

/// One statement whose slow requests have something in common, one with a pair and more to say.
pub(crate) fn explained() -> Report {
    let mut report = two_humps();
    let last_digit = one_of(Subject::Value(0), Feature::LastDigit, &[3, 7]);
    let digits = found(vec![last_digit.clone()], (230, 230), (0, 770));
    let rows = found(vec![from(Subject::Answer, Feature::Rows, 1_000.0)], (228, 230), (3, 770));
    add(&mut report, 0, Case { found: &[digits], effects: &[rows], ..NOTHING }, false);

    let large = from(Subject::Value(0), Feature::Magnitude, 940_000.0);
    let pair = Found {
        p_value: 0.000_31,
        explained: 0.724,
        same_rows: vec![one_of(Subject::Server, Feature::Identity, &[6]), last_digit],
        ..found(vec![large, one_of(Subject::Value(1), Feature::IsNull, &[1])], (11, 14), (1, 986))
    };
    let error = found(vec![one_of(Subject::Answer, Feature::Error, &[QUERY_CANCELED])], (12, 14), (0, 986));
    let tail = Case {
        split: Split { at: Nanos(28_400_000), by: SplitBy::Tail },
        sides: Sides {
            slow: 14,
            fast: 12_331,
            in_flight: 2,
            fast_p99: Nanos(146_431),
            slow_min: Nanos(28_500_000),
            slow_p50: Nanos(44 * MS),
        },
        sampled: (14, 986),
        found: &[pair],
        effects: &[error],
        ..NOTHING
    };
    add(&mut report, 2, tail, false);

    // Nothing explains it, and it takes no time: only in JSON.
    let little = Case {
        split: Split { at: Nanos(8 * MS), by: SplitBy::Given },
        sides: Sides {
            slow: 51,
            fast: 949,
            in_flight: 0,
            fast_p99: Nanos(7_900_000),
            slow_min: Nanos(8_010_000),
            slow_p50: Nanos(8_600_000),
        },
        sampled: (51, 949),
        ..NOTHING
    };
    add(&mut report, 1, little, false);
    report
}

/// Time-outs that nothing explains.
pub(crate) fn unexplained() -> Report {
    let mut report = errors();
    let given = Case {
        split: Split { at: Nanos(S), by: SplitBy::Given },
        sides: Sides {
            slow: 12,
            fast: 400,
            in_flight: 0,
            fast_p99: Nanos(297_000_000),
            slow_min: Nanos(14 * S),
            slow_p50: Nanos(15 * S),
        },
        sampled: (12, 400),
        unseen: &[Unseen::Values { requests: 12, compared: 412 }, Unseen::Encrypted(2)],
        ..NOTHING
    };
    add(&mut report, 0, given, false);
    report
}

/// With `--show-values`, where values want to rule the terminal (case 79).
pub(crate) fn values_shown() -> Report {
    let mut report = two_humps();
    report.capture.show_values = true;
    let value = one_of(Subject::Value(0), Feature::ValueHash, &[7]);
    let heavy = found(vec![value], (229, 230), (1, 770));
    let slow = ["$1 = O'Hara\x1b[2J".to_owned(), "$1 = \u{202e}x".to_owned()];
    let fast = ["$1 = Miller".to_owned()];
    let case = Case {
        split: Split { at: Nanos(S), by: SplitBy::TwoHumps },
        found: &[heavy],
        examples: (&slow, &fast),
        ..NOTHING
    };
    add(&mut report, 0, case, true);
    report
}
