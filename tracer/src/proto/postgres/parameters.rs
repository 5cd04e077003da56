//! Bind values: PostgreSQL's types and their text and binary forms, made into [`Value`]s.
//!
//! Sources: PostgreSQL documentation, version 18, "Message Formats" (Bind, Parse, ParameterDescription); the types'
//! output, send and recv functions in `src/backend/utils/adt` and the ids in `src/include/catalog/pg_type.dat`, same
//! version.
//!
//! Never keeps a value, never allocates by a length that the wire claims, and reads at most [`MAX_PARAMETERS`] of a
//! message. What is cut or broken is [`Value::UNSEEN`].

use super::frontend::cstring;
use crate::time::Nanos;
use crate::value::{Extractor, INFINITY, NEGATIVE_INFINITY, Value};

/// Parameters read of one message. The protocol allows 65,535.
pub const MAX_PARAMETERS: usize = 256;

/// How a type is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TypeClass {
    /// The type is not known, or left to the server. Text is read as what it looks like. Binary is guessed from its
    /// length: 2, 4 and 8 bytes are a whole number, 16 may be a UUID.
    #[default]
    Unknown,
    /// bool
    Bool,
    /// int2, int4, int8
    Integer,
    /// oid and the like: four bytes without a sign
    Oid,
    /// float4
    Float4,
    /// float8
    Float8,
    /// numeric
    Numeric,
    /// text, varchar, bpchar, name: what looks like a number, a UUID or a time is one
    Text,
    /// uuid
    Uuid,
    /// bytea
    Bytea,
    /// date
    Date,
    /// timestamp, timestamptz
    Timestamp,
    /// json, xml and other documents: text, whatever it looks like
    Json,
    /// jsonb: a version, then text
    Jsonb,
    /// Arrays of the types above
    Array,
    /// Everything else
    Other,
}

impl TypeClass {
    /// The class of a type id. Types that are not built in have ids from 16,384 on, different on every server.
    pub const fn of_oid(oid: u32) -> Self {
        match oid {
            0 | 705 => Self::Unknown,
            16 => Self::Bool,
            20 | 21 | 23 => Self::Integer,
            26 | 24 | 28 | 29 | 2202..=2206 | 4096 | 4089 => Self::Oid,
            700 => Self::Float4,
            701 => Self::Float8,
            1700 => Self::Numeric,
            25 | 1043 | 1042 | 19 | 18 => Self::Text,
            2950 => Self::Uuid,
            17 => Self::Bytea,
            1082 => Self::Date,
            1114 | 1184 => Self::Timestamp,
            114 | 142 => Self::Json,
            3802 => Self::Jsonb,
            // In the order of the types above.
            1000 | 1016 | 1005 | 1007 | 1028 | 1021 | 1022 | 1231 | 1009 | 1015 | 1014 | 1003 | 1002
            | 2951 | 1001 | 1182 | 1115 | 1185 | 199 | 143 | 3807 => Self::Array,
            _ => Self::Other,
        }
    }
}

/// The parameter types of a Parse message: `rest` is what follows the statement text. Replaces `out`; parameters that
/// it leaves out are [`TypeClass::Unknown`].
pub fn parse_types(rest: &[u8], out: &mut Vec<TypeClass>) {
    out.clear();
    let Some((count, ids)) = rest.split_first_chunk::<2>() else { return };
    let count = usize::from(u16::from_be_bytes(*count)).min(MAX_PARAMETERS);
    let ids = ids.as_chunks::<4>().0.iter().take(count);
    out.extend(ids.map(|id| TypeClass::of_oid(u32::from_be_bytes(*id))));
}

/// The parameter types of a ParameterDescription message. Replaces `out`.
pub fn described_types(body: &[u8], out: &mut Vec<TypeClass>) {
    // Both messages hold the same list.
    parse_types(body, out);
}

/// Appends one [`Value`] for each parameter of a Bind message, of at most [`MAX_PARAMETERS`]. `body` may be only the
/// beginning of the message: values that are not whole in it are [`Value::UNSEEN`]; nothing is appended when even their
/// number is missing. `types`: of the statement; missing ones are [`TypeClass::Unknown`]. `at`: when it was sent.
pub fn bind_values(
    body: &[u8],
    types: &[TypeClass],
    extractor: &mut Extractor,
    at: Nanos,
    out: &mut Vec<Value>,
) {
    let Some((formats, rest)) = behind_names(body).and_then(formats) else { return };
    let Some((count, mut rest)) = rest.split_first_chunk::<2>() else { return };
    let count = usize::from(u16::from_be_bytes(*count)).min(MAX_PARAMETERS);
    let start = out.len();
    out.resize(start + count, Value::UNSEEN);
    for (n, place) in out[start..].iter_mut().enumerate() {
        let Some((field, behind)) = field(rest) else { return };
        rest = behind;
        let class = types.get(n).copied().unwrap_or_default();
        let binary = match formats {
            [] => false,
            [all] => all[1] != 0,
            each => each.get(n).is_some_and(|code| code[1] != 0),
        };
        // Each kind that is frequent has its own assignment: then its parts go from registers to their place.
        match (field, class, binary) {
            (None, ..) => *place = Value::NULL,
            (Some(bytes), TypeClass::Integer, true) => match integer(bytes) {
                Some(number) => *place = extractor.integer(number),
                None => *place = extractor.bytes(bytes),
            },
            (Some(bytes), TypeClass::Text, _) | (Some(bytes), TypeClass::Unknown, false) => {
                *place = extractor.text(bytes, at)
            }
            (Some(bytes), TypeClass::Uuid, true) => match bytes.try_into() {
                Ok(uuid) => *place = extractor.uuid(uuid),
                Err(_) => *place = extractor.bytes(bytes),
            },
            (Some(bytes), TypeClass::Timestamp, true) => match bytes.try_into() {
                Ok(micros) => *place = extractor.time(timestamp(i64::from_be_bytes(micros)), at),
                Err(_) => *place = extractor.bytes(bytes),
            },
            (Some(bytes), TypeClass::Integer, false) => *place = extractor.number_text(bytes),
            (Some(bytes), _, false) => *place = of_text(bytes, class, extractor, at),
            (Some(bytes), _, true) => *place = of_binary(bytes, class, extractor, at),
        }
    }
}

/// What follows the names of portal and statement.
#[inline]
fn behind_names(body: &[u8]) -> Option<&[u8]> {
    cstring(cstring(body).1?).1
}

/// Format codes, and what follows.
#[inline]
fn formats(bytes: &[u8]) -> Option<(&[[u8; 2]], &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<2>()?;
    let (codes, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*count)) * 2)?;
    Some((codes.as_chunks().0, rest))
}

/// A value behind its length, `Some(None)` for NULL, and what follows. `None`: it is cut, or its length is wrong.
#[inline]
fn field(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = i32::from_be_bytes(*length);
    if length == -1 {
        return Some((None, rest));
    }
    let (field, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((Some(field), rest))
}

// The frequent ones are in `bind_values`, which stays small without the others.
#[inline(never)]
fn of_text(bytes: &[u8], class: TypeClass, extractor: &mut Extractor, at: Nanos) -> Value {
    match class {
        TypeClass::Unknown | TypeClass::Text => extractor.text(bytes, at),
        TypeClass::Integer | TypeClass::Oid => extractor.number_text(bytes),
        TypeClass::Bool => match truth(bytes) {
            Some(truth) => extractor.boolean(truth),
            None => extractor.text_only(bytes),
        },
        TypeClass::Float4 | TypeClass::Float8 | TypeClass::Numeric => extractor.number_text(bytes),
        TypeClass::Uuid => extractor.uuid_text(bytes),
        TypeClass::Date | TypeClass::Timestamp => match bytes {
            b"infinity" => extractor.time(INFINITY, at),
            b"-infinity" => extractor.time(NEGATIVE_INFINITY, at),
            _ => extractor.text(bytes, at),
        },
        TypeClass::Bytea => extractor.bytes_text(bytes),
        TypeClass::Array => match text_elements(bytes) {
            Some(elements) => extractor.array(elements, bytes),
            None => extractor.text_only(bytes),
        },
        _ => extractor.text_only(bytes),
    }
}

/// `boolin`: any beginning of a word that no other word shares, in any case.
fn truth(text: &[u8]) -> Option<bool> {
    let text = text.trim_ascii();
    let begins = |word: &str, least: usize| {
        text.len() >= least
            && word.as_bytes().get(..text.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(text))
    };
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || text == b"1" {
        return Some(true);
    }
    (begins("false", 1) || begins("no", 1) || begins("off", 2) || text == b"0").then_some(false)
}

#[inline(never)]
fn of_binary(bytes: &[u8], class: TypeClass, extractor: &mut Extractor, at: Nanos) -> Value {
    of_size(bytes, class, extractor, at).unwrap_or_else(|| extractor.bytes(bytes))
}

/// `int2send`, `int4send`, `int8send`
#[inline]
fn integer(bytes: &[u8]) -> Option<i64> {
    match bytes.len() {
        8 => bytes.try_into().ok().map(i64::from_be_bytes),
        4 => bytes.try_into().ok().map(|bytes| i64::from(i32::from_be_bytes(bytes))),
        2 => bytes.try_into().ok().map(|bytes| i64::from(i16::from_be_bytes(bytes))),
        _ => None,
    }
}

/// `None`: the length does not fit the type.
fn of_size(bytes: &[u8], class: TypeClass, extractor: &mut Extractor, at: Nanos) -> Option<Value> {
    Some(match class {
        TypeClass::Integer => extractor.integer(integer(bytes)?),
        TypeClass::Text => extractor.text(bytes, at),
        TypeClass::Uuid => extractor.uuid(bytes.try_into().ok()?),
        TypeClass::Timestamp => extractor.time(timestamp(i64::from_be_bytes(bytes.try_into().ok()?)), at),
        TypeClass::Date => extractor.time(date(i32::from_be_bytes(bytes.try_into().ok()?)), at),
        TypeClass::Float8 => extractor.decimal(f64::from_be_bytes(bytes.try_into().ok()?)),
        TypeClass::Float4 => extractor.decimal_of_single(f32::from_be_bytes(bytes.try_into().ok()?)),
        TypeClass::Bool => extractor.boolean(<[u8; 1]>::try_from(bytes).ok()? != [0]),
        TypeClass::Oid => extractor.integer(i64::from(u32::from_be_bytes(bytes.try_into().ok()?))),
        TypeClass::Numeric => numeric(bytes, extractor)?,
        TypeClass::Json => extractor.text_only(bytes),
        TypeClass::Jsonb => extractor.text_only(bytes.strip_prefix(&[1]).unwrap_or(bytes)),
        TypeClass::Array => extractor.array(binary_elements(bytes)?, bytes),
        TypeClass::Unknown => guess(bytes, extractor, at)?,
        TypeClass::Other if is_readable(bytes) => extractor.text_only(bytes),
        TypeClass::Bytea | TypeClass::Other => return None,
    })
}

/// Binary without a type: by its length. Eight bytes may as well be a float8 or a timestamp; as a whole number they
/// keep their order at least.
fn guess(bytes: &[u8], extractor: &mut Extractor, at: Nanos) -> Option<Value> {
    if let Some(number) = integer(bytes)
        && !(bytes.len() == 8 && is_readable(bytes))
    {
        // Eight printable characters would be a number over 2^61.
        return Some(extractor.integer(number));
    }
    if let Ok(uuid) = <[u8; 16]>::try_from(bytes)
        && matches!(uuid[6] >> 4, 1..=8)
        && uuid[8] >> 6 == 0b10
    {
        // RFC 9562, section 4: version and variant.
        return Some(extractor.uuid(uuid));
    }
    match bytes {
        [truth @ (0 | 1)] => Some(extractor.boolean(*truth == 1)),
        _ => is_readable(bytes).then(|| extractor.text(bytes, at)),
    }
}

/// UTF-8 without control characters but white space.
fn is_readable(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')))
}

/// Days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts.
const EPOCH_DAYS: i64 = 10_957;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// `timestamp_send`, `timestamptz_send`: microseconds from 2000-01-01 UTC; the outermost numbers are infinity.
fn timestamp(micros: i64) -> i64 {
    match micros {
        i64::MAX => INFINITY,
        i64::MIN => NEGATIVE_INFINITY,
        _ => micros.saturating_add(EPOCH_DAYS * MICROS_PER_DAY),
    }
}

/// `date_send`: days from 2000-01-01. What 64 bits of microseconds do not hold, from the year 294,277 on, is infinity.
fn date(days: i32) -> i64 {
    match days {
        i32::MAX => INFINITY,
        i32::MIN => NEGATIVE_INFINITY,
        _ => (i64::from(days) + EPOCH_DAYS).saturating_mul(MICROS_PER_DAY),
    }
}

/// `numeric_send`: number of digits to the base of 10,000, power of the first one, sign, digits shown; then the digits.
fn numeric(bytes: &[u8], extractor: &mut Extractor) -> Option<Value> {
    let (&[n0, n1, w0, w1, s0, s1, _, _], digits) = bytes.split_first_chunk::<8>()?;
    let negative = match u16::from_be_bytes([s0, s1]) {
        0x0000 => false,
        0x4000 => true,
        0xc000 => return Some(extractor.decimal(f64::NAN)),
        0xd000 => return Some(extractor.decimal(f64::INFINITY)),
        0xf000 => return Some(extractor.decimal(f64::NEG_INFINITY)),
        _ => return None,
    };
    let (digits, odd) = digits.as_chunks::<2>();
    if digits.len() != usize::from(u16::from_be_bytes([n0, n1])) || !odd.is_empty() {
        return None;
    }
    let (mut mantissa, mut taken) = (0_u64, 0);
    let mut exponent = i32::from(i16::from_be_bytes([w0, w1])) * 4 + 4;
    for digit in digits {
        let digit = u64::from(u16::from_be_bytes(*digit));
        if digit > 9_999 {
            return None;
        }
        // One decimal digit after the other, as a text has them, so that the same ones are left out.
        for power in [1_000, 100, 10, 1] {
            if taken < 19 {
                mantissa = mantissa * 10 + digit / power % 10;
                taken += u8::from(mantissa != 0);
                exponent -= 1;
            }
        }
    }
    Some(extractor.scaled(negative, mantissa, exponent))
}

/// `array_send`: dimensions, flags, type of the elements; then length and lower bound of each dimension. Elements of
/// an array of arrays are the inner arrays.
fn binary_elements(bytes: &[u8]) -> Option<usize> {
    let (dimensions, rest) = bytes.split_first_chunk::<4>()?;
    let (_, rest) = rest.split_first_chunk::<8>()?;
    match u32::from_be_bytes(*dimensions) {
        0 => return Some(0),
        // MAXDIM in `array.h`
        1..=6 => {}
        _ => return None,
    }
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    // Each element has at least its own length before it.
    (length <= rest.len() / 4).then_some(length)
}

/// `array_out`: `{a,"b,c",NULL,{d,e}}` has four elements. Bounds that stand before it, `[0:1]={...}`, are passed over.
fn text_elements(text: &[u8]) -> Option<usize> {
    let text = match text {
        [b'[', ..] => &text[text.iter().position(|byte| *byte == b'{')?..],
        _ => text,
    };
    let inner = text.trim_ascii().strip_prefix(b"{")?.strip_suffix(b"}")?;
    if inner.trim_ascii().is_empty() {
        return Some(0);
    }
    let (mut elements, mut depth, mut quoted) = (1, 0_usize, false);
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => depth = depth.saturating_sub(1),
            b',' if !quoted && depth == 0 => elements += 1,
            _ => {}
        }
    }
    Some(elements)
}

#[cfg(test)]
mod tests;
