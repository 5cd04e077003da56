//! What was found in, sentences out.

mod clauses;

use super::*;
use crate::value::Size;
use crate::why::split::SplitBy;
use crate::why::{Attribute, Values};

/// Position 0 is `$1`, position 1 the 1st literal, position 2 the 2nd.
#[derive(Default)]
pub(crate) struct Known {
    pub values: bool,
}

impl Names for Known {
    fn place(&self, position: u16) -> Place {
        let at = |number, literal| Position { number, literal };
        Place::of(&[at(1, false), at(2, true), at(3, true)], position)
    }
    fn server(&self, number: u32) -> String {
        format!("10.0.0.{number}:5432")
    }
    fn database(&self, _number: u32) -> String {
        "payments".to_owned()
    }
    fn connection(&self, number: u32) -> String {
        number.to_string()
    }
    fn statement_id(&self, text: TextId) -> String {
        format!("{:016x}", text.0)
    }
    fn statement(&self, text: TextId) -> String {
        format!("SELECT {} FROM t\x1b[2J", "a, ".repeat(usize::try_from(text.0).unwrap_or(0).min(1_000)))
    }
    fn time(&self, at: Nanos) -> String {
        format!("2026-11-23T02:00:{:02}.512345Z", at.0 / 1_000_000_000)
    }
    fn shown_hash(&self, hash: u64) -> u64 {
        0x4f3a_9c00_0000_0000 ^ hash << 32
    }
    fn shown_value(&self, hash: u64) -> Option<&str> {
        (self.values && hash == 7).then_some("O'Hara\x1b")
    }
    fn shown_prefix(&self, _index: u8, _code: i64) -> Option<&str> {
        self.values.then_some("vi")
    }
    fn shows_values(&self) -> bool {
        self.values
    }
}

/// The code of the error 57014.
pub(crate) const QUERY_CANCELED: i64 = 0x0035_3730_3134_0000;

fn condition(subject: Subject, feature: Feature, values: Values) -> Condition {
    Condition { attribute: Attribute { subject, feature }, values }
}

fn one_of(codes: &[i64]) -> Values {
    Values::OneOf(codes.to_vec())
}

fn size(number: f64) -> i64 {
    i64::from(Size::of_f64(number).code())
}

fn from(code: i64) -> Values {
    Values::Between(Some(code), None)
}

fn to(code: i64) -> Values {
    Values::Between(None, Some(code))
}

fn found(conditions: Vec<Condition>) -> Found {
    Found {
        conditions,
        slow_matched: 231,
        slow_total: 231,
        fast_matched: 0,
        fast_total: 772,
        p_value: 1e-200,
        explained: 1.0,
        same_rows: Vec::new(),
    }
}

fn last_digit() -> Found {
    found(vec![condition(Subject::Value(0), Feature::LastDigit, one_of(&[3, 7]))])
}

const SIDES: Sides = Sides {
    slow: 231,
    fast: 772,
    in_flight: 0,
    fast_p99: Nanos(2_100_000),
    slow_min: Nanos(29_900_000_000),
    slow_p50: Nanos(30_000_000_000),
};

fn case<'a>(found: &'a [Found], effects: &'a [Found]) -> Case<'a> {
    Case {
        statement: "00000000000000ab",
        split: Split { at: Nanos::from_millis(316), by: SplitBy::TwoHumps },
        sides: SIDES,
        sampled: (231, 772),
        found,
        effects,
        no_difference: &[Subject::Value(1), Subject::Value(2), Subject::Server, Subject::Time],
        tried: &[Subject::Value(0), Subject::Value(1), Subject::Server, Subject::Time],
        unseen: &[],
        examples: (&[], &[]),
    }
}

fn summaries(found: &[Found], effects: &[Found]) -> Vec<String> {
    tell(&case(found, effects), &Known::default()).0.into_iter().map(|finding| finding.summary).collect()
}

#[test]
fn a_finding_is_one_sentence_with_its_counts() {
    let check = |found: Found, expected: &str| assert_eq!(summaries(&[found], &[]), [expected]);
    check(last_digit(), "The last digit of $1 is 3 or 7: 231 of 231 slow, 0 of 772 fast.");
    let is_null = condition(Subject::Value(2), Feature::IsNull, one_of(&[1]));
    let pair = vec![last_digit().conditions.remove(0), is_null.clone()];
    check(
        found(pair),
        "The last digit of $1 is 3 or 7, and the 2nd literal ($3) is NULL: 231 of 231 slow, 0 of 772 fast.",
    );
    let heavy = Found {
        slow_matched: 41,
        fast_matched: 1,
        ..found(vec![condition(Subject::Value(0), Feature::ValueHash, one_of(&[7]))])
    };
    check(heavy, "$1 is one value (hash 4f3a9c07): 41 of 231 slow, 1 of 772 fast. 41 of these 42 were slow.");
    let server = condition(Subject::Server, Feature::Identity, one_of(&[5]));
    check(
        Found { same_rows: vec![is_null.clone(), server.clone()], ..last_digit() },
        "The last digit of $1 is 3 or 7: 231 of 231 slow, 0 of 772 fast. Or, of the very same executions: the 2nd \
         literal ($3) is NULL; the server is 10.0.0.5:5432.",
    );
    check(
        Found {
            same_rows: vec![is_null, server.clone(), server.clone(), server.clone(), server],
            ..last_digit()
        },
        "The last digit of $1 is 3 or 7: 231 of 231 slow, 0 of 772 fast. Or, of the very same executions: the 2nd \
         literal ($3) is NULL; the server is 10.0.0.5:5432; the server is 10.0.0.5:5432; and 2 more.",
    );
    let rows = found(vec![condition(Subject::Answer, Feature::Rows, from(size(1_000.0)))]);
    assert_eq!(
        summaries(&[], &[rows]),
        ["With it went: 1,000 or more rows (231 of 231 slow, 0 of 772 fast)."]
    );
}

#[test]
fn the_report_has_all_of_it() {
    let error = found(vec![condition(Subject::Answer, Feature::Error, one_of(&[QUERY_CANCELED]))]);
    let server = condition(Subject::Server, Feature::Identity, one_of(&[5]));
    let digit = Found { same_rows: vec![server], ..last_digit() };
    let pair =
        found(vec![digit.conditions[0].clone(), condition(Subject::Value(1), Feature::Sign, one_of(&[0]))]);
    let (found, effects) = ([digit, pair], [error]);
    let case = Case { unseen: &[Unseen::TextCut], ..case(&found, &effects) };
    let (findings, slow) = tell(&case, &Known::default());
    let kinds: Vec<&str> = findings.iter().map(|finding| finding.kind.as_str()).collect();
    assert_eq!(kinds, ["attribute", "pair", "effect"]);
    assert!(findings.iter().all(|finding| finding.statement == "00000000000000ab"));
    let first = &findings[0];
    assert_eq!(
        (first.slow_matched, first.slow_total, first.fast_matched, first.fast_total),
        (231, 231, 0, 772)
    );
    assert_eq!((first.p_value, first.explained, &first.and), (1e-200, 1.0, &None));
    assert_eq!(first.same_requests[0].subject, "server");
    assert_eq!(findings[1].and.as_ref().map(|and| and.feature.as_str()), Some("sign"));
    assert_eq!(slow.no_difference, ["$2", "$3", "server", "time"]);
    assert_eq!(slow.not_seen, ["Its text was cut: literals behind the cut are not known."]);
    assert_eq!((slow.split_ns, slow.split_by, slow.explained), (316_000_000, model::SplitBy::TwoHumps, true));
    assert_eq!((slow.slow, slow.fast, slow.slow_sampled, slow.fast_sampled), (231, 772, 231, 772));
    assert_eq!((slow.fast_p99_ns, slow.slow_p50_ns), (2_100_000, 30_000_000_000));
    assert_eq!(slow.tried, ["$1", "$2", "server", "time"]);
    assert!(!tell(&Case { found: &[], ..case }, &Known::default()).1.explained, "an effect explains nothing");
}

#[test]
fn the_first_sentence_says_how_many_and_how_that_was_decided() {
    let check = |case: Case<'_>, expected: &str| assert_eq!(slow::summary(&case), expected);
    let plain = case(&[], &[]);
    check(
        plain,
        "231 of 1,003 executions (23.0%) took 29.9 s or more, half of them 30.0 s or more; the others 2.10 ms at p99. \
         They are a hump of their own.",
    );
    check(
        Case {
            split: Split { at: Nanos::from_millis(500), by: SplitBy::Given },
            sides: Sides { fast: 811_769, in_flight: 12, ..SIDES },
            sampled: (231, 1_269),
            ..plain
        },
        "231 of 812,000 executions (<0.1%) are slow, half of them 30.0 s or more: 219 took 500 ms or more, 12 have \
         waited 500 ms or more and are still in flight; the others 2.10 ms at p99. The limit is that of --slow. \
         Compared was a sample: 231 slow, 1,269 fast.",
    );
    check(
        Case {
            sides: Sides { slow: 12, in_flight: 12, slow_min: Nanos(0), ..SIDES },
            sampled: (12, 772),
            ..plain
        },
        "12 of 784 executions (1.5%) have waited 316 ms or more and are still in flight; the others 2.10 ms at p99. \
         They are a hump of their own.",
    );
    check(
        Case {
            split: Split { at: Nanos::from_millis(30), by: SplitBy::Tail },
            sides: Sides {
                slow: 1,
                fast: 0,
                slow_min: Nanos::from_millis(30),
                slow_p50: Nanos::from_millis(30),
                ..SIDES
            },
            sampled: (1, 0),
            ..plain
        },
        "1 of 1 executions (100.0%) took 30.0 ms or more. There was no faster one to compare with. They are a tail \
         beyond what the others let expect.",
    );
}

#[test]
fn what_was_not_seen_is_said() {
    for (unseen, expected) in [
        (
            Unseen::PreparedBefore,
            "It was prepared before the capture: its text and its literals are not known.",
        ),
        (
            Unseen::Values { requests: 1_200, compared: 4_000 },
            "Values of 1,200 of the 4,000 compared executions are not known: they were cut, or may be passwords.",
        ),
        (Unseen::Encrypted(1), "1 connection is encrypted: what ran there is not known."),
        (Unseen::Lost(3), "3 requests are lost."),
    ] {
        assert_eq!(unseen.sentence(), expected);
    }
}

#[test]
fn places_are_named_as_the_text_shows_them() {
    let at = |number, literal| Position { number, literal };
    let positions = [at(3, true), at(1, false), at(4, true), at(1, false)];
    let place = |position| Place::of(&positions, position);
    assert_eq!(place(0), Place { number: 3, literal: Some(1) });
    assert_eq!(place(1), Place { number: 1, literal: None });
    assert_eq!(place(2), Place { number: 4, literal: Some(2) });
    assert_eq!(Place::of(&[], 4), Place { number: 5, literal: None }, "prepared before the capture");
    assert_eq!(Place::of(&positions, u16::MAX).literal, None);
}
