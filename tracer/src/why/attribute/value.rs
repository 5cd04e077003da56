//! Attributes of a value, by its position in the statement.

use super::{Attribute, Feature, Row, Shape, Subject};
use crate::value::{FirstCharacter, Kind, Size};

/// A set of hashes is only told when it is short: nobody can read anything from a long one.
const HASHES: Shape = Shape::Set(8);
const ANY: Shape = Shape::Set(15);

/// What is tried for each position. Remainders by 2, 5 and 10 are told by the last digit.
pub(super) const FEATURES: &[(Feature, Shape)] = &[
    (Feature::IsNull, ANY),
    (Feature::Kind, ANY),
    (Feature::Boolean, ANY),
    (Feature::Sign, ANY),
    (Feature::IsZero, ANY),
    (Feature::Parity, ANY),
    (Feature::LastDigit, ANY),
    (Feature::Remainder(3), ANY),
    (Feature::Remainder(4), ANY),
    (Feature::Remainder(6), ANY),
    (Feature::Remainder(7), ANY),
    (Feature::Remainder(8), ANY),
    (Feature::Remainder(9), ANY),
    (Feature::Remainder(12), ANY),
    (Feature::Remainder(16), ANY),
    (Feature::Magnitude, Shape::Range),
    (Feature::IsEmpty, ANY),
    (Feature::Length, Shape::Range),
    (Feature::FirstCharacter, ANY),
    (Feature::HasNonAscii, ANY),
    (Feature::Prefix(0), HASHES),
    (Feature::Prefix(1), HASHES),
    (Feature::Prefix(2), HASHES),
    (Feature::Prefix(3), HASHES),
    (Feature::UuidVersion, ANY),
    (Feature::DistanceFromNow, Shape::Range),
    (Feature::Elements, Shape::Range),
    (Feature::ValueHash, HASHES),
];

/// The code of a value's feature:
/// - `IsNull`, `Boolean`, `IsZero`, `IsEmpty`, `HasNonAscii`: 1 yes, 0 no. `Sign`: 1 negative, 0 not. `Parity`: 1 odd, 0 even;
/// - `Kind`, `FirstCharacter`: the number of the variant, from 0;
/// - `LastDigit`, `Remainder`, `UuidVersion`, `Elements`: the number itself;
/// - `Magnitude`, `Length` in bytes, `DistanceFromNow` in seconds: [`Size::code`];
/// - `Prefix`, `ValueHash`: the bits of the hash.
pub(super) fn code(row: &Row<'_>, attribute: Attribute) -> Option<i64> {
    let Subject::Value(position) = attribute.subject else { return None };
    let value = row.values.get(usize::from(position))?;
    let kind = value.kind();
    let size = value.size();
    let is_long = matches!(kind, Kind::Text | Kind::Bytes);
    let remainder = |by: u8| value.remainder(u16::from(by)).map(i64::from);
    match attribute.feature {
        Feature::IsNull => (kind != Kind::Unseen).then_some(i64::from(kind == Kind::Null)),
        Feature::Kind => (kind != Kind::Unseen).then_some(i64::from(kind as u8)),
        Feature::Boolean => value.boolean().map(i64::from),
        Feature::Sign => value.is_negative().map(i64::from),
        Feature::IsZero => value.is_zero().map(i64::from),
        Feature::Parity => remainder(2),
        Feature::LastDigit => remainder(10),
        Feature::Remainder(divisor) => remainder(divisor),
        Feature::Magnitude => size.filter(|_| value.is_zero().is_some()).map(|size| i64::from(size.code())),
        Feature::IsEmpty => size.filter(|_| is_long).map(|size| i64::from(size == Size::ZERO)),
        Feature::Length => size.filter(|_| is_long).map(|size| i64::from(size.code())),
        Feature::FirstCharacter => value.first_character().map(|class| match class {
            FirstCharacter::Digit => 0,
            FirstCharacter::LowerCase => 1,
            FirstCharacter::UpperCase => 2,
            FirstCharacter::Space => 3,
            FirstCharacter::Other => 4,
            FirstCharacter::NonAscii => 5,
        }),
        Feature::HasNonAscii => value.has_non_ascii().map(i64::from),
        Feature::Prefix(index) => value.prefix(usize::from(index)).map(i64::from),
        Feature::UuidVersion => value.uuid_version().map(i64::from),
        Feature::DistanceFromNow => size.filter(|_| kind == Kind::Time).map(|size| i64::from(size.code())),
        Feature::Elements => {
            (!matches!(kind, Kind::Unseen | Kind::Null)).then(|| i64::from(value.elements()))
        }
        Feature::ValueHash => value.hash().map(u64::cast_signed),
        _ => None,
    }
}
