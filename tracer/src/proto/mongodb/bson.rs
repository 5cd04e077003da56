//! BSON documents, read where they lie, whole or cut.
//!
//! Source: BSON specification, version 1.1. Never copies a value, never fails: what cannot be read ends the document.

use super::message::{cstring, int32, length};
use crate::time::Nanos;
use crate::value::{Extractor, Value};

/// Types of elements.
pub(super) mod kind {
    pub const DOUBLE: u8 = 0x01;
    pub const STRING: u8 = 0x02;
    pub const DOCUMENT: u8 = 0x03;
    pub const ARRAY: u8 = 0x04;
    pub const BINARY: u8 = 0x05;
    pub const UNDEFINED: u8 = 0x06;
    pub const OBJECT_ID: u8 = 0x07;
    pub const BOOLEAN: u8 = 0x08;
    pub const DATE: u8 = 0x09;
    pub const NULL: u8 = 0x0a;
    pub const REGEX: u8 = 0x0b;
    pub const DB_POINTER: u8 = 0x0c;
    pub const CODE: u8 = 0x0d;
    pub const SYMBOL: u8 = 0x0e;
    pub const CODE_WITH_SCOPE: u8 = 0x0f;
    pub const INT32: u8 = 0x10;
    pub const TIMESTAMP: u8 = 0x11;
    pub const INT64: u8 = 0x12;
    pub const DECIMAL128: u8 = 0x13;
    pub const MAX_KEY: u8 = 0x7f;
    pub const MIN_KEY: u8 = 0xff;
}

/// How long a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Known(usize),
    /// More bytes are needed to tell.
    More,
    /// It is no value.
    Bad,
}

/// Length of the value of this type that begins with these bytes.
pub(super) fn value_bytes(kind: u8, bytes: &[u8]) -> Length {
    let counted = |more: usize, least: usize| match int32(bytes, 0) {
        None => Length::More,
        Some(len) => match usize::try_from(len) {
            Ok(len) if len >= least => Length::Known(len.saturating_add(more)),
            _ => Length::Bad,
        },
    };
    match kind {
        kind::UNDEFINED | kind::NULL | kind::MAX_KEY | kind::MIN_KEY => Length::Known(0),
        kind::BOOLEAN => Length::Known(1),
        kind::INT32 => Length::Known(4),
        kind::DOUBLE | kind::DATE | kind::TIMESTAMP | kind::INT64 => Length::Known(8),
        kind::OBJECT_ID => Length::Known(12),
        kind::DECIMAL128 => Length::Known(16),
        kind::STRING | kind::CODE | kind::SYMBOL => counted(4, 1),
        kind::BINARY => counted(5, 0),
        kind::DB_POINTER => counted(16, 1),
        kind::DOCUMENT | kind::ARRAY => counted(0, 5),
        kind::CODE_WITH_SCOPE => counted(0, 14),
        kind::REGEX => match cstring(bytes).and_then(|(_, rest)| cstring(rest)) {
            Some((_, rest)) => Length::Known(bytes.len() - rest.len()),
            None => Length::More,
        },
        _ => Length::Bad,
    }
}

/// One element of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub kind: u8,
    pub name: &'a [u8],
    /// The value's bytes, or their beginning.
    pub value: &'a [u8],
    /// `value` lacks its end.
    pub cut: bool,
}

/// Walks the elements of a document or an array.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    cut: bool,
    ended: bool,
}

impl<'a> Elements<'a> {
    /// Of the document that begins with these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        let Some(len) = length(bytes, 0) else {
            return Self { rest: &[], cut: true, ended: true };
        };
        let known = bytes.get(..len).unwrap_or(bytes);
        Self { rest: known.get(4..).unwrap_or_default(), cut: known.len() < len, ended: false }
    }

    /// After the last element: the document has more that is not known, or cannot be read.
    pub fn is_cut(&self) -> bool {
        self.cut || !self.ended
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        if self.ended {
            return None;
        }
        let (kind, rest) = self.rest.split_first()?;
        if *kind == 0 {
            // Whatever stands behind the end of a document belongs to nobody.
            self.cut = false;
            self.ended = true;
            return None;
        }
        let (name, rest) = cstring(rest)?;
        let (value, cut) = match value_bytes(*kind, rest) {
            Length::Known(len) => match rest.split_at_checked(len) {
                Some((value, rest)) => {
                    self.rest = rest;
                    return Some(Element { kind: *kind, name, value, cut: false });
                }
                None => (rest, true),
            },
            Length::More => (rest, true),
            Length::Bad => return None,
        };
        self.rest = &[];
        Some(Element { kind: *kind, name, value, cut })
    }
}

impl<'a> Element<'a> {
    /// A string's text, without the zero at its end.
    pub fn text(&self) -> Option<&'a [u8]> {
        if self.cut || self.kind != kind::STRING {
            return None;
        }
        self.value.get(4..self.value.len().checked_sub(1)?)
    }

    /// A number of any type, as a whole one.
    pub fn number(&self) -> Option<i64> {
        if self.cut {
            return None;
        }
        number(self.kind, self.value)
    }

    /// TRUE, or a number that is not zero.
    pub fn is_true(&self) -> bool {
        match self.kind {
            kind::BOOLEAN => self.value == [1],
            _ => self.number().is_some_and(|number| number != 0),
        }
    }

    /// Features of a value that is no document and no array.
    pub fn value(&self, at: Nanos, extractor: &mut Extractor) -> Value {
        if self.cut {
            return Value::UNSEEN;
        }
        self.whole_value(at, extractor).unwrap_or(Value::UNSEEN)
    }

    fn whole_value(&self, at: Nanos, extractor: &mut Extractor) -> Option<Value> {
        let bytes = self.value;
        let eight = || bytes.first_chunk::<8>().map(|bytes| i64::from_le_bytes(*bytes));
        Some(match self.kind {
            kind::DOUBLE => extractor.decimal(f64::from_le_bytes(*bytes.first_chunk()?)),
            kind::STRING => extractor.text(self.text()?, at),
            kind::BINARY => match (bytes.get(4)?, bytes.get(5..)?) {
                // Subtype 3 is the old one for UUIDs.
                (3 | 4, uuid) if uuid.len() == 16 => extractor.uuid(*uuid.first_chunk()?),
                (_, bytes) => extractor.bytes(bytes),
            },
            kind::OBJECT_ID => extractor.bytes(bytes),
            kind::BOOLEAN => extractor.boolean(bytes == [1]),
            kind::DATE => extractor.time(eight()?.saturating_mul(1000), at),
            kind::NULL | kind::UNDEFINED => Value::NULL,
            kind::REGEX => extractor.text_only(cstring(bytes)?.0),
            kind::CODE | kind::SYMBOL => extractor.text_only(bytes.get(4..bytes.len().checked_sub(1)?)?),
            kind::INT32 => extractor.integer(i64::from(int32(bytes, 0)?)),
            kind::INT64 => extractor.integer(eight()?),
            // Seconds from 1970 in the upper half, a counter in the lower one.
            kind::TIMESTAMP => extractor.time((eight()? >> 32 & 0xffff_ffff).saturating_mul(1_000_000), at),
            kind::DECIMAL128 => decimal128(bytes, extractor)?,
            _ => return None,
        })
    }
}

/// A number of any type but decimal, as a whole one.
pub(super) fn number(kind: u8, bytes: &[u8]) -> Option<i64> {
    match kind {
        kind::INT32 => int32(bytes, 0).map(i64::from),
        kind::INT64 => bytes.first_chunk().map(|bytes| i64::from_le_bytes(*bytes)),
        kind::DOUBLE => {
            let number = f64::from_le_bytes(*bytes.first_chunk()?);
            #[expect(clippy::cast_possible_truncation, reason = "float to integer saturates")]
            Some(number as i64)
        }
        _ => None,
    }
}

/// IEEE 754 decimal128, binary integer significand. None: no number, or one with more digits than 64 bits hold.
fn decimal128(bytes: &[u8], extractor: &mut Extractor) -> Option<Value> {
    let bits = u128::from_le_bytes(*bytes.first_chunk()?);
    let negative = bits >> 127 == 1;
    // Infinity, not-a-number, and significands that are zero by definition.
    if bits >> 125 & 3 == 3 {
        return None;
    }
    let exponent = i32::try_from(bits >> 113 & 0x3fff).ok()? - 6176;
    let significand = u64::try_from(bits & ((1 << 113) - 1)).ok()?;
    Some(extractor.scaled(negative, significand, exponent))
}
