//! Binary parameters in, values out.

use super::*;
use crate::value::{Kind, Settings};

fn shown(value: Value, extractor: &Extractor) -> String {
    let text = value.hash().and_then(|hash| extractor.shown(hash));
    match value.kind() {
        Kind::Unseen => "?".to_owned(),
        Kind::Null => "NULL".to_owned(),
        kind => format!("{kind:?} {}", text.unwrap_or("(not kept)")),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// What stands behind the iteration count, for so many parameters.
#[track_caller]
fn check(parameters: u16, attributes: bool, rest: &str, expected: &str) {
    let mut extractor = Extractor::new(Settings { show_values: true, ..Settings::default() });
    let (mut types, mut out) = (Vec::new(), Vec::new());
    let form = Form { parameters, attributes };
    execute_values(&hex(rest), form, &mut types, None, &mut extractor, Nanos(0), &mut out);
    let shown: Vec<String> = out.into_iter().map(|value| shown(value, &extractor)).collect();
    assert_eq!(shown.join(", "), expected, "{rest}");
}

/// One value of a type.
#[track_caller]
fn one(kind: &str, value: &str, expected: &str) {
    check(1, false, &format!("00 01 {kind} {value}"), expected);
}

#[test]
fn numbers() {
    one("0100", "ff", "Integer -1");
    one("0180", "ff", "Integer 255");
    one("0200", "feff", "Integer -2");
    one("0280", "feff", "Integer 65534");
    one("0300", "feffffff", "Integer -2");
    one("0380", "feffffff", "Integer 4294967294");
    one("0800", "feffffffffffffff", "Integer -2");
    one("0880", "ffffffffffffffff", "Decimal 18446744073709552000");
    one("0400", "0000c03f", "Decimal 1.5");
    one("0500", "000000000000f83f", "Decimal 1.5");
    one("f600", "04 31322e35", "Decimal 12.5");
    one("0000", "02 3132", "Integer 12");
    one("0d00", "e807", "Integer 2024");
}

#[test]
fn text_and_bytes() {
    one("fd00", "03 616263", "Text abc");
    one("fe00", "02 3432", "Integer 42");
    one("0f00", "fc0100 61", "Text a");
    one("fc00", "03 616263", "Text abc");
    one("fc00", "02 ff00", "Bytes \\xff00");
    one("f500", "02 7b7d", "Text {}");
    one("0600", "", "NULL");
}

#[test]
fn times() {
    one("0c00", "07 e807 02 1d 0c 1e 0f", "Time 2024-02-29 12:30:15");
    one("0700", "0b e807 02 1d 0c 1e 0f 40420f00", "Time 2024-02-29 12:30:16");
    one("0a00", "04 b207 01 01", "Time 1970-01-01");
    one("0a00", "04 6c07 03 01", "Time 1900-03-01");
    one("0c00", "00", "?");
    one("0a00", "04 0000 00 00", "?");
    one("0b00", "08 01 01000000 01 00 01", "Integer -90001");
    one("0b00", "00", "Integer 0");
    one("0b00", "08 00 ffffffff 00 00 00", "?");
    one("0b00", "0c 00 00000000 00 00 00 ffffffff", "Decimal 4294.967295");
}

#[test]
fn several_with_nulls() {
    check(3, false, "02 01 0300 0300 fd00 05000000 0161", "Integer 5, NULL, Text a");
    check(9, false, &format!("0001 01 {}", "0100".repeat(9)), "?, ?, ?, ?, ?, ?, ?, ?, NULL");
}

#[test]
fn attributes_are_no_values() {
    check(1, true, "02 00 01 0300 00 fe00 026964 07000000 03616263", "Integer 7");
    check(0, true, "00", "");
}

#[test]
fn cut_or_broken() {
    check(2, false, "00 01 0300 0300 05000000 06", "Integer 5, ?");
    check(2, false, "00 01 0300", "");
    check(2, false, "00", "");
    check(2, false, "", "");
    check(2, false, "00 07", "");
    // No types so far.
    check(2, false, "01 00 05", "NULL, ?");
    check(1, false, "00 01 fd00 fe ffffffffffffffff", "?");
}

#[test]
fn days_are_those_of_the_calendar() {
    assert_eq!(days(1970, 1, 1), 0);
    assert_eq!(days(2000, 3, 1), 11_017);
    assert_eq!(days(1969, 12, 31), -1);
}
