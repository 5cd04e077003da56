//! What could not be compared, and may be what differs.

use crate::report::units::{count, plural};

/// A reason why something of a statement's requests stayed unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// It was prepared before the capture: its literals and the types of its parameters are not known.
    PreparedBefore,
    /// Its text was cut, so literals behind the cut are not known.
    TextCut,
    /// Values of so many of the compared requests were not captured whole, or are of a type that is not read.
    Values {
        /// Requests with such a value.
        requests: u64,
        /// Requests that were compared.
        compared: u64,
    },
    /// Its text has a word like PASSWORD: its values are not looked at.
    Guarded,
    /// So many connections of the targets are encrypted: requests there are not compared.
    Encrypted(u64),
    /// So many requests were lost.
    Lost(u64),
}

impl Unseen {
    /// For people.
    pub(super) fn sentence(&self) -> String {
        match *self {
            Self::PreparedBefore => {
                "It was prepared before the capture: its text and its literals are not known.".to_owned()
            }
            Self::TextCut => "Its text was cut: literals behind the cut are not known.".to_owned(),
            Self::Values { requests, compared } => format!(
                "Values of {} of the {} compared executions were cut, or of a type that is not read.",
                count(requests),
                count(compared)
            ),
            Self::Guarded => "Its text speaks of a password: its values are not looked at.".to_owned(),
            Self::Encrypted(n) => format!("{} encrypted: what ran there is not known.", are(n, "connection")),
            Self::Lost(n) => format!("{} lost.", are(n, "request")),
        }
    }
}

/// `1 request is`, `2 requests are`.
fn are(n: u64, name: &str) -> String {
    format!("{} {}", plural(n, name), if n == 1 { "is" } else { "are" })
}
