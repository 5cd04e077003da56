//! Conditions in, clauses and the report's attributes out.

use super::*;
use crate::report::sanitize::visible;
use proptest::prelude::*;

#[test]
fn every_feature_has_a_clause() {
    let check = |subject, feature, values, clause: &str, in_json: &str| {
        let (told, names) = (condition(subject, feature, values), Known::default());
        let words = condition::tell(&told, &names);
        assert_eq!(words.clause, clause);
        let attribute = attribute(&told, words, &names);
        let shown = format!("{} {} {}", attribute.subject, attribute.feature, attribute.values.join(" "));
        assert_eq!(shown, in_json, "{clause}");
    };
    let value = Subject::Value(0);
    let idle = |micros: f64| size(micros) & !0x1f;
    check(value, Feature::IsNull, one_of(&[1]), "$1 is NULL", "$1 is_null true");
    check(value, Feature::IsNull, one_of(&[0]), "$1 is not NULL", "$1 is_null false");
    check(value, Feature::Kind, one_of(&[2, 4]), "$1 is a whole number or text", "$1 kind integer text");
    check(value, Feature::Boolean, one_of(&[0]), "$1 is FALSE", "$1 boolean false");
    check(value, Feature::Sign, one_of(&[1]), "$1 is negative", "$1 sign negative");
    check(value, Feature::IsZero, one_of(&[1]), "$1 is zero", "$1 is_zero true");
    check(value, Feature::Parity, one_of(&[1]), "$1 is odd", "$1 parity odd");
    check(value, Feature::LastDigit, one_of(&[3, 7]), "the last digit of $1 is 3 or 7", "$1 last_digit 3 7");
    check(value, Feature::Remainder(7), one_of(&[3]), "$1 modulo 7 is 3", "$1 remainder_7 3");
    check(
        value,
        Feature::Magnitude,
        from(size(901_000.0)),
        "$1 is about 900 thousand or more",
        "$1 magnitude >= 900000",
    );
    check(value, Feature::Magnitude, to(size(5.0)), "$1 is 5 or less", "$1 magnitude <= 5");
    check(
        value,
        Feature::Magnitude,
        Values::Between(Some(size(-20.0)), Some(size(345.0))),
        "$1 is about -20 to 400",
        "$1 magnitude >= -20 <= 400",
    );
    check(
        value,
        Feature::Magnitude,
        Values::Between(Some(size(901.0)), Some(size(930.0))),
        "$1 is about 900 to 1000",
        "$1 magnitude >= 900 <= 1000",
    );
    check(value, Feature::IsEmpty, one_of(&[1]), "$1 is empty", "$1 is_empty true");
    check(
        value,
        Feature::Length,
        from(size(200.0)),
        "the length of $1 is 200 B or more",
        "$1 length >= 200 bytes",
    );
    check(
        value,
        Feature::Length,
        to(size(20.0)),
        "the length of $1 is 20 B or less",
        "$1 length <= 20 bytes",
    );
    check(
        value,
        Feature::FirstCharacter,
        one_of(&[0, 2]),
        "$1 begins with a digit or a capital letter",
        "$1 first_character digit upper_case",
    );
    check(value, Feature::HasNonAscii, one_of(&[1]), "$1 has characters outside ASCII", "$1 non_ascii true");
    check(
        value,
        Feature::Prefix(0),
        one_of(&[7]),
        "the first byte of $1 is one value (hash 4f3a9c07)",
        "$1 prefix_1 hash:4f3a9c0700000000",
    );
    check(
        value,
        Feature::Prefix(2),
        one_of(&[7, 9]),
        "the first 4 bytes of $1 are one of 2 values (hashes 4f3a9c07 or 4f3a9c09)",
        "$1 prefix_4 hash:4f3a9c0700000000 hash:4f3a9c0900000000",
    );
    check(value, Feature::UuidVersion, one_of(&[4]), "$1 is a UUID of version 4", "$1 uuid_version 4");
    check(
        value,
        Feature::DistanceFromNow,
        to(size(-7.9e6)),
        "$1 lies 90 days before now or earlier",
        "$1 distance_from_now <= -7776000 s",
    );
    check(
        value,
        Feature::DistanceFromNow,
        from(size(3_600.0)),
        "$1 lies 1 hour after now or later",
        "$1 distance_from_now >= 3600 s",
    );
    check(
        value,
        Feature::DistanceFromNow,
        from(size(-60.0)),
        "$1 lies 10 minutes before now or later",
        "$1 distance_from_now >= -600 s",
    );
    check(value, Feature::Elements, from(500), "$1 has 500 or more elements", "$1 elements >= 500");
    check(
        value,
        Feature::ValueHash,
        one_of(&[7]),
        "$1 is one value (hash 4f3a9c07)",
        "$1 value_hash hash:4f3a9c0700000000",
    );
    check(Subject::Value(2), Feature::Parity, one_of(&[0]), "the 2nd literal ($3) is even", "$3 parity even");
    check(
        Subject::Server,
        Feature::Identity,
        one_of(&[5, 6]),
        "the server is 10.0.0.5:5432 or 10.0.0.6:5432",
        "server address 10.0.0.5:5432 10.0.0.6:5432",
    );
    check(
        Subject::Database,
        Feature::Identity,
        one_of(&[1]),
        "the database is payments",
        "database name payments",
    );
    check(Subject::Connection, Feature::Identity, one_of(&[17]), "the connection is 17", "connection id 17");
    check(Subject::Process, Feature::Identity, one_of(&[4242]), "the process is 4242", "process id 4242");
    check(Subject::Thread, Feature::Identity, one_of(&[4243]), "the thread is 4243", "thread id 4243");
    check(
        Subject::Request,
        Feature::FirstOnConnection,
        one_of(&[1]),
        "it is the first on its connection",
        "request first_on_connection true",
    );
    check(
        Subject::Connection,
        Feature::OpenedBefore,
        one_of(&[0]),
        "its connection was opened during the capture",
        "connection opened_before false",
    );
    check(
        Subject::Connection,
        Feature::IdleBefore,
        from(idle(60e6)),
        "its connection had been idle for 58.7 s or longer",
        "connection idle_before >= 58720256000 ns",
    );
    check(
        Subject::Transaction,
        Feature::Status,
        one_of(&[1]),
        "before it, its session was in a transaction",
        "transaction status in_transaction",
    );
    check(
        Subject::Transaction,
        Feature::Position,
        from(12),
        "its number in its transaction is 12 or more",
        "transaction position >= 12",
    );
    check(
        Subject::Request,
        Feature::Bytes,
        from(size(4_096.0)),
        "its size is 4.00 KiB or more",
        "request bytes >= 4096 bytes",
    );
    check(
        Subject::Request,
        Feature::Previous,
        one_of(&[2]),
        "the statement before it on its connection is SELECT a, a,  FROM t\\x1b[2J",
        "request previous 0000000000000002",
    );
    check(
        Subject::Load,
        Feature::InFlight,
        from(20),
        "20 or more other requests were in flight to its server",
        "load in_flight >= 20",
    );
    check(
        Subject::Time,
        Feature::Window,
        Values::Between(Some(10_000_000_000), Some(15_000_000_000)),
        "it started between 02:00:10.5 and 02:00:15.5 UTC",
        "time window >= 2026-11-23T02:00:10.512345Z <= 2026-11-23T02:00:15.512345Z",
    );
    check(
        Subject::Time,
        Feature::Window,
        Values::Between(Some(10_000_000_000), Some(10_000_000_000)),
        "it started between 02:00:10.512345 and 02:00:10.512345 UTC",
        "time window >= 2026-11-23T02:00:10.512345Z <= 2026-11-23T02:00:10.512345Z",
    );
    check(Subject::Answer, Feature::Rows, to(size(0.0)), "no rows", "answer rows <= 0");
    check(
        Subject::Answer,
        Feature::Bytes,
        from(size(100.0)),
        "an answer of 100 B or more",
        "answer bytes >= 100 bytes",
    );
    check(
        Subject::Answer,
        Feature::Error,
        one_of(&[0, QUERY_CANCELED]),
        "error none or 57014",
        "answer error none 57014",
    );
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
    assert_eq!(tell(true, &prefix).clause, "the first 2 bytes of $1 are 'vi'");
    let number = condition(Subject::Value(0), Feature::Magnitude, from(size(901_234.0)));
    assert_eq!(tell(true, &number).values, [">= 901000"]);
    assert_eq!(tell(false, &number).values, [">= 900000"]);
}

/// The codes that [`crate::why::attribute`] gives are the ones that the words are for.
#[test]
fn codes_and_words_agree() {
    use crate::request::{ErrorCode, TransactionStatus};
    use crate::value::{Extractor, Value};
    use crate::why::testdata::facts;
    use crate::why::{ObservedOutcome, Row, attribute};

    let at = Nanos::from_secs(1_000_000);
    let mut facts = facts(Nanos::from_secs(20), Nanos::from_millis(5));
    facts.transaction = Some(TransactionStatus::Failed);
    facts.idle_before = Some(Nanos::from_secs(60));
    facts.first_on_connection = true;
    let error = Some(ErrorCode::new(b"57014"));
    facts.outcome = Some(ObservedOutcome { rows: 1_000, answer_bytes: 300, error });
    let mut extractor = Extractor::default();
    let check = |value: Value, subject: Subject, feature: Feature, expected: &str| {
        let row = Row { slow: true, facts: &facts, values: &[value] };
        let wanted = Attribute { subject, feature };
        let tried = attribute::all(1).into_iter().find(|tried| tried.attribute == wanted).unwrap();
        let code = (tried.code)(&row, wanted).unwrap();
        let values = match tried.shape {
            attribute::Shape::Set(_) => one_of(&[code]),
            _ => from(code),
        };
        assert_eq!(condition::tell(&condition(subject, feature, values), &Known::default()).clause, expected);
    };
    let value = Subject::Value(0);
    let minus = extractor.integer(-1_237);
    check(minus, value, Feature::Sign, "$1 is negative");
    check(minus, value, Feature::Parity, "$1 is odd");
    check(minus, value, Feature::LastDigit, "the last digit of $1 is 7");
    check(minus, value, Feature::Magnitude, "$1 is about -2000 or more");
    check(minus, value, Feature::IsNull, "$1 is not NULL");
    check(Value::NULL, value, Feature::IsNull, "$1 is NULL");
    check(extractor.boolean(true), value, Feature::Boolean, "$1 is TRUE");
    for (one, kind) in [
        (Value::NULL, "NULL"),
        (minus, "a whole number"),
        (extractor.decimal(0.5), "a number with a fraction"),
        (extractor.text(b"abc", at), "text"),
        (extractor.boolean(false), "TRUE or FALSE"),
        (extractor.uuid([1; 16]), "a UUID"),
        (extractor.time(0, at), "a date or a time"),
        (extractor.bytes(b"\x01"), "bytes"),
        (extractor.array(3, b"{1,2,3}"), "a list"),
    ] {
        check(one, value, Feature::Kind, &format!("$1 is {kind}"));
    }
    for (text, class) in [
        ("1st", "a digit"),
        ("first", "a small letter"),
        ("First", "a capital letter"),
        (" first", "white space"),
        ("-first", "punctuation"),
        ("\u{e9}", "a character outside ASCII"),
    ] {
        let text = extractor.text(text.as_bytes(), at);
        check(text, value, Feature::FirstCharacter, &format!("$1 begins with {class}"));
    }
    let text = extractor.text("na\u{ef}ve".as_bytes(), at);
    check(text, value, Feature::HasNonAscii, "$1 has characters outside ASCII");
    check(text, value, Feature::Length, "the length of $1 is 6 B or more");
    let version_4 = extractor.uuid([0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    check(version_4, value, Feature::UuidVersion, "$1 is a UUID of version 4");
    let micros = |days: i64| (1_000_000 + days * 86_400) * 1_000_000;
    check(
        extractor.time(micros(8), at),
        value,
        Feature::DistanceFromNow,
        "$1 lies 7 days after now or later",
    );
    check(
        extractor.time(micros(-8), at),
        value,
        Feature::DistanceFromNow,
        "$1 lies 14 days before now or later",
    );
    check(extractor.array(3, b"{1,2,3}"), value, Feature::Elements, "$1 has 3 or more elements");
    let none = Value::UNSEEN;
    check(none, Subject::Transaction, Feature::Status, "before it, its session was in a failed transaction");
    check(none, Subject::Request, Feature::FirstOnConnection, "it is the first on its connection");
    check(
        none,
        Subject::Connection,
        Feature::IdleBefore,
        "its connection had been idle for 58.7 s or longer",
    );
    check(none, Subject::Time, Feature::Window, "it started at 02:00:20.5 UTC or later");
    check(none, Subject::Answer, Feature::Rows, "1,000 or more rows");
    check(none, Subject::Answer, Feature::Error, "error 57014");
    check(none, Subject::Connection, Feature::OpenedBefore, "its connection was opened before the capture");
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
