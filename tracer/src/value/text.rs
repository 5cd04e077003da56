//! What a text looks like, and whether it is one at all.

use super::number::{self, Number};
use super::words::holds_sign;
use super::{moment, uuid};

/// What a text of unknown type says that it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    Number(Number),
    /// The first digit is the highest.
    Uuid(u128),
    /// Microseconds from 1970-01-01 UTC.
    Time(i64),
    Text,
}

/// Looks at the first byte first: most texts begin with a letter and are nothing else, and most others are whole
/// numbers.
#[inline(always)]
pub(super) fn sniff(text: &[u8]) -> Form {
    let Some(first) = text.first() else { return Form::Text };
    match first {
        b'0'..=b'9' | b'-' => match number::whole(text) {
            Some(number) => Form::Number(Number::Whole(number)),
            None => digits_first(text),
        },
        b'a'..=b'f' | b'A'..=b'F' if text.len() == 36 => uuid_or_text(text),
        b'{' if text.len() == 38 => uuid_or_text(text),
        _ => Form::Text,
    }
}

#[inline(never)]
fn digits_first(text: &[u8]) -> Form {
    if text.get(4) == Some(&b'-')
        && let Some(micros) = moment::parse(text)
    {
        return Form::Time(micros);
    }
    if text.len() == 36
        && let Some(uuid) = uuid::parse(text)
    {
        return Form::Uuid(uuid);
    }
    number::fraction(text).map_or(Form::Text, Form::Number)
}

#[inline(never)]
fn uuid_or_text(text: &[u8]) -> Form {
    uuid::parse(text).map_or(Form::Text, Form::Uuid)
}

/// [`super::Value::first_character`] as its code.
#[inline]
pub(super) fn first_class(first: u8) -> u8 {
    match first {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => 3,
        0..0x80 => 4,
        _ => 5,
    }
}

/// `password` in any case, then maybe quotes and spaces, then `=` or `:`: what follows may be one.
#[cold]
#[inline(never)]
pub(super) fn names_a_password(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.first_chunk::<8>() {
            Some(word) if !holds_sign(u64::from_le_bytes(*word)) => at += 8,
            _ if matches!(rest[0], b'=' | b':') && ends_with_password(&text[..at]) => return true,
            _ => at += 1,
        }
    }
    false
}

fn ends_with_password(text: &[u8]) -> bool {
    const WORD: &[u8] = b"password";
    let between = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\');
    let skipped = text.iter().rev().take(8).take_while(between).count();
    let word = &text[..text.len() - skipped];
    word.last_chunk::<8>().is_some_and(|last| last.eq_ignore_ascii_case(WORD))
}
