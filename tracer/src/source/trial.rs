//! What came of trying a backend, as data.

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// Loaded, attached, and saw dbtap's own message.
    Works,
    /// The kernel refuses it, for this reason.
    Refused(String),
    /// It could not be tried to the end, for this reason, which every backend shares.
    Unknown(String),
}
