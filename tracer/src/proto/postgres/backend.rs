//! Bodies of the backend messages that matter, and whether bytes can be a backend message at all.
//!
//! Never reads a column value.

use super::frontend::cstring;
use crate::request::{BackendKey, ErrorCode, TransactionStatus};
use std::hash::{DefaultHasher, Hasher};

/// CommandComplete: rows that the tag names. `SELECT 5`, `INSERT 0 5`, `COPY 5`; tags without a number give 0.
pub(super) fn rows(body: &[u8]) -> u64 {
    let (tag, _) = cstring(body);
    let word = tag.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    std::str::from_utf8(word).ok().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// What ErrorResponse says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// SQLSTATE.
    pub code: ErrorCode,
    /// FATAL or PANIC: the server ends the session.
    pub ends_session: bool,
}

/// ErrorResponse: fields of a type byte and a string each.
pub(super) fn failure(mut body: &[u8]) -> Failure {
    let mut failure = Failure { code: ErrorCode::new(b"?"), ends_session: false };
    while let Some((field @ 1.., rest)) = body.split_first() {
        let (value, rest) = cstring(rest);
        match field {
            b'C' => failure.code = ErrorCode::new(value),
            // S may be translated, V (9.6 and later) is not.
            b'S' | b'V' => failure.ends_session |= matches!(value, b"FATAL" | b"PANIC"),
            _ => {}
        }
        body = rest.unwrap_or_default();
    }
    failure
}

/// ReadyForQuery.
pub(super) fn status(body: &[u8]) -> Option<TransactionStatus> {
    match body.first()? {
        b'I' => Some(TransactionStatus::Idle),
        b'T' => Some(TransactionStatus::InTransaction),
        b'E' => Some(TransactionStatus::Failed),
        _ => None,
    }
}

/// BackendKeyData, and the same fields of CancelRequest: process id, then the secret (4 bytes in protocol 3.0, up to 256
/// in 3.2).
pub(super) fn backend_key(body: &[u8]) -> Option<BackendKey> {
    let (process_id, secret) = body.split_first_chunk::<4>()?;
    let mut hash = DefaultHasher::new();
    hash.write(secret);
    Some(BackendKey { process_id: u32::from_be_bytes(*process_id), secret_hash: hash.finish() })
}

/// The content fits the type. `body` may be only the beginning of `body_bytes`; then only that is judged.
pub(super) fn plausible(tag: u8, body: &[u8], body_bytes: u32) -> bool {
    let whole = body.len() == body_bytes as usize;
    match tag {
        b'1' | b'2' | b'3' | b'n' | b's' | b'I' | b'c' => body_bytes == 0,
        b'Z' => body_bytes == 1 && body.first().is_none_or(|status| matches!(status, b'I' | b'T' | b'E')),
        b'C' => plausible_tag(body, whole),
        b'D' => plausible_row(body, whole),
        b'T' => plausible_fields(body, whole),
        b't' => counted(body, body_bytes, 4),
        b'E' | b'N' => plausible_report(body, whole),
        b'G' | b'H' | b'W' => {
            body.first().is_none_or(|format| *format <= 1)
                && (body.len() < 3 || counted(&body[1..], body_bytes.saturating_sub(1), 2))
        }
        b'S' => match cstring(body) {
            (name, Some(rest)) => {
                is_name(name)
                    && (!whole || rest.iter().filter(|byte| **byte == 0).count() == 1 && rest.ends_with(&[0]))
            }
            (name, None) => !whole && (name.is_empty() || is_name(name)),
        },
        b'A' => body_bytes >= 6 && (!whole || body.ends_with(&[0])),
        b'K' => body_bytes >= 8,
        b'R' => body_bytes >= 4 && (body.len() < 4 || body[..3] == [0, 0, 0] && body[3] <= 12),
        b'V' => body_bytes >= 4,
        b'v' => body_bytes >= 8,
        b'd' => true,
        _ => false,
    }
}

/// A count of 16 bits, then so many entries.
fn counted(body: &[u8], body_bytes: u32, entry_bytes: u32) -> bool {
    body.first_chunk::<2>()
        .is_none_or(|count| body_bytes == 2 + u32::from(u16::from_be_bytes(*count)) * entry_bytes)
}

fn plausible_tag(body: &[u8], whole: bool) -> bool {
    let (tag, end) = cstring(body);
    let ends_well = if whole { end.is_some_and(<[u8]>::is_empty) } else { end.is_none() };
    let known =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'_' | b'-');
    ends_well
        && tag.len() <= 64
        && tag.first().map_or(!whole, u8::is_ascii_uppercase)
        && tag.iter().all(known)
}

fn plausible_row(body: &[u8], whole: bool) -> bool {
    let Some((count, mut values)) = body.split_first_chunk::<2>() else { return !whole };
    for _ in 0..u16::from_be_bytes(*count) {
        let Some((length, rest)) = values.split_first_chunk::<4>() else { return !whole };
        let length = match u32::from_be_bytes(*length) {
            u32::MAX => 0,
            length if length > 0x3fff_ffff => return false,
            length => length as usize,
        };
        let Some(rest) = rest.get(length..) else { return !whole };
        values = rest;
    }
    whole && values.is_empty()
}

fn plausible_fields(body: &[u8], whole: bool) -> bool {
    let Some((count, mut fields)) = body.split_first_chunk::<2>() else { return !whole };
    for _ in 0..u16::from_be_bytes(*count) {
        // Name, then table, column, type, type length, type modifier, format: 18 bytes.
        let (_, Some(rest)) = cstring(fields) else { return !whole };
        let Some((fixed, rest)) = rest.split_at_checked(18) else { return !whole };
        if fixed[16] != 0 || fixed[17] > 1 {
            return false;
        }
        fields = rest;
    }
    whole && fields.is_empty()
}

fn plausible_report(mut body: &[u8], whole: bool) -> bool {
    // Every server since 7.4 sends severity first.
    if body.first().is_some_and(|field| *field != b'S') {
        return false;
    }
    loop {
        match body.split_first() {
            None => return !whole,
            Some((0, rest)) => return whole && rest.is_empty(),
            Some((field, rest)) if field.is_ascii_alphabetic() => match cstring(rest) {
                (_, Some(rest)) => body = rest,
                (_, None) => return !whole,
            },
            Some(_) => return false,
        }
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}
