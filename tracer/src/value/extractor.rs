//! Makes a [`Value`] of a value, and forgets the value.

use std::hash::{BuildHasher, RandomState};

use super::features::{Features, Packed};
use super::keyed::Key;
use super::literal::{self, Literal};
use super::number::{self, Number};
use super::shown::{self, Shown};
use super::text::{self, Form};
use super::words::{first_word, scan};
use super::{Kind, PREFIX_BYTES, RESIDUE, Size, Value, moment, uuid};
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
///
/// Cost matters here, five values of a request in 60 ns: the frequent methods are always inlined, because a [`Value`] that
/// a call returns goes through memory on its way to the place where it is kept.
#[derive(Debug)]
pub struct Extractor {
    settings: Settings,
    key: Key,
    shown_key: RandomState,
    shown: Option<Box<Shown>>,
    scratch: Vec<u8>,
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Extractor {
    /// With a new random key.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            key: Key::new(),
            shown_key: RandomState::new(),
            shown: settings.show_values.then(Box::default),
            scratch: Vec::new(),
        }
    }

    /// A whole number.
    #[inline(always)]
    pub fn integer(&mut self, number: i64) -> Value {
        let hash = self.key.word(Kind::Integer, number.cast_unsigned());
        self.keep(hash, || number.to_string());
        #[expect(clippy::cast_possible_truncation, reason = "a remainder by a number of 16 bits")]
        let residue = (number.unsigned_abs() % u64::from(RESIDUE)) as u16;
        let size = Size::of_i64(number);
        Value::new(hash, Features { kind: Kind::Integer, size, residue, ..Features::UNSEEN })
    }

    /// A number of any type, as a double. A whole one under 2^63 is a whole number, since it is equal to one. Numbers with
    /// a fraction that the nearest double cannot tell apart are one value.
    #[inline]
    pub fn decimal(&mut self, number: f64) -> Value {
        self.number(Number::of_f64(number))
    }

    #[inline]
    pub(super) fn number(&mut self, number: Number) -> Value {
        match number {
            Number::Whole(number) => self.integer(number),
            Number::Fraction(number) => self.fraction(number),
        }
    }

    #[inline]
    fn fraction(&mut self, number: f64) -> Value {
        let (hash, features) = self.fraction_parts(number);
        Value { hash, prefixes: 0, features }
    }

    /// Two words come back in registers.
    #[inline(never)]
    fn fraction_parts(&mut self, number: f64) -> (u64, Packed) {
        // One pattern for everything that is no number.
        let bits = if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() };
        let hash = self.key.word(Kind::Decimal, bits);
        self.keep(hash, || number.to_string());
        let size = Size::of_f64(number);
        (hash, Features { kind: Kind::Decimal, size, ..Features::UNSEEN }.pack())
    }

    /// `mantissa` times ten to the `exponent`: equal to the same number from a text.
    pub fn scaled(&mut self, negative: bool, mantissa: u64, exponent: i32) -> Value {
        self.number(Number::of_parts(negative, mantissa, exponent))
    }

    /// A number of a type that is known to be one, as text in any form of it, also `NaN` and `Infinity`; text where it
    /// is none.
    #[inline(always)]
    pub fn number_text(&mut self, text: &[u8]) -> Value {
        if let Some(number) = number::whole(text) {
            return self.integer(number);
        }
        match number::typed(text) {
            Some(number) => self.number(number),
            None => self.text_only(text),
        }
    }

    /// A number in single precision: what its shortest decimal form says, so that it is equal to its text.
    pub fn decimal_of_single(&mut self, number: f32) -> Value {
        self.number(Number::of_f32(number))
    }

    /// TRUE or FALSE.
    #[inline]
    pub fn boolean(&mut self, truth: bool) -> Value {
        let hash = self.key.word(Kind::Boolean, u64::from(truth));
        self.keep(hash, || truth.to_string());
        Value::new(hash, Features { kind: Kind::Boolean, detail: u8::from(truth), ..Features::UNSEEN })
    }

    /// Text of a type that is text, or of an unknown type. It becomes what it can be read as, because programs pass
    /// numbers as text:
    /// - a whole number as programs print it; with leading zeros (a zip code) or a plus sign (a telephone number) it
    ///   stays text;
    /// - a number with a fraction, a UUID, an ISO date or point in time.
    #[inline(always)]
    pub fn text(&mut self, text: &[u8], at: Nanos) -> Value {
        match text::sniff(text) {
            Form::Text => self.text_only(text),
            Form::Number(number) => self.number(number),
            Form::Uuid(uuid) => self.uuid_number(uuid),
            Form::Time(micros) => self.time(micros, at),
        }
    }

    /// Text that stays text, whatever it looks like.
    #[inline(always)]
    pub fn text_only(&mut self, text: &[u8]) -> Value {
        let (non_ascii, maybe_password) = scan(text);
        if maybe_password && text::names_a_password(text) {
            return Value::UNSEEN;
        }
        let hash = self.key.bytes(Kind::Text, text);
        self.keep(hash, || shown::text(text));
        let class = text.first().map_or(0, |first| text::first_class(*first));
        let detail = class | u8::from(non_ascii) << 3;
        let size = length(text);
        let value = Value::new(hash, Features { kind: Kind::Text, detail, size, ..Features::UNSEEN });
        Value { prefixes: self.key.prefixes(first_word(text)), ..value }
    }

    /// Text of so many bytes of which only the beginning was looked at: two that begin alike and are equally long are equal.
    pub fn text_beginning(&mut self, beginning: &[u8], bytes: u64) -> Value {
        let (non_ascii, maybe_password) = scan(beginning);
        if maybe_password && text::names_a_password(beginning) {
            return Value::UNSEEN;
        }
        let of_beginning = self.key.bytes(Kind::Text, beginning);
        let hash = self.key.words(Kind::Text, u128::from(of_beginning) | u128::from(bytes) << 64);
        self.keep(hash, || format!("{}…", shown::text(beginning)));
        let class = beginning.first().map_or(0, |first| text::first_class(*first));
        let detail = class | u8::from(non_ascii) << 3;
        let features = Features { kind: Kind::Text, detail, size: Size::of_u64(bytes), ..Features::UNSEEN };
        Value { prefixes: self.key.prefixes(first_word(beginning)), ..Value::new(hash, features) }
    }

    /// Bytes that are no text.
    pub fn bytes(&mut self, bytes: &[u8]) -> Value {
        if text::names_a_password(bytes) {
            return Value::UNSEEN;
        }
        let hash = self.key.bytes(Kind::Bytes, bytes);
        self.keep(hash, || shown::bytes(bytes));
        let size = length(bytes);
        Value::new(hash, Features { kind: Kind::Bytes, size, ..Features::UNSEEN })
    }

    /// A UUID.
    #[inline]
    pub fn uuid(&mut self, uuid: [u8; 16]) -> Value {
        self.uuid_number(u128::from_be_bytes(uuid))
    }

    #[inline]
    fn uuid_number(&mut self, uuid: u128) -> Value {
        let hash = self.key.words(Kind::Uuid, uuid);
        self.keep(hash, || shown::uuid(uuid));
        let [.., version, _, _, _, _, _, _, _, _, _] = uuid.to_be_bytes();
        Value::new(hash, Features { kind: Kind::Uuid, detail: version >> 4, ..Features::UNSEEN })
    }

    /// A date or a point in time, in microseconds from 1970-01-01 UTC ([`super::INFINITY`], [`super::NEGATIVE_INFINITY`]
    /// are what they say), passed at `at`. A time without a zone is taken as UTC.
    #[inline]
    pub fn time(&mut self, micros: i64, at: Nanos) -> Value {
        let hash = self.key.word(Kind::Time, micros.cast_unsigned());
        self.keep(hash, || moment::shown(micros));
        let now = self.settings.epoch_micros.saturating_add_unsigned(at.0 / 1000);
        let step = Size::of_u64(u64::from(moment::step(micros.abs_diff(now))));
        let size = if micros < now { step.negated() } else { step };
        Value::new(hash, Features { kind: Kind::Time, size, ..Features::UNSEEN })
    }

    /// Bytes of a type that is bytes, as text: `\x` and hexadecimal digits, or characters with `\ooo` and `\\`.
    pub fn bytes_text(&mut self, text: &[u8]) -> Value {
        let mut scratch = std::mem::take(&mut self.scratch);
        literal::bytes(text, &mut scratch);
        let value = self.bytes(&scratch);
        self.put_back(scratch);
        value
    }

    /// A UUID of a type that is UUID, as text: digits with dashes anywhere, also in braces; text where it is none.
    pub fn uuid_text(&mut self, text: &[u8]) -> Value {
        match uuid::parse(text).or_else(|| uuid::parse_any(text)) {
            Some(uuid) => self.uuid_number(uuid),
            None => self.text_only(text),
        }
    }

    /// An array of so many elements, with its bytes. Its hash is of these: an array in another form has another one.
    pub fn array(&mut self, elements: usize, bytes: &[u8]) -> Value {
        if text::names_a_password(bytes) {
            return Value::UNSEEN;
        }
        let hash = self.key.bytes(Kind::List, bytes);
        let elements = u16::try_from(elements).unwrap_or(u16::MAX);
        self.keep(hash, || match bytes {
            [b'{' | b'[', ..] => shown::text(bytes),
            _ => format!("({elements} elements)"),
        });
        Value::new(hash, Features { kind: Kind::List, elements, ..Features::UNSEEN })
    }

    /// Several values that the statement shows as one item. One value stays what it is.
    pub fn list(&mut self, values: &[Value]) -> Value {
        if let [only] = values {
            return *only;
        }
        let mut hash = 0;
        for value in values {
            let of_value = u128::from(value.hash) | u128::from(value.kind() as u8) << 64;
            hash = self.key.words(Kind::List, of_value ^ u128::from(hash) << 64);
        }
        let elements = u16::try_from(values.len()).unwrap_or(u16::MAX);
        if let Some(mut table) = self.shown.take() {
            let text = list_text(&table, values);
            table.keep(hash, || text);
            self.shown = Some(table);
        }
        Value::new(hash, Features { kind: Kind::List, elements, ..Features::UNSEEN })
    }

    /// A literal of a statement as it stands there: a number, a string in any of PostgreSQL's forms, TRUE, FALSE or
    /// NULL. `negative`: a minus sign stands before it. A string whose end is missing is [`Value::UNSEEN`]; that a
    /// number was cut cannot be seen here. `U&'...'` is read with the backslash as its escape character.
    pub fn literal(&mut self, literal: &[u8], negative: bool, at: Nanos) -> Value {
        let mut scratch = std::mem::take(&mut self.scratch);
        let value = self.of_literal(literal::read(literal, &mut scratch), negative, at);
        self.put_back(scratch);
        value
    }

    /// As [`Extractor::literal`], with the forms of MySQL and MariaDB. `escapes`: a backslash in a string is an escape, as
    /// without `NO_BACKSLASH_ESCAPES` in `sql_mode`. Hexadecimal and bit constants are bytes, however they are used.
    pub fn mysql_literal(&mut self, literal: &[u8], escapes: bool, negative: bool, at: Nanos) -> Value {
        let mut scratch = std::mem::take(&mut self.scratch);
        let value = self.of_literal(literal::mysql::read(literal, escapes, &mut scratch), negative, at);
        self.put_back(scratch);
        value
    }

    #[inline]
    fn of_literal(&mut self, literal: Literal<'_>, negative: bool, at: Nanos) -> Value {
        match literal {
            Literal::Text(text) => self.text(text, at),
            Literal::Bits(bytes) | Literal::Bytes(bytes) => self.bytes(bytes),
            Literal::Cut => Value::UNSEEN,
            Literal::Bare(word) => self.bare(word, negative),
        }
    }

    fn put_back(&mut self, mut scratch: Vec<u8>) {
        // No part of a value stays behind in it.
        scratch.fill(0);
        scratch.clear();
        scratch.shrink_to(MAX_SCRATCH);
        self.scratch = scratch;
    }

    fn bare(&mut self, word: &[u8], negative: bool) -> Value {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        if is(b"null") {
            return Value::NULL;
        }
        if is(b"true") || is(b"false") {
            return self.boolean(is(b"true"));
        }
        match number::constant(word, negative) {
            Some(number) => self.number(number),
            None => Value::UNSEEN,
        }
    }

    /// The hash that a report may show: under a second key, so that nothing can be computed from it.
    pub fn shown_hash(&self, hash: u64) -> u64 {
        self.shown_key.hash_one(hash)
    }

    /// With `--show-values`: the value with this hash is kept no longer.
    pub fn forget(&mut self, hash: u64) {
        if let Some(shown) = &mut self.shown {
            shown.forget(hash);
        }
    }

    /// A value that is kept to be shown holds this text.
    #[cfg(test)]
    pub(crate) fn keeps(&self, text: &str) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.holds(text))
    }

    /// `--show-values` was given.
    pub fn shows_values(&self) -> bool {
        self.shown.is_some()
    }

    /// With `--show-values`: the value with this hash, at most 64 bytes of it and `…`, as far as it was kept. Raw:
    /// outputs make it safe for a terminal.
    pub fn shown(&self, hash: u64) -> Option<&str> {
        self.shown.as_ref()?.get(hash)
    }

    /// With `--show-values`: the first [`PREFIX_BYTES`]`[index]` bytes that have this hash of [`Value::prefix`], of a value
    /// that was kept. Raw.
    pub fn shown_prefix(&self, index: usize, hash: u16) -> Option<&str> {
        let bytes = *PREFIX_BYTES.get(index)?;
        self.shown.as_ref()?.texts().find_map(|text| {
            let hashes = self.key.prefixes(first_word(text.as_bytes())).to_le_bytes();
            let own = u16::from_le_bytes(*hashes.as_chunks::<2>().0.get(index)?);
            (text.len() >= bytes && own == hash)
                .then(|| text.get(..text.floor_char_boundary(bytes)))
                .flatten()
        })
    }

    /// With `--show-values`: how often a value was not kept because the table of 65,536 values was full.
    pub fn shown_left_out(&self) -> u64 {
        self.shown.as_ref().map_or(0, |table| table.left_out())
    }

    #[inline]
    fn keep(&mut self, hash: u64, text: impl FnOnce() -> String) {
        if let Some(table) = &mut self.shown {
            table.keep(hash, text);
        }
    }
}

/// Bytes that the buffer for unescaped strings keeps between two literals.
const MAX_SCRATCH: usize = 4096;

#[inline]
fn length(bytes: &[u8]) -> Size {
    Size::of_u64(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

/// `(1, 2, ?)`, as far as anyone will read it.
fn list_text(table: &Shown, values: &[Value]) -> String {
    let shown = |value: &Value| match (value.kind(), value.hash()) {
        (Kind::Null, _) => "NULL",
        (_, hash) => hash.and_then(|hash| table.get(hash)).unwrap_or("?"),
    };
    let texts: Vec<&str> = values.iter().take(64).map(shown).collect();
    format!("({})", texts.join(", "))
}
