//! Names of error codes, so that nobody has to look them up at night.

mod mysql;
mod sqlstate;

use crate::request::ErrorCode;

/// The name of an error code of a protocol, where a code alone does not say it.
pub(super) fn name(protocol: &str, code: &str) -> Option<&'static str> {
    match protocol {
        _ if code == ErrorCode::CONNECTION_CLOSED => Some("connection closed before the answer"),
        "postgresql" => sqlstate::name(code),
        "mysql" => mysql::name(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn each_protocol_has_its_own_codes() {
        for (protocol, code, expected) in [
            ("postgresql", "57014", Some("query_canceled")),
            ("mysql", "1062/23000", Some("ER_DUP_ENTRY")),
            ("mysql", "57014", None),
            ("redis", "57014", None),
            ("redis", "closed", Some("connection closed before the answer")),
        ] {
            assert_eq!(name(protocol, code), expected, "{protocol} {code}");
        }
    }
}
