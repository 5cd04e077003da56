//! Constants as MySQL writes them.

use super::{AT, describe, extractor};
use crate::value::Value;

/// Both are the same value: a constant of MySQL, and one in PostgreSQL's form.
fn check(mysql: &str, postgresql: &str) {
    let mut extractor = extractor();
    let value = extractor.mysql_literal(mysql.as_bytes(), true, false, AT);
    assert_eq!(value, extractor.literal(postgresql.as_bytes(), false, AT), "{mysql} {postgresql}");
    assert_ne!(value, Value::UNSEEN, "{mysql}");
}

fn check_plain(mysql: &str, postgresql: &str) {
    let mut extractor = extractor();
    let value = extractor.mysql_literal(mysql.as_bytes(), false, false, AT);
    assert_eq!(value, extractor.literal(postgresql.as_bytes(), false, AT), "{mysql} {postgresql}");
}

fn check_bytes(mysql: &str, bytes: &[u8]) {
    let mut extractor = extractor();
    assert_eq!(extractor.mysql_literal(mysql.as_bytes(), true, false, AT), extractor.bytes(bytes), "{mysql}");
}

fn check_unseen(mysql: &str) {
    let value = extractor().mysql_literal(mysql.as_bytes(), true, false, AT);
    assert_eq!(value, Value::UNSEEN, "{mysql}: {}", describe(value));
}

/// Case 78.
#[test]
fn strings_in_all_forms_are_equal() {
    check("'abc'", "'abc'");
    check("\"abc\"", "'abc'");
    check("N'abc'", "'abc'");
    check("n'abc'", "'abc'");
    check("'a' 'b' \"c\"", "'abc'");
    check("'a'/* ' */ -- '\n # \"\n'bc'", "'abc'");
    check("'it''s'", "'it''s'");
    check("\"it's\"", "'it''s'");
    check(r"'it\'s'", "'it''s'");
    check(r#""a""b\"c""#, "'a\"b\"c'");
    check("'a\"\"b'", "'a\"\"b'");
    check(r"'\\ \n\t\r\b\Z\x'", r"E'\\ \n\t\r\b\x1ax'");
    check(r"'50\% \_'", r"'50\% \_'");
    check("'42'", "42");
    check("\"2026-11-23\"", "'2026-11-23'");
}

#[test]
fn a_backslash_is_one_without_escapes() {
    check_plain(r"'C:\'", r"'C:\'");
    check_plain(r#""C:\n""#, r"'C:\n'");
    check_plain(r"'it\'s'", r"'it\''s'");
}

#[test]
fn numbers_and_words() {
    check("42", "42");
    check("1.50", "1.5");
    check(".5", "0.5");
    check("1e3", "1000");
    check("true", "TRUE");
    check("NULL", "null");
    check(r"\N", "null");
    assert_eq!(describe(extractor().mysql_literal(b"5", true, true, AT)), describe(extractor().integer(-5)));
}

#[test]
fn hexadecimal_and_bit_constants_are_bytes() {
    check_bytes("X'4D7953'", b"MyS");
    check_bytes("x'4d'", b"M");
    check_bytes("0x4D79", b"My");
    check_bytes("0xF", b"\x0f");
    check_bytes("b'1'", b"\x01");
    check_bytes("B'101000001'", b"\x01\x41");
    check_bytes("0b01000001", b"A");
    check_bytes("X''", b"");
}

#[test]
fn what_is_cut_or_no_constant_is_not_seen() {
    for text in
        ["'abc", "\"abc", "'abc''", r"'abc\'", "X'4D", "X'4G'", "0b12", "0xzz", "'a' 'b", "b'2'", "0X41", ""]
    {
        check_unseen(text);
    }
}
