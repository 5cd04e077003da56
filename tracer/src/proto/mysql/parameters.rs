//! Binary parameters: types and values of COM_STMT_EXECUTE, and query attributes, made into [`Value`]s.
//!
//! Sources: MySQL Source Code Documentation, "COM_STMT_EXECUTE", "Binary Protocol Resultset" (values);
//! `include/field_types.h` (types), version 8.4; MariaDB Knowledge Base, "COM_STMT_EXECUTE".
//!
//! Never keeps a value, and reads at most [`MAX_PARAMETERS`] of a command. What is cut or broken is [`Value::UNSEEN`].

use super::bytes::Bytes;
use crate::time::Nanos;
use crate::value::{Extractor, Value};

/// Parameters read of one command. The protocol allows 65,535.
pub const MAX_PARAMETERS: usize = 256;

/// The type of a parameter: the type's number, and 0x8000 for a number without a sign.
pub type ParameterType = u16;
const UNSIGNED: u16 = 0x8000;

/// How a statement's parameters are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// How many parameters the statement has.
    pub parameters: u16,
    /// The session has CLIENT_QUERY_ATTRIBUTES: a count stands before, and each type has a name.
    pub attributes: bool,
}

/// Which parameters were sent ahead by COM_STMT_SEND_LONG_DATA: bits by number.
pub type LongData = [u64; MAX_PARAMETERS / 64];

/// Appends one [`Value`] for each parameter of a COM_STMT_EXECUTE. `rest`: its payload behind the iteration count, or the
/// beginning of it. `types`: those of the last execution, replaced where this one sends types (new-params-bound 1).
pub fn execute_values(
    rest: &[u8],
    form: Form,
    types: &mut Vec<ParameterType>,
    long_data: Option<&LongData>,
    extractor: &mut Extractor,
    at: Nanos,
    out: &mut Vec<Value>,
) {
    let mut rest = Bytes(rest);
    let Some(nulls) = nulls_and_types(&mut rest, form, types) else { return };
    let start = out.len();
    out.resize(start + usize::from(form.parameters).min(MAX_PARAMETERS), Value::UNSEEN);
    let mut is_cut = false;
    for (n, place) in out[start..].iter_mut().enumerate() {
        if bit(nulls, n) {
            *place = Value::NULL;
            continue;
        }
        if is_cut {
            continue;
        }
        if long_data.is_some_and(|bits| bits[n / 64] >> (n % 64) & 1 == 1) {
            continue;
        }
        // Without a type nothing says where the value ends.
        let kind = types.get(n).copied();
        match kind.and_then(|kind| Some((kind, field(kind, &mut rest)?))) {
            Some((kind, field)) => *place = value(kind, field, extractor, at),
            None => is_cut = true,
        }
    }
}

/// Only the types of a COM_STMT_EXECUTE whose values are not read: the next one may come without.
pub(super) fn execute_types(rest: &[u8], form: Form, types: &mut Vec<ParameterType>) {
    nulls_and_types(&mut Bytes(rest), form, types);
}

/// What stands before the values: the bits of those that are NULL, and new types. `None`: there are no values.
fn nulls_and_types<'a>(rest: &mut Bytes<'a>, form: Form, types: &mut Vec<ParameterType>) -> Option<&'a [u8]> {
    let own = usize::from(form.parameters);
    let mut sent = own;
    if form.attributes {
        // Attributes come behind the parameters.
        sent = usize::try_from(rest.lenenc()?).ok()?;
    }
    if sent == 0 {
        return None;
    }
    let nulls = rest.take(sent.div_ceil(8))?;
    match rest.u8()? {
        1 => {
            types.clear();
            for _ in 0..sent {
                let kind = rest.u16()?;
                if form.attributes {
                    rest.lenenc_bytes()?;
                }
                if types.len() < own.min(MAX_PARAMETERS) {
                    types.push(kind);
                }
            }
        }
        0 => {}
        _ => return None,
    }
    Some(nulls)
}

fn bit(nulls: &[u8], n: usize) -> bool {
    nulls.get(n / 8).is_some_and(|byte| byte >> (n % 8) & 1 == 1)
}

/// Passes over the attributes of a COM_QUERY behind their counts.
pub(super) fn skip_attributes(rest: &mut Bytes<'_>, count: usize) -> Option<()> {
    if count > usize::from(u16::MAX) {
        return None;
    }
    let nulls = rest.take(count.div_ceil(8))?;
    rest.u8().filter(|bound| *bound == 1)?;
    let mut ahead = *rest;
    for _ in 0..count {
        ahead.u16()?;
        ahead.lenenc_bytes()?;
    }
    for n in 0..count {
        let kind = rest.u16()?;
        rest.lenenc_bytes()?;
        if !bit(nulls, n) {
            field(kind, &mut ahead)?;
        }
    }
    *rest = ahead;
    Some(())
}

mod kind {
    pub const DECIMAL: u8 = 0x00;
    pub const TINY: u8 = 0x01;
    pub const SHORT: u8 = 0x02;
    pub const LONG: u8 = 0x03;
    pub const FLOAT: u8 = 0x04;
    pub const DOUBLE: u8 = 0x05;
    pub const NULL: u8 = 0x06;
    pub const TIMESTAMP: u8 = 0x07;
    pub const LONGLONG: u8 = 0x08;
    pub const INT24: u8 = 0x09;
    pub const DATE: u8 = 0x0a;
    pub const TIME: u8 = 0x0b;
    pub const DATETIME: u8 = 0x0c;
    pub const YEAR: u8 = 0x0d;
    pub const BOOL: u8 = 0xf4;
    pub const BIT: u8 = 0x10;
    pub const JSON: u8 = 0xf5;
    pub const NEWDECIMAL: u8 = 0xf6;
    pub const BLOBS: std::ops::RangeInclusive<u8> = 0xf9..=0xfc;
}

/// The bytes of one value of this type, without their length.
#[inline]
fn field<'a>(of: ParameterType, rest: &mut Bytes<'a>) -> Option<&'a [u8]> {
    match of.to_le_bytes()[0] {
        kind::TINY | kind::BOOL => rest.take(1),
        kind::SHORT | kind::YEAR => rest.take(2),
        kind::LONG | kind::INT24 | kind::FLOAT => rest.take(4),
        kind::LONGLONG | kind::DOUBLE => rest.take(8),
        kind::NULL => rest.take(0),
        kind::TIMESTAMP | kind::DATE | kind::TIME | kind::DATETIME => {
            let len = rest.u8()?;
            rest.take(usize::from(len))
        }
        _ => rest.lenenc_bytes(),
    }
}

#[inline]
fn value(of: ParameterType, field: &[u8], extractor: &mut Extractor, at: Nanos) -> Value {
    let unsigned = of & UNSIGNED != 0;
    match of.to_le_bytes()[0] {
        kind::LONG | kind::LONGLONG | kind::TINY | kind::SHORT | kind::INT24 | kind::YEAR => {
            integer(field, unsigned, extractor)
        }
        kind::BOOL => extractor.boolean(field != [0]),
        kind::DOUBLE => match field.try_into() {
            Ok(bytes) => extractor.decimal(f64::from_le_bytes(bytes)),
            Err(_) => Value::UNSEEN,
        },
        kind::FLOAT => match field.try_into() {
            Ok(bytes) => extractor.decimal_of_single(f32::from_le_bytes(bytes)),
            Err(_) => Value::UNSEEN,
        },
        kind::NULL => Value::NULL,
        kind::TIMESTAMP | kind::DATE | kind::DATETIME => match datetime(field) {
            Some(micros) => extractor.time(micros, at),
            None => Value::UNSEEN,
        },
        kind::TIME => match duration(field) {
            // A span and no point in time: in seconds.
            Some((negative, micros)) => extractor.scaled(negative, micros, -6),
            None => Value::UNSEEN,
        },
        kind::DECIMAL | kind::NEWDECIMAL => extractor.number_text(field),
        kind::BIT => extractor.bytes(field),
        kind::JSON => extractor.text_only(field),
        // Drivers send text as a blob too.
        code if kind::BLOBS.contains(&code) && std::str::from_utf8(field).is_err() => extractor.bytes(field),
        _ => extractor.text(field, at),
    }
}

#[inline]
fn integer(field: &[u8], unsigned: bool, extractor: &mut Extractor) -> Value {
    let number = match *field {
        [a] if unsigned => i64::from(a),
        [a] => i64::from(i8::from_le_bytes([a])),
        [a, b] if unsigned => i64::from(u16::from_le_bytes([a, b])),
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] if unsigned => i64::from(u32::from_le_bytes([a, b, c, d])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => {
            let Ok(bytes) = field.try_into() else { return Value::UNSEEN };
            if unsigned {
                return match i64::try_from(u64::from_le_bytes(bytes)) {
                    Ok(number) => extractor.integer(number),
                    Err(_) => extractor.scaled(false, u64::from_le_bytes(bytes), 0),
                };
            }
            i64::from_le_bytes(bytes)
        }
    };
    extractor.integer(number)
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Year, month, day; hour, minute, second; microseconds: as many of the three groups as are not zero. Microseconds from
/// 1970-01-01. `None`: the zero date, or none at all.
fn datetime(field: &[u8]) -> Option<i64> {
    let mut rest = Bytes(field);
    let (year, month, day) = (rest.u16()?, rest.u8()?, rest.u8()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut micros = days(i64::from(year), i64::from(month), i64::from(day)) * MICROS_PER_DAY;
    if let Some([hour, minute, second]) = rest.array() {
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        micros += seconds * MICROS_PER_SECOND;
    }
    Some(micros + i64::from(rest.u32().unwrap_or(0)))
}

/// Sign, days, hour, minute, second; microseconds. `None`: cut, or longer than 64 bits of microseconds.
fn duration(field: &[u8]) -> Option<(bool, u64)> {
    if field.is_empty() {
        return Some((false, 0));
    }
    let mut rest = Bytes(field);
    let negative = rest.u8()? != 0;
    let days = u64::from(rest.u32()?);
    let [hour, minute, second] = rest.array()?.map(u64::from);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    let micros = seconds.checked_mul(1_000_000)?.checked_add(u64::from(rest.u32().unwrap_or(0)))?;
    Some((negative, micros))
}

/// Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests;
