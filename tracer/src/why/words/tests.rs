//! What was found in, sentences out.

use super::*;
use crate::report::sanitize::visible;
use crate::value::Size;
use crate::why::split::SplitBy;
use crate::why::{Attribute, Values};
use proptest::prelude::*;

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
    fn shown_prefix(&self, position: u16, index: u8, _code: i64) -> Option<String> {
        self.values.then(|| format!("p{position}{index}"))
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

#[test]
fn every_feature_has_a_clause() {
    let value = |feature, values| condition(Subject::Value(0), feature, values);
    let idle = |micros: f64| size(micros) & !0x1f;
    for (told, clause, subject, feature, values) in [
        (value(Feature::IsNull, one_of(&[1])), "$1 is NULL", "$1", "is_null", "true"),
        (value(Feature::IsNull, one_of(&[0])), "$1 is not NULL", "$1", "is_null", "false"),
        (value(Feature::Kind, one_of(&[2, 4])), "$1 is a whole number or text", "$1", "kind", "integer text"),
        (value(Feature::Boolean, one_of(&[0])), "$1 is FALSE", "$1", "boolean", "false"),
        (value(Feature::Sign, one_of(&[1])), "$1 is negative", "$1", "sign", "negative"),
        (value(Feature::IsZero, one_of(&[1])), "$1 is zero", "$1", "is_zero", "true"),
        (value(Feature::Parity, one_of(&[1])), "$1 is odd", "$1", "parity", "odd"),
        (
            value(Feature::LastDigit, one_of(&[3, 7])),
            "the last digit of $1 is 3 or 7",
            "$1",
            "last_digit",
            "3 7",
        ),
        (value(Feature::Remainder(7), one_of(&[3])), "$1 modulo 7 is 3", "$1", "remainder_7", "3"),
        (
            value(Feature::Magnitude, from(size(901_000.0))),
            "$1 is about 900 thousand or more",
            "$1",
            "magnitude",
            ">= 900000",
        ),
        (value(Feature::Magnitude, to(size(5.0))), "$1 is 5 or less", "$1", "magnitude", "<= 5"),
        (
            value(Feature::Magnitude, Values::Between(Some(size(-20.0)), Some(size(345.0)))),
            "$1 is about -20 to 300",
            "$1",
            "magnitude",
            ">= -20 <= 300",
        ),
        (
            value(Feature::Magnitude, Values::Between(Some(size(901.0)), Some(size(930.0)))),
            "$1 is about 900",
            "$1",
            "magnitude",
            ">= 900 <= 900",
        ),
        (value(Feature::IsEmpty, one_of(&[1])), "$1 is empty", "$1", "is_empty", "true"),
        (
            value(Feature::Length, from(size(200.0))),
            "the length of $1 is 200 B or more",
            "$1",
            "length",
            ">= 200 bytes",
        ),
        (
            value(Feature::Length, to(size(20.0))),
            "the length of $1 is 20 B or less",
            "$1",
            "length",
            "<= 20 bytes",
        ),
        (
            value(Feature::FirstCharacter, one_of(&[0, 2])),
            "$1 begins with a digit or a capital letter",
            "$1",
            "first_character",
            "digit upper_case",
        ),
        (
            value(Feature::HasNonAscii, one_of(&[1])),
            "$1 has characters outside ASCII",
            "$1",
            "non_ascii",
            "true",
        ),
        (
            value(Feature::Prefix(0), one_of(&[7])),
            "the first byte of $1 is one value (hash 4f3a9c07)",
            "$1",
            "prefix_1",
            "hash:4f3a9c0700000000",
        ),
        (
            value(Feature::Prefix(2), one_of(&[7, 9])),
            "the first 4 bytes of $1 are one of 2 values (hashes 4f3a9c07 or 4f3a9c09)",
            "$1",
            "prefix_4",
            "hash:4f3a9c0700000000 hash:4f3a9c0900000000",
        ),
        (value(Feature::UuidVersion, one_of(&[4])), "$1 is a UUID of version 4", "$1", "uuid_version", "4"),
        (
            value(Feature::DistanceFromNow, to(size(-7.9e6))),
            "$1 lies 90 days before now or earlier",
            "$1",
            "distance_from_now",
            "<= -7776000 s",
        ),
        (
            value(Feature::DistanceFromNow, from(size(3_600.0))),
            "$1 lies 1 hour after now or later",
            "$1",
            "distance_from_now",
            ">= 3600 s",
        ),
        (
            value(Feature::DistanceFromNow, from(size(-60.0))),
            "$1 lies 10 minutes before now or later",
            "$1",
            "distance_from_now",
            ">= -600 s",
        ),
        (value(Feature::Elements, from(500)), "$1 has 500 or more elements", "$1", "elements", ">= 500"),
        (
            value(Feature::ValueHash, one_of(&[7])),
            "$1 is one value (hash 4f3a9c07)",
            "$1",
            "value_hash",
            "hash:4f3a9c0700000000",
        ),
        (
            condition(Subject::Value(2), Feature::Parity, one_of(&[0])),
            "the 2nd literal ($3) is even",
            "$3",
            "parity",
            "even",
        ),
        (
            condition(Subject::Server, Feature::Identity, one_of(&[5, 6])),
            "the server is 10.0.0.5:5432 or 10.0.0.6:5432",
            "server",
            "address",
            "10.0.0.5:5432 10.0.0.6:5432",
        ),
        (
            condition(Subject::Database, Feature::Identity, one_of(&[1])),
            "the database is payments",
            "database",
            "name",
            "payments",
        ),
        (
            condition(Subject::Connection, Feature::Identity, one_of(&[17])),
            "the connection is 17",
            "connection",
            "id",
            "17",
        ),
        (
            condition(Subject::Process, Feature::Identity, one_of(&[4242])),
            "the process is 4242",
            "process",
            "id",
            "4242",
        ),
        (
            condition(Subject::Thread, Feature::Identity, one_of(&[4243])),
            "the thread is 4243",
            "thread",
            "id",
            "4243",
        ),
        (
            condition(Subject::Request, Feature::FirstOnConnection, one_of(&[1])),
            "it is the first on its connection",
            "request",
            "first_on_connection",
            "true",
        ),
        (
            condition(Subject::Connection, Feature::OpenedBefore, one_of(&[0])),
            "its connection was opened during the capture",
            "connection",
            "opened_before",
            "false",
        ),
        (
            condition(Subject::Connection, Feature::IdleBefore, from(idle(60e6))),
            "its connection had been idle for 58.7 s or longer",
            "connection",
            "idle_before",
            ">= 58720256000 ns",
        ),
        (
            condition(Subject::Transaction, Feature::Status, one_of(&[1])),
            "before it, its session was in a transaction",
            "transaction",
            "status",
            "in_transaction",
        ),
        (
            condition(Subject::Transaction, Feature::Position, from(12)),
            "its number in its transaction is 12 or more",
            "transaction",
            "position",
            ">= 12",
        ),
        (
            condition(Subject::Request, Feature::Bytes, from(size(4_096.0))),
            "its size is 4.00 KiB or more",
            "request",
            "bytes",
            ">= 4096 bytes",
        ),
        (
            condition(Subject::Request, Feature::Previous, one_of(&[2])),
            "the statement before it on its connection is SELECT a, a,  FROM t\\x1b[2J",
            "request",
            "previous",
            "0000000000000002",
        ),
        (
            condition(Subject::Load, Feature::InFlight, from(20)),
            "20 or more other requests were in flight to its server",
            "load",
            "in_flight",
            ">= 20",
        ),
        (
            condition(
                Subject::Time,
                Feature::Window,
                Values::Between(Some(10_000_000_000), Some(15_000_000_000)),
            ),
            "it started between 02:00:10.5 and 02:00:15.5",
            "time",
            "window",
            ">= 2026-11-23T02:00:10.512345Z <= 2026-11-23T02:00:15.512345Z",
        ),
        (condition(Subject::Answer, Feature::Rows, to(size(0.0))), "no rows", "answer", "rows", "<= 0"),
        (
            condition(Subject::Answer, Feature::Bytes, from(size(100.0))),
            "an answer of 100 B or more",
            "answer",
            "bytes",
            ">= 100 bytes",
        ),
        (
            condition(Subject::Answer, Feature::Error, one_of(&[0, QUERY_CANCELED])),
            "error none or 57014",
            "answer",
            "error",
            "none 57014",
        ),
    ] {
        let names = Known::default();
        let words = condition::tell(&told, &names);
        assert_eq!(words.clause, clause);
        let attribute = attribute(&told, words, &names);
        let shown = (attribute.subject.as_str(), attribute.feature.as_str(), attribute.values.join(" "));
        assert_eq!(shown, (subject, feature, values.to_owned()), "{clause}");
    }
}

/// A step stands for everything up to the next one, away from now.
#[test]
fn distances_are_true_limits() {
    const DAY: f64 = 86_400.0;
    let check = |from: Option<f64>, to: Option<f64>, expected: &str| {
        let values = Values::Between(from.map(size), to.map(size));
        let told = condition::tell(
            &condition(Subject::Value(0), Feature::DistanceFromNow, values),
            &Known::default(),
        );
        assert_eq!(told.clause, format!("$1 lies {expected}"));
    };
    check(None, Some(-30.0 * DAY), "30 days before now or earlier");
    check(None, Some(7.0 * DAY), "14 days after now or earlier");
    check(None, Some(0.0), "1 second after now or earlier");
    check(Some(0.0), None, "now or later");
    check(Some(365.0 * DAY), None, "1 year after now or later");
    check(Some(-7.0 * DAY), None, "14 days before now or later");
    check(Some(-3_600.0), Some(10.0), "between 6 hours before now and 1 minute after now");
    check(Some(-1e12), Some(-60.0), "1 minute before now or earlier");
    check(None, None, "at any time");
}

#[test]
fn values_are_shown_only_where_asked_for() {
    let tell = |values, condition: &Condition| condition::tell(condition, &Known { values });
    let hash = condition(Subject::Value(0), Feature::ValueHash, one_of(&[7]));
    let told = tell(true, &hash);
    assert_eq!((told.clause.as_str(), told.values), ("$1 is 'O''Hara\\x1b'", vec!["O'Hara\x1b".to_owned()]));
    let prefix = condition(Subject::Value(0), Feature::Prefix(1), one_of(&[7]));
    assert_eq!(tell(true, &prefix).clause, "the first 2 bytes of $1 are 'p01'");
    let number = condition(Subject::Value(0), Feature::Magnitude, from(size(901_234.0)));
    assert_eq!(tell(true, &number).values, [">= 901000"]);
    assert_eq!(tell(false, &number).values, [">= 900000"]);
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

const SIDES: Sides =
    Sides { slow: 231, fast: 772, in_flight: 0, fast_p99: Nanos(2_100_000), slow_p50: Nanos(30_000_000_000) };

fn case<'a>(found: &'a [Found], effects: &'a [Found]) -> Case<'a> {
    Case {
        statement: "00000000000000ab",
        split: Split { at: Nanos::from_millis(316), by: SplitBy::TwoHumps },
        sides: SIDES,
        sampled: (231, 772),
        found,
        effects,
        no_difference: &[Subject::Value(1), Subject::Value(2), Subject::Server, Subject::Time],
        hypotheses: 412.4,
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
    assert_eq!((slow.fast_p99_ns, slow.slow_p50_ns, slow.tried), (2_100_000, 30_000_000_000, 412));
    assert!(!tell(&Case { found: &[], ..case }, &Known::default()).1.explained, "an effect explains nothing");
}

#[test]
fn the_first_sentence_says_how_many_and_how_that_was_decided() {
    let check = |case: Case<'_>, expected: &str| assert_eq!(slow::summary(&case), expected);
    let plain = case(&[], &[]);
    check(
        plain,
        "231 of 1,003 executions (23.0%) took 316 ms or more, half of them 30.0 s or more; the others 2.10 ms at p99. \
         They are a hump of their own.",
    );
    check(
        Case {
            split: Split { at: Nanos::from_millis(500), by: SplitBy::Given },
            sides: Sides { fast: 811_769, in_flight: 12, ..SIDES },
            sampled: (231, 1_269),
            ..plain
        },
        "231 of 812,000 executions (<0.1%) took 500 ms or more, half of them 30.0 s or more (12 still in flight); the \
         others 2.10 ms at p99. The limit is that of --slow. Compared was a sample: 231 slow, 1,269 fast.",
    );
    check(
        Case {
            split: Split { at: Nanos::from_millis(30), by: SplitBy::Tail },
            sides: Sides { slow: 1, fast: 0, slow_p50: Nanos::from_millis(30), ..SIDES },
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
            "Values of 1,200 of the 4,000 compared executions were cut, or of a type that is not read.",
        ),
        (Unseen::Guarded, "Its text speaks of a password: its values are not looked at."),
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

const FEATURES: &[Feature] = &[
    Feature::IsNull,
    Feature::Kind,
    Feature::Boolean,
    Feature::Sign,
    Feature::LastDigit,
    Feature::Remainder(0),
    Feature::Magnitude,
    Feature::Length,
    Feature::FirstCharacter,
    Feature::Prefix(200),
    Feature::UuidVersion,
    Feature::DistanceFromNow,
    Feature::Elements,
    Feature::ValueHash,
    Feature::Identity,
    Feature::IdleBefore,
    Feature::Status,
    Feature::Position,
    Feature::Bytes,
    Feature::Previous,
    Feature::InFlight,
    Feature::Window,
    Feature::Rows,
    Feature::Error,
];

proptest! {
    /// Whatever is found, the sentence is short and safe, and nothing fails.
    #[test]
    fn any_condition_has_words(
        feature in prop::sample::select(FEATURES), of_value: bool, values: bool,
        codes in prop::collection::vec(any::<i64>(), 0..40), limits in any::<(Option<i64>, Option<i64>)>(), range: bool,
    ) {
        let subject = if of_value { Subject::Value(0) } else { Subject::Answer };
        let values_of = if range { Values::Between(limits.0, limits.1) } else { Values::OneOf(codes) };
        let told = condition::tell(&condition(subject, feature, values_of), &Known { values });
        prop_assert!(told.clause.chars().count() < 2_000, "{}", told.clause.len());
        prop_assert_eq!(visible(&told.clause, false, usize::MAX), told.clause);
    }
}
