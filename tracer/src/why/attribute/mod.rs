//! What is tried: every attribute, with a code for each request.
//!
//! A code is a small number, a hash, or the code of a [`Size`](crate::value::Size). `None`: the attribute does not
//! apply to the request, or is not known; it then meets no condition. Codes never depend on whether the request was
//! slow: the statistics rest on that.

mod request;
mod value;

pub use request::{error_from_code, idle_micros};

use super::{Attribute, Feature, Row, Subject};

/// Which conditions an attribute can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A set of at most so many codes.
    Set(u32),
    /// A range of codes.
    Range,
    /// A range of codes that are points in time.
    Window,
}

/// The code of a row.
pub type Code = fn(&Row<'_>, Attribute) -> Option<i64>;

/// One attribute to try.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// Which.
    pub attribute: Attribute,
    /// Which conditions it can have.
    pub shape: Shape,
    /// Gives the code of a row.
    pub code: Code,
}

/// Values at positions from this one on are not tried: what a statement with thousands of them costs must stay bounded.
pub const MAX_POSITIONS: u16 = 32;

/// Everything that is tried for a statement with so many value positions, in a fixed order.
pub fn all(positions: u16) -> Vec<Tried> {
    let of_values = (0..positions.min(MAX_POSITIONS)).flat_map(|n| {
        value::FEATURES.iter().map(move |(feature, shape)| {
            let attribute = Attribute { subject: Subject::Value(n), feature: *feature };
            Tried { attribute, shape: *shape, code: value::code }
        })
    });
    let of_request = request::ATTRIBUTES.iter().map(|(subject, feature, shape)| {
        let attribute = Attribute { subject: *subject, feature: *feature };
        Tried { attribute, shape: *shape, code: request::code }
    });
    of_values.chain(of_request).collect()
}

/// Orders attributes from plain to intricate: of two that say nearly the same, the plainer one is shown.
pub fn plainness(attribute: Attribute) -> u32 {
    match attribute.feature {
        Feature::IsNull => 0,
        Feature::Boolean => 1,
        Feature::IsZero => 2,
        Feature::Sign => 3,
        Feature::IsEmpty => 4,
        Feature::Kind => 5,
        Feature::Parity => 6,
        Feature::LastDigit => 7,
        Feature::Remainder(divisor) => 8 + u32::from(divisor),
        Feature::HasNonAscii => 300,
        Feature::FirstCharacter => 301,
        Feature::UuidVersion => 302,
        Feature::Elements => 303,
        Feature::Magnitude => 304,
        Feature::Length => 305,
        Feature::DistanceFromNow => 306,
        Feature::FirstOnConnection => 307,
        Feature::Identity => match attribute.subject {
            Subject::Server => 308,
            Subject::Database => 309,
            Subject::Process => 310,
            Subject::Connection => 313,
            _ => 314,
        },
        Feature::OpenedBefore => 311,
        Feature::Status => 312,
        Feature::Position => 315,
        Feature::Previous => 316,
        Feature::IdleBefore => 317,
        Feature::InFlight => 318,
        Feature::Window => 319,
        Feature::Bytes => 320,
        Feature::Error => 321,
        Feature::Rows => 322,
        Feature::Prefix(index) => 323 + u32::from(index),
        Feature::ValueHash => 600,
    }
}
