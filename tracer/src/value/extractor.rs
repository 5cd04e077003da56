//! Makes a [`Value`] of a value, and forgets the value.

use std::hash::{BuildHasher, RandomState};

use super::{Kind, Size, Value};
use crate::time::Nanos;

/// What an extractor is told at its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Microseconds from 1970-01-01 UTC to [`Nanos`] zero, so that points in time can be put beside a request's start.
    pub epoch_micros: i64,
    /// `--show-values`: keep the values themselves beside their hashes.
    pub show_values: bool,
}

/// Makes features and hashes under a key of its own.
#[derive(Debug)]
pub struct Extractor {
    settings: Settings,
    key: RandomState,
    shown_key: RandomState,
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Extractor {
    /// With a new random key.
    pub fn new(settings: Settings) -> Self {
        Self { settings, key: RandomState::new(), shown_key: RandomState::new() }
    }

    /// A whole number.
    pub fn integer(&mut self, number: i64) -> Value {
        Value {
            hash: self.key.hash_one(number),
            size: Size::of_i64(number),
            kind: Kind::Integer,
            ..Value::UNSEEN
        }
    }

    /// A number with a fraction.
    pub fn decimal(&mut self, number: f64) -> Value {
        Value {
            hash: self.key.hash_one(number.to_bits()),
            size: Size::of_f64(number),
            kind: Kind::Decimal,
            ..Value::UNSEEN
        }
    }

    /// TRUE or FALSE.
    pub fn boolean(&mut self, truth: bool) -> Value {
        Value {
            hash: self.key.hash_one(truth),
            kind: Kind::Boolean,
            detail: u8::from(truth),
            ..Value::UNSEEN
        }
    }

    /// Text of a type that is text: a number in it stays text only where it cannot be read as a number, because
    /// programs pass numbers as text.
    pub fn text(&mut self, text: &[u8], at: Nanos) -> Value {
        let _ = at;
        Value { hash: self.key.hash_one(text), kind: Kind::Text, ..Value::UNSEEN }
    }

    /// Bytes that are no text.
    pub fn bytes(&mut self, bytes: &[u8]) -> Value {
        Value { hash: self.key.hash_one(bytes), kind: Kind::Bytes, ..Value::UNSEEN }
    }

    /// A UUID.
    pub fn uuid(&mut self, uuid: [u8; 16]) -> Value {
        Value { hash: self.key.hash_one(uuid), kind: Kind::Uuid, detail: uuid[6] >> 4, ..Value::UNSEEN }
    }

    /// A date or a point in time, in microseconds from 1970-01-01 UTC, passed at `at`.
    pub fn time(&mut self, micros: i64, at: Nanos) -> Value {
        let _ = (at, self.settings.epoch_micros);
        Value { hash: self.key.hash_one(micros), kind: Kind::Time, ..Value::UNSEEN }
    }

    /// An array of so many elements, with its bytes.
    pub fn array(&mut self, elements: usize, bytes: &[u8]) -> Value {
        let elements = u16::try_from(elements).unwrap_or(u16::MAX);
        Value { hash: self.key.hash_one(bytes), kind: Kind::List, elements, ..Value::UNSEEN }
    }

    /// Several values that the statement shows as one item. One value stays what it is.
    pub fn list(&mut self, values: &[Value]) -> Value {
        match values {
            [only] => *only,
            _ => {
                let elements = u16::try_from(values.len()).unwrap_or(u16::MAX);
                let mut hash = 0;
                for value in values {
                    hash = self.key.hash_one((hash, value.hash));
                }
                Value { hash, kind: Kind::List, elements, ..Value::UNSEEN }
            }
        }
    }

    /// A literal of a statement as it stands there: a number, `'...'` in any form, TRUE, FALSE or NULL. `negative`: a
    /// minus sign stands before it.
    pub fn literal(&mut self, literal: &[u8], negative: bool, at: Nanos) -> Value {
        let _ = negative;
        self.text(literal, at)
    }

    /// The hash that a report may show: under a second key, so that nothing can be computed from it.
    pub fn shown_hash(&self, hash: u64) -> u64 {
        self.shown_key.hash_one(hash)
    }

    /// With `--show-values`: the value with this hash, as far as it was kept. Raw: outputs make it safe for a terminal.
    pub fn shown(&self, hash: u64) -> Option<&str> {
        let _ = hash;
        None
    }
}
