//! The statements of the payments service: text, parameter types, columns. Shared by server and application.
//!
//! Only texts and types; who runs them and how long they take is said elsewhere.

/// Looks up the payments of one user. Slow for some users, see [`super::is_slow_user`].
pub const LOOKUP: &str = "SELECT id, status, amount FROM payments WHERE user_id = $1";
/// Files a payment request. A repeated key is a `unique_violation` (SQLSTATE 23505).
pub const FILE_REQUEST: &str =
    "INSERT INTO payment_requests (request_key, user_id, amount) VALUES ($1, $2, $3)";
/// Marks a payment request as accepted.
pub const ACCEPT_REQUEST: &str = "UPDATE payment_requests SET status = 'accepted' WHERE request_key = $1";
/// Health check of the pool, sent as a simple query.
pub const HEALTH: &str = "SELECT 1";
/// Opens a transaction.
pub const BEGIN: &str = "BEGIN";
/// Ends a transaction.
pub const COMMIT: &str = "COMMIT";
/// Gives a transaction up.
pub const ROLLBACK: &str = "ROLLBACK";

/// What the embedded server can be asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// [`LOOKUP`]; the user id stands in the text where the client did not make it a parameter.
    Lookup(Option<i64>),
    /// [`FILE_REQUEST`]
    FileRequest,
    /// [`ACCEPT_REQUEST`]
    AcceptRequest,
    /// [`HEALTH`]
    Health,
    /// [`BEGIN`]
    Begin,
    /// [`COMMIT`]
    Commit,
    /// [`ROLLBACK`]
    Rollback,
}

impl Kind {
    /// Recognises a statement by its text; `None` for any other text.
    ///
    /// White space around it and a closing semicolon do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches(';').trim_end();
        if let Some(literal) = text.strip_prefix(LOOKUP.trim_end_matches("$1")) {
            return match literal {
                "$1" => Some(Self::Lookup(None)),
                digits => digits.parse().ok().map(|user_id| Self::Lookup(Some(user_id))),
            };
        }
        match text {
            FILE_REQUEST => Some(Self::FileRequest),
            ACCEPT_REQUEST => Some(Self::AcceptRequest),
            HEALTH => Some(Self::Health),
            BEGIN => Some(Self::Begin),
            COMMIT => Some(Self::Commit),
            ROLLBACK => Some(Self::Rollback),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_knows_the_canned_statements_and_no_others() {
        let check = |text: &str, expected: Option<Kind>| assert_eq!(Kind::parse(text), expected, "{text}");
        check(LOOKUP, Some(Kind::Lookup(None)));
        check(
            " SELECT id, status, amount FROM payments WHERE user_id = 4213 ;\n",
            Some(Kind::Lookup(Some(4213))),
        );
        check("SELECT id, status, amount FROM payments WHERE user_id = 'x'", None);
        check(FILE_REQUEST, Some(Kind::FileRequest));
        check(ACCEPT_REQUEST, Some(Kind::AcceptRequest));
        check("SELECT 1;", Some(Kind::Health));
        check("BEGIN", Some(Kind::Begin));
        check("COMMIT;", Some(Kind::Commit));
        check("ROLLBACK", Some(Kind::Rollback));
        check("DROP TABLE payments", None);
    }
}
