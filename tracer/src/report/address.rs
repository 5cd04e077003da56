//! Addresses as the report writes them.

use crate::event::Address;

/// `10.0.0.1:5432`, `[::1]:5432`, the path of a Unix socket, `@name` for an abstract one (as `ss` writes it), empty
/// for an unnamed one. Raw but for bytes that are not UTF-8: outputs make it safe for a terminal.
pub fn text(address: &Address) -> String {
    match address {
        Address::Inet(inet) => inet.to_string(),
        Address::Unix(path) => match path.split_first() {
            Some((0, name)) => format!("@{}", String::from_utf8_lossy(name)),
            _ => String::from_utf8_lossy(path).into_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_its_form() {
        let inet = |s: &str| Address::Inet(s.parse().unwrap());
        let unix = |path: &[u8]| Address::Unix(path.to_vec());
        for (address, expected) in [
            (inet("10.0.0.1:5432"), "10.0.0.1:5432"),
            (inet("[::1]:5432"), "[::1]:5432"),
            (unix(b"/run/postgresql/.s.PGSQL.5432"), "/run/postgresql/.s.PGSQL.5432"),
            (unix(b"\0pool"), "@pool"),
            (unix(b"/tmp/\xff"), "/tmp/\u{fffd}"),
            (unix(b""), ""),
        ] {
            assert_eq!(text(&address), expected);
        }
    }
}
