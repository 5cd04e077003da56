//! Passwords and keys in statements that only MySQL and MariaDB have.
//!
//! `CREATE USER`, `ALTER USER`, `GRANT` and `SET PASSWORD` name an account before the password, or a plug-in, or write
//! several: everything behind their telling words is taken for a password. So is every argument of a function that takes
//! a key or a password (MySQL 8.4 manual, section 14.13 "Encryption and Compression Functions").

use crate::sql::lexer::{Kind, Token};

/// Their arguments are keys, passwords, or what is encrypted.
const FUNCTIONS: [&str; 12] = [
    "aes_decrypt",
    "aes_encrypt",
    "asymmetric_decrypt",
    "asymmetric_encrypt",
    "asymmetric_sign",
    "decode",
    "des_decrypt",
    "des_encrypt",
    "encode",
    "encrypt",
    "old_password",
    "password",
];

/// Reads along.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// All values up to the end of the statement.
    statement: bool,
    /// All values up to the end of this many parentheses.
    parentheses: u32,
    before: Before,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Other,
    /// SET, as in `SET PASSWORD`.
    Set,
    /// One of [`FUNCTIONS`].
    Function,
    /// `CONNECTION` of the FEDERATED engine: a URL with user and password (section 18.8.2.1).
    Connection,
    /// `CONNECTION =`
    ConnectionIs,
}

impl Guard {
    /// Passes the next token that is not blank. True: if it is a value, it may be a password.
    pub(super) fn pass(&mut self, token: &Token<'_>) -> bool {
        let before = std::mem::take(&mut self.before);
        match token.kind {
            Kind::Word => self.word(token, before),
            Kind::Operator if before == Before::Connection => self.before = Before::ConnectionIs,
            Kind::Punct => match token.text {
                b"(" if self.parentheses > 0 || before == Before::Function => {
                    self.parentheses = self.parentheses.saturating_add(1);
                }
                b")" => self.parentheses = self.parentheses.saturating_sub(1),
                b";" => self.statement = false,
                _ => {}
            },
            _ => {}
        }
        self.statement || self.parentheses > 0 || matches!(before, Before::Connection | Before::ConnectionIs)
    }

    fn word(&mut self, token: &Token<'_>, before: Before) {
        let identified = token.is_word("identified") || token.is_word("authentication_string");
        self.statement |= identified || (before == Before::Set && token.is_word("password"));
        self.before = if token.is_word("set") {
            Before::Set
        } else if token.is_word("connection") {
            Before::Connection
        } else if FUNCTIONS.iter().any(|name| token.is_word(name)) {
            Before::Function
        } else {
            Before::Other
        };
    }
}
