//! What is kept of a literal or a bind value: coarse features and a keyed hash, made at the moment of parsing.
//!
//! Never keeps a value: of a number its sign, remainders by small numbers and its size within 1 %; of a text its
//! length, the class of its first character and hashes of short beginnings. The only exception is the table of
//! [`Extractor`] that `--show-values` asks for. A value that may be a password becomes [`Value::UNSEEN`].

mod extractor;
mod features;
mod keyed;
mod literal;
mod moment;
mod number;
mod shown;
mod size;
#[cfg(test)]
mod tests;
mod text;
mod uuid;
mod words;

use features::{Features, Packed};

pub use extractor::{Extractor, Settings};
pub use moment::{INFINITY, NEGATIVE_INFINITY, STEPS_SECONDS};
pub use size::Size;

/// What sort of value it is, as far as its type or its form tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Not captured, cut, of a type that is not read, or maybe a password: nothing is known.
    #[default]
    Unseen,
    /// NULL.
    Null,
    /// A whole number, also one that came as text, or with a fraction of zeros.
    Integer,
    /// A number with a fraction, or too large for 64 bits; infinity, not-a-number.
    Decimal,
    /// Anything else that is text.
    Text,
    /// TRUE or FALSE.
    Boolean,
    /// A UUID, also one that came as text.
    Uuid,
    /// A date or a point in time, also one that came as text.
    Time,
    /// Bytes.
    Bytes,
    /// Several values: an array, or a list of the statement that is shown as one item.
    List,
}

/// The class of a text's first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FirstCharacter {
    /// `0` to `9`.
    Digit,
    /// `a` to `z`.
    LowerCase,
    /// `A` to `Z`.
    UpperCase,
    /// White space.
    Space,
    /// Any other ASCII character.
    Other,
    /// Outside ASCII.
    NonAscii,
}

/// Lengths in bytes of the beginnings whose hashes are kept of a text.
pub const PREFIX_BYTES: [usize; 4] = [1, 2, 4, 8];

/// Remainders of whole numbers are known for every divisor of this: 2 to 10, 12, 14, 15, 16, 18, 20, ...
pub const RESIDUE: u16 = 5040;

/// Features and keyed hash of one value. Equal values of one capture have equal hashes and features, whatever form they
/// came in; only an array's hash depends on its form, and a point in time's size on the moment it was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    hash: u64,
    prefixes: u64,
    features: Packed,
}

impl Default for Value {
    fn default() -> Self {
        Self::UNSEEN
    }
}

impl Value {
    /// Nothing is known of it.
    pub const UNSEEN: Self = Self::new(0, Features::UNSEEN);
    /// NULL.
    pub const NULL: Self = Self::new(0, Features { kind: Kind::Null, ..Features::UNSEEN });

    /// Stands alone in place of all values of a request that is not to be compared with others.
    pub const PASSED_OVER: Self = Self::new(0, Features { elements: 0, ..Features::UNSEEN });

    #[inline]
    const fn new(hash: u64, features: Features) -> Self {
        Self { hash, prefixes: 0, features: features.pack() }
    }

    #[inline]
    fn features(&self) -> Features {
        self.features.unpack()
    }

    /// What sort of value.
    pub fn kind(&self) -> Kind {
        self.features().kind
    }

    /// The keyed hash; `None` for NULL and for what was not seen. Only for comparing within the capture:
    /// [`Extractor::shown_hash`] makes what may be shown.
    pub fn hash(&self) -> Option<u64> {
        (!matches!(self.kind(), Kind::Unseen | Kind::Null)).then_some(self.hash)
    }

    /// How many values stand in its place: the elements of an array or of a list that is shown as one item; 1 for
    /// everything else.
    pub fn elements(&self) -> u16 {
        self.features().elements
    }

    /// A number: the number itself within 1 %. A point in time: seconds from now, the past is negative, one of
    /// [`STEPS_SECONDS`] or 0 ([`Value::seconds_from_now`] has it exactly). Text and bytes: length in bytes; a bit string:
    /// its bits. Otherwise nothing.
    pub fn size(&self) -> Option<Size> {
        matches!(self.kind(), Kind::Integer | Kind::Decimal | Kind::Text | Kind::Time | Kind::Bytes)
            .then_some(self.features().size)
    }

    /// A point in time: seconds from now, the past is negative; 0 or one of [`STEPS_SECONDS`], the next towards zero.
    pub fn seconds_from_now(&self) -> Option<i64> {
        (self.kind() == Kind::Time).then(|| moment::seconds(self.features().size))
    }

    /// Numbers: less than zero.
    pub fn is_negative(&self) -> Option<bool> {
        self.is_number().then_some(self.features().size < Size::ZERO)
    }

    /// Numbers: zero.
    pub fn is_zero(&self) -> Option<bool> {
        self.is_number().then_some(self.features().size == Size::ZERO)
    }

    fn is_number(&self) -> bool {
        matches!(self.kind(), Kind::Integer | Kind::Decimal)
    }

    /// Whole numbers: the magnitude's remainder by a divisor of [`RESIDUE`]; the sign is left out, so that the
    /// remainder by 10 is the last digit.
    pub fn remainder(&self, divisor: u16) -> Option<u16> {
        (self.kind() == Kind::Integer && divisor != 0 && RESIDUE.is_multiple_of(divisor))
            .then(|| self.features().residue % divisor)
    }

    /// Text that is not empty: the class of its first character.
    pub fn first_character(&self) -> Option<FirstCharacter> {
        if self.kind() != Kind::Text || self.features().size == Size::ZERO {
            return None;
        }
        Some(match self.features().detail & 7 {
            0 => FirstCharacter::Digit,
            1 => FirstCharacter::LowerCase,
            2 => FirstCharacter::UpperCase,
            3 => FirstCharacter::Space,
            4 => FirstCharacter::Other,
            _ => FirstCharacter::NonAscii,
        })
    }

    /// Text: any character is outside ASCII.
    pub fn has_non_ascii(&self) -> Option<bool> {
        (self.kind() == Kind::Text).then_some(self.features().detail & 8 != 0)
    }

    /// Text at least this long: a keyed hash of its first [`PREFIX_BYTES`]`[index]` bytes.
    pub fn prefix(&self, index: usize) -> Option<u16> {
        let bytes = u64::try_from(*PREFIX_BYTES.get(index)?).ok()?;
        (self.kind() == Kind::Text && self.features().size >= Size::of_u64(bytes))
            .then(|| self.prefixes.to_le_bytes().as_chunks::<2>().0.get(index).copied())
            .flatten()
            .map(u16::from_le_bytes)
    }

    /// UUID: its version, 0 to 15.
    pub fn uuid_version(&self) -> Option<u8> {
        (self.kind() == Kind::Uuid).then_some(self.features().detail)
    }

    /// TRUE or FALSE.
    pub fn boolean(&self) -> Option<bool> {
        (self.kind() == Kind::Boolean).then_some(self.features().detail != 0)
    }
}
