//! Names of fields as a statement shows them: what looks like a value in a name becomes `?`.
//!
//! Programs write ids into field names (`scores.1234`), so a name is shown only where it looks like one.

use crate::proto::key_pattern::{TOKEN_BYTES, is_random};
use crate::time::Nanos;
use crate::value::{Extractor, Value};

/// A longer name is no name.
const LONGEST_NAME_BYTES: usize = 128;
/// So many digits in a row are a number.
const DIGITS: usize = 4;

/// Appends a field's name to a text. Each `?` in it stands for a value, which is appended to `values` where they are wanted.
pub(super) fn push(
    name: &[u8],
    at: Nanos,
    text: &mut Vec<u8>,
    values: &mut Vec<Value>,
    extractor: Option<&mut Extractor>,
) {
    if is_plain(name) {
        return text.extend_from_slice(name);
    }
    if !is_name(name) {
        text.push(b'?');
        values.extend(extractor.map(|extractor| extractor.text(name, at)));
        return;
    }
    let mut extractor = extractor;
    for (n, part) in name.split(|byte| *byte == b'.').enumerate() {
        if n > 0 {
            text.push(b'.');
        }
        if is_value(part) {
            text.push(b'?');
            values.extend(extractor.as_deref_mut().map(|extractor| extractor.text(part, at)));
        } else {
            text.extend_from_slice(part);
        }
    }
}

/// The usual name: letters, dots, signs and nothing else.
fn is_plain(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= 32
        && name.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'.'))
        && !is_hexadecimal(name)
        && !holds_token(name)
}

/// Only characters of names.
fn is_name(name: &[u8]) -> bool {
    let known = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '.');
    !name.is_empty()
        && name.len() <= LONGEST_NAME_BYTES
        && std::str::from_utf8(name).is_ok_and(|name| name.chars().all(known))
}

/// A part of a dotted name that is a number, an ObjectId, a UUID, a token, or holds one.
fn is_value(part: &[u8]) -> bool {
    let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    let numeric = digits > 0 && digits * 2 >= part.len();
    let runs = part.split(|byte| !byte.is_ascii_digit()).any(|run| run.len() >= DIGITS);
    numeric || runs || is_hexadecimal(part) || holds_token(part)
}

/// Holds a word that looks random: a session's, an API key.
fn holds_token(name: &[u8]) -> bool {
    name.len() >= TOKEN_BYTES
        && name
            .split(|byte| byte.is_ascii_punctuation())
            .any(|word| word.len() >= TOKEN_BYTES && is_random(word))
}

/// Holds so many hexadecimal digits in a row that it is no word.
fn is_hexadecimal(part: &[u8]) -> bool {
    part.len() >= 16 && part.split(|byte| !byte.is_ascii_hexdigit()).any(|run| run.len() >= 16)
}

/// A name that says that its value is a secret.
pub(super) fn is_secret(name: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"password", b"passwd", b"pwd", b"passphrase", b"secret", b"token"];
    WORDS.iter().any(|word| name.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
}
