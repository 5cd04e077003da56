//! Features of values, and that the same value is equal in whatever form it comes.

use proptest::prelude::*;

use super::*;
use crate::time::Nanos;

mod mysql;

/// Requests of these tests start at 2026-11-23 12:00 UTC.
const NOON_MICROS: i64 = 1_795_435_200_000_000;
const AT: Nanos = Nanos(5_000_000_000);

fn extractor() -> Extractor {
    Extractor::new(Settings { epoch_micros: NOON_MICROS - 5_000_000, show_values: false })
}

/// Everything that is kept but hashes.
fn describe(value: Value) -> String {
    let mut text = format!("{:?}", value.kind());
    let mut add = |name: &str, shown: Option<String>| {
        if let Some(shown) = shown {
            text.push_str(&format!(" {name}{shown}"));
        }
    };
    match value.kind() {
        Kind::Time => add("", value.seconds_from_now().map(|seconds| format!("{seconds} s"))),
        _ => add("", value.size().map(|size| size.number().to_string())),
    }
    add("%10=", value.remainder(10).map(|n| n.to_string()));
    add("", value.is_negative().filter(|yes| *yes).map(|_| "negative".to_owned()));
    add("", value.is_zero().filter(|yes| *yes).map(|_| "zero".to_owned()));
    add("", value.first_character().map(|class| format!("{class:?}")));
    add("", value.has_non_ascii().filter(|yes| *yes).map(|_| "non-ASCII".to_owned()));
    add("", value.boolean().map(|truth| truth.to_string()));
    add("version ", value.uuid_version().map(|version| version.to_string()));
    add("elements ", (value.kind() == Kind::List).then(|| value.elements().to_string()));
    text
}

#[track_caller]
fn check_text(text: &str, expected: &str) {
    assert_eq!(describe(extractor().text(text.as_bytes(), AT)), expected, "{text}");
}

#[track_caller]
fn check_literal(literal: &str, expected: &str) {
    let (literal, negative) = literal.strip_prefix('-').map_or((literal, false), |rest| (rest, true));
    assert_eq!(describe(extractor().literal(literal.as_bytes(), negative, AT)), expected, "{literal}");
}

/// Both literals are the same value.
#[track_caller]
fn check_same(one: &str, other: &str) {
    let mut extractor = extractor();
    let mut value = |literal: &str| {
        let (literal, negative) = literal.strip_prefix('-').map_or((literal, false), |rest| (rest, true));
        extractor.literal(literal.as_bytes(), negative, AT)
    };
    let (one_value, other_value) = (value(one), value(other));
    assert_eq!(one_value, other_value, "{one} {other}");
    assert!(one_value.hash().is_some(), "{one}");
}

#[track_caller]
fn check_different(one: &str, other: &str) {
    let mut extractor = extractor();
    let mut hash = |literal: &str| extractor.literal(literal.as_bytes(), false, AT).hash();
    assert_ne!(hash(one), hash(other), "{one} {other}");
}

#[test]
fn a_value_is_24_bytes() {
    assert_eq!(size_of::<Value>(), 24);
}

#[test]
fn texts_that_are_whole_numbers() {
    check_text("42", "Integer 42 %10=2");
    check_text("-47", "Integer -47 %10=7 negative");
    check_text("0", "Integer 0 %10=0 zero");
    check_text("-0", "Integer 0 %10=0 zero");
    check_text("123456789", "Integer 123207680 %10=9");
    check_text("9223372036854775807", "Integer 9187343239835812000 %10=7");
    check_text("-9223372036854775808", "Integer -9223372036854776000 %10=8 negative");
    check_text("12.00", "Integer 12 %10=2");
}

#[test]
fn digits_that_are_no_number() {
    check_text("007", "Text 3 Digit");
    check_text("+4930123456", "Text 11 Other");
    check_text("9223372036854775808", "Text 19 Digit");
    check_text("12345678901234567890123", "Text 23 Digit");
    check_text("1,5", "Text 3 Digit");
    check_text("12e5", "Text 4 Digit");
    check_text("1.2.3", "Text 5 Digit");
    check_text("12.", "Text 3 Digit");
    check_text(".5", "Text 2 Other");
    check_text("-", "Text 1 Other");
    check_text("--1", "Text 3 Other");
    check_text("4 ", "Text 2 Digit");
    check_text("1.x", "Text 3 Digit");
    check_text("10.0.0.1", "Text 8 Digit");
}

#[test]
fn texts_that_are_fractions() {
    check_text("12.5", "Decimal 12.5");
    check_text("-0.25", "Decimal -0.25 negative");
    check_text("1e+300", "Decimal 340282366920938500000000000000000000000");
    check_text("1.5e2", "Integer 150 %10=0");
    check_text("1.25e-1", "Decimal 0.125");
}

#[test]
fn texts_that_are_uuids() {
    check_text("550e8400-e29b-41d4-a716-446655440000", "Uuid version 4");
    check_text("{550E8400-E29B-71D4-A716-446655440000}", "Uuid version 7");
    check_text("ABCDEF00-e29b-11d4-a716-446655440000", "Uuid version 1");
    check_text("550e8400e29b41d4a716446655440000", "Text 32 Digit");
    check_text("550e8400-e29b-41d4-a716-44665544000g", "Text 36 Digit");
}

#[test]
fn texts_that_are_points_in_time() {
    check_text("2026-11-23 12:00:00", "Time 0 s");
    check_text("2026-11-23 11:59:59", "Time -1 s");
    check_text("2026-11-23T13:00:00Z", "Time 3600 s");
    check_text("2026-11-23", "Time -21600 s");
    check_text("2026-10-24 12:00:01+00", "Time -1209600 s");
    check_text("2026-10-24 12:00:00+00", "Time -2592000 s");
    check_text("2026-10-24", "Time -2592000 s");
    check_text("1999-01-01", "Time -630720000 s");
    check_text("9999-12-31", "Time 3153600000 s");
    check_text("2026-99-99", "Text 10 Digit");
}

#[test]
fn texts() {
    check_text("", "Text 0");
    check_text("alice", "Text 5 LowerCase");
    check_text("Alice", "Text 5 UpperCase");
    check_text(" alice", "Text 6 Space");
    check_text("%alice%", "Text 7 Other");
    check_text("Zo\u{eb}", "Text 4 UpperCase non-ASCII");
    check_text("\u{e9}t\u{e9}", "Text 5 NonAscii non-ASCII");
    check_text("infinity", "Text 8 LowerCase");
    check_text("true", "Text 4 LowerCase");
}

#[test]
fn what_may_be_a_password_is_not_seen() {
    check_text("password=secret", "Unseen");
    check_text("host=db Password = 'secret'", "Unseen");
    check_text("{\"user\": \"x\", \"PASSWORD\" : \"secret\"}", "Unseen");
    check_text("PASSWORD:", "Unseen");
    for length in 0..20 {
        check_text(&format!("{}password={}", "x".repeat(length), "y".repeat(length)), "Unseen");
        check_text(&format!("a:b{}password=", "=".repeat(length)), "Unseen");
    }
    check_text("password", "Text 8 LowerCase");
    check_text("passwor=d password", "Text 18 LowerCase");
    check_literal("'password=x'", "Unseen");
    check_literal("E'pass\\x77ord=x'", "Unseen");
    check_literal("$$db_password: x$$", "Unseen");
}

#[test]
fn literals_of_case_78() {
    check_literal("'alice'", "Text 5 LowerCase");
    check_literal("''", "Text 0");
    check_literal("'42'", "Integer 42 %10=2");
    check_literal("B'0101'", "Bytes 4");
    check_literal("x'1F'", "Bytes 8");
    check_literal("TRUE", "Boolean true");
    check_literal("false", "Boolean false");
    check_literal("Null", "Null");
    check_literal("-5", "Integer -5 %10=5 negative");
    check_literal("-9223372036854775808", "Integer -9223372036854776000 %10=8 negative");
    check_literal("18446744073709551616", "Decimal 18446744073709552000");
    check_literal("1e400", "Decimal 340282366920938500000000000000000000000");
}

#[test]
fn literals_without_an_end_are_not_seen() {
    for literal in
        ["'abc", "'", "'abc''", "E'abc\\", "E'abc\\'", "$$abc", "$x$abc$$", "$", "U&'", "'a'\n'b", "zz"]
    {
        check_literal(literal, "Unseen");
    }
}

#[test]
fn the_same_value_in_other_words() {
    check_same("42", "'42'");
    check_same("42", "4_2");
    check_same("255", "0xFF");
    check_same("255", "0o3_77");
    check_same("255", "0b1111_1111");
    check_same("0012", "12");
    check_same("-0", "0");
    check_same("-1.50", "'-1.5'");
    check_same("12.0", "12");
    check_same("1.5e3", "1500");
    check_same(".5", "0.5");
    check_same("5.", "5");
    check_same("0.1", "1e-1");
    check_same("0.30000000000000004", "3.0000000000000004e-1");
    check_same("'it''s'", "E'it\\'s'");
    check_same("'it''s'", "$$it's$$");
    check_same("'it''s'", "$q$it's$q$");
    check_same("'it''s'", "N'it''s'");
    check_same("'foobar'", "'foo'\n  'bar'");
    check_same("'foobar'", "'foo' -- it's a comment\n 'bar'");
    check_same("'foo\tbar'", "E'foo\\t'\r\n'bar'");
    check_same("'data'", "U&'d\\0061t\\+000061'");
    check_same("'\u{1f600}'", "U&'\\D83D\\DE00'");
    check_same("'\u{1f600}'", "E'\\uD83D\\uDE00'");
    check_same("'\u{1f600}'", "E'\\U0001F600'");
    check_same("'a\\b'", "E'a\\\\b'");
    check_same("'a\\b'", "U&'a\\\\b'");
    check_same("'ABC'", "E'\\x41\\102\\103'");
    check_same("X'1f'", "b'00011111'");
    check_same("'550e8400-e29b-41d4-a716-446655440000'", "'{550E8400-E29B-41D4-A716-446655440000}'");
    check_same("'2026-11-23 01:00'", "'2026-11-23T02:00:00.000+01:00'");
    check_same("TRUE", "true");
    check_same("'it\\'s'", "'it\\''s'");
}

#[test]
fn different_values_differ() {
    check_different("0", "FALSE");
    check_different("1", "TRUE");
    check_different("''", "B''");
    check_different("'a'", "'A'");
    check_different("'a'", "'a '");
    check_different("0.1", "0.10000000000000002");
    check_different("'007'", "7");
    check_different("'2026-11-23'", "'2026-11-24'");
}

#[test]
fn prefixes_are_of_the_first_bytes() {
    let mut extractor = extractor();
    let mut of = |text: &str| {
        let value = extractor.text_only(text.as_bytes());
        [0, 1, 2, 3, 4].map(|index| value.prefix(index))
    };
    let (long, other, short) = (of("customer-1"), of("customs"), of("cu"));
    assert_eq!(long[..3], other[..3]);
    assert!(long[..4].iter().all(Option::is_some));
    assert_ne!(long[3], other[3]);
    assert_eq!((other[3], long[4]), (None, None));
    assert_eq!(short, [long[0], long[1], None, None, None]);
    assert!(of("Dustomer")[1].is_some());
    assert_ne!(of("Dustomer")[0], long[0]);
}

#[test]
fn beginnings_rarely_meet() {
    let mut extractor = extractor();
    let mut hashes: Vec<u16> =
        (0..1000).filter_map(|n| extractor.text_only(format!("k{n:03}").as_bytes()).prefix(2)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    // 1,000 of 65,536 places: eight pairs meet by chance.
    assert!(hashes.len() > 950, "{}", hashes.len());
}

#[test]
fn lists() {
    let mut extractor = extractor();
    let values: Vec<Value> = (0..3).map(|n| extractor.integer(n)).collect();
    let list = extractor.list(&values);
    assert_eq!(describe(list), "List elements 3");
    assert_eq!(extractor.list(&values), list);
    assert_ne!(extractor.list(&[values[1], values[0], values[2]]).hash(), list.hash());
    assert_ne!(extractor.list(&[values[0], Value::NULL]), extractor.list(&[values[0], Value::UNSEEN]));
    assert_eq!(extractor.list(&values[..1]), values[0]);
    assert_eq!(describe(extractor.list(&[])), "List elements 0");
    assert_eq!(extractor.list(&vec![Value::NULL; 70_000]).elements(), u16::MAX);
}

#[test]
fn hashes_have_a_key_of_their_capture_and_are_shown_under_another() {
    let (mut one, mut other) = (extractor(), extractor());
    let hash = one.integer(42).hash().unwrap();
    assert_ne!(Some(hash), other.integer(42).hash());
    assert_ne!(one.shown_hash(hash), hash);
    assert_eq!(one.shown_hash(hash), one.shown_hash(hash));
    assert_ne!(one.shown_hash(hash), other.shown_hash(hash));
}

#[track_caller]
fn check_shown(value: impl FnOnce(&mut Extractor) -> Value, expected: &str) {
    let mut extractor = Extractor::new(Settings { epoch_micros: 0, show_values: true });
    let value = value(&mut extractor);
    let shown = value.hash().and_then(|hash| extractor.shown(hash));
    assert_eq!(shown.unwrap_or("-"), expected);
}

#[test]
fn show_values_keeps_a_printable_beginning() {
    check_shown(|e| e.integer(-42), "-42");
    check_shown(|e| e.decimal(12.5), "12.5");
    check_shown(|e| e.boolean(true), "true");
    check_shown(|e| e.literal(b"'it''s'", false, AT), "it's");
    check_shown(|e| e.literal(b"'2026-11-23T02:00:01.5+01'", false, AT), "2026-11-23 01:00:01.5");
    check_shown(
        |e| e.text(b"{550E8400-E29B-41D4-A716-446655440000}", AT),
        "550e8400-e29b-41d4-a716-446655440000",
    );
    check_shown(|e| e.bytes(&[1, 0xab]), "\\x01ab");
    check_shown(|e| e.text(b"a\xffb", AT), "a\u{fffd}b");
    check_shown(|e| e.text("x".repeat(64).as_bytes(), AT), &"x".repeat(64));
    check_shown(|e| e.text("x".repeat(65).as_bytes(), AT), &format!("{}…", "x".repeat(64)));
    check_shown(|e| e.text("é".repeat(400).as_bytes(), AT), &format!("{}…", "é".repeat(32)));
    check_shown(|e| e.array(2, b"{a,b}"), "{a,b}");
    check_shown(|e| e.array(2, &[0, 0]), "(2 elements)");
    check_shown(
        |e| {
            let values = [e.integer(1), Value::NULL, Value::UNSEEN, e.text(b"a", AT)];
            e.list(&values)
        },
        "(1, NULL, ?, a)",
    );
    check_shown(|e| e.text(b"my password = x", AT), "-");
    check_shown(|e| e.bytes(b"my password = x"), "-");
    check_shown(|e| e.array(1, b"{password=x}"), "-");
}

#[test]
fn without_show_values_nothing_is_kept() {
    let mut extractor = extractor();
    let hash = extractor.text(b"alice", AT).hash().unwrap();
    assert_eq!(extractor.shown(hash), None);
}

#[test]
fn the_table_of_shown_values_is_bounded_and_says_so() {
    let mut extractor = Extractor::new(Settings { epoch_micros: 0, show_values: true });
    for n in 0..65_536 {
        extractor.integer(n);
    }
    assert_eq!(extractor.shown_left_out(), 0);
    extractor.integer(5);
    assert_eq!(extractor.shown_left_out(), 0);
    let hash = extractor.integer(-1).hash().unwrap();
    assert_eq!((extractor.shown(hash), extractor.shown_left_out()), (None, 1));
}

#[test]
fn doubles() {
    let mut e = extractor();
    let mut of = |number: f64| describe(e.decimal(number));
    assert_eq!(of(-0.0), "Integer 0 %10=0 zero");
    assert_eq!(of(1e3), "Integer 1000 %10=0");
    assert_eq!(of(9_007_199_254_740_991.0), "Integer 8972014882652160 %10=1");
    assert_eq!(of(-9.223_372_036_854_775e18), "Integer -9187343239835812000 %10=0 negative");
    assert_eq!(of(9.223_372_036_854_776e18), "Decimal 9223372036854776000");
    assert!(of(f64::NAN).starts_with("Decimal"));
    assert!(of(f64::NEG_INFINITY).starts_with("Decimal -"));
    assert_eq!(e.decimal(f64::NAN), e.decimal(-f64::NAN));
    assert_ne!(e.decimal(f64::NAN).hash(), e.decimal(f64::INFINITY).hash());
}

#[test]
fn a_time_is_clamped_and_infinity_is_far() {
    let mut e = extractor();
    let mut of = |micros| describe(e.time(micros, AT));
    assert_eq!(of(INFINITY), "Time 3153600000 s");
    assert_eq!(of(NEGATIVE_INFINITY), "Time -3153600000 s");
    assert_eq!(of(NOON_MICROS + 59_999_999), "Time 10 s");
    assert_eq!(of(NOON_MICROS - 60_000_000), "Time -60 s");
    for step in STEPS_SECONDS {
        let step = i64::from(step);
        assert_eq!(of(NOON_MICROS - step * 1_000_000), format!("Time -{step} s"));
    }
    let far = Nanos(u64::MAX);
    assert_eq!(describe(e.time(i64::MIN, far)), "Time -3153600000 s");
}

proptest! {
    #[test]
    fn any_bytes_are_some_value(bytes: Vec<u8>, negative: bool, at: u64, show_values: bool, epoch_micros: i64) {
        let mut e = Extractor::new(Settings { epoch_micros, show_values });
        let at = Nanos(at);
        let values = [
            e.text(&bytes, at), e.text_only(&bytes), e.bytes(&bytes), e.bytes_text(&bytes), e.uuid_text(&bytes),
            e.number_text(&bytes), e.array(bytes.len(), &bytes), e.literal(&bytes, negative, at),
        ];
        prop_assert_eq!(e.list(&values).elements(), 8);
    }

    #[test]
    fn any_literal_is_some_value(text in "(-|E|e|U&|x|B|N)?['$0-9.][\\PC'\\\\\n$]{0,40}'?") {
        let mut e = extractor();
        e.literal(text.as_bytes(), false, AT);
        e.number_text(text.as_bytes());
        e.text(text.as_bytes(), AT);
    }

    #[test]
    fn a_quoted_text_is_that_text(text in "\\PC*") {
        let mut e = extractor();
        let plain = e.text(text.as_bytes(), AT);
        let quoted = format!("'{}'", text.replace('\'', "''"));
        prop_assert_eq!(e.literal(quoted.as_bytes(), false, AT), plain);
        let escaped = format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        prop_assert_eq!(e.literal(escaped.as_bytes(), false, AT), plain);
    }

    #[test]
    fn whole_numbers_in_every_form(number: i64) {
        let mut e = extractor();
        let value = e.integer(number);
        prop_assert_eq!(e.text(number.to_string().as_bytes(), AT), value);
        prop_assert_eq!(e.number_text(format!(" {number}.000 ").as_bytes()), value);
        let magnitude = number.unsigned_abs();
        prop_assert_eq!(e.literal(magnitude.to_string().as_bytes(), number < 0, AT), value);
        prop_assert_eq!(e.literal(format!("0x{magnitude:X}").as_bytes(), number < 0, AT), value);
        prop_assert_eq!(value.remainder(10), u16::try_from(magnitude % 10).ok());
        prop_assert_eq!(value.remainder(7), u16::try_from(magnitude % 7).ok());
    }

    #[test]
    fn doubles_in_every_form(any: f64, whole: i64, power in 0..20_u32) {
        let mut e = extractor();
        #[expect(clippy::cast_precision_loss, reason = "any double will do")]
        for number in [any, whole as f64, (whole >> power) as f64, (whole >> power) as f64 / 1000.0] {
        let value = e.decimal(number);
        prop_assert_eq!(e.number_text(format!("{number:e}").as_bytes()), value);
        }
    }

    #[test]
    fn singles_are_their_decimal_form(number: f32) {
        let mut e = extractor();
        let value = e.decimal_of_single(number);
        prop_assert_eq!(e.number_text(format!("{number:e}").as_bytes()), value);
    }

    #[test]
    fn points_in_time_in_every_form(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
        let mut e = extractor();
        let value = e.time(micros, AT);
        let text = moment::shown(micros);
        prop_assert_eq!(e.text(text.as_bytes(), AT), value, "{}", text);
    }

    #[test]
    fn equal_bytes_have_equal_values_and_others_have_not(one: Vec<u8>, other: Vec<u8>) {
        let mut e = extractor();
        prop_assert_eq!(e.text_only(&one), e.text_only(&one.clone()));
        if one != other {
            prop_assert_ne!(e.bytes(&one).hash(), e.bytes(&other).hash());
        }
    }
}

#[test]
fn beginnings_are_shown_only_where_that_was_asked_for() {
    for show_values in [true, false] {
        let mut extractor = Extractor::new(Settings { show_values, ..Settings::default() });
        let value = extractor.text(b"vip-0815", Nanos(0));
        extractor.text("äöü".as_bytes(), Nanos(0));
        for (index, expected) in ["v", "vi", "vip-", "vip-0815"].into_iter().enumerate() {
            let shown = extractor.shown_prefix(index, value.prefix(index).unwrap());
            assert_eq!(shown, show_values.then_some(expected));
        }
    }
}
