//! Which values of a statement may be passwords. Nothing is kept of them, not even features.
//!
//! A statement's words tell: `PASSWORD 'x'`, `OPTIONS (password 'x')`, `SET password = 'x'`, `IDENTIFIED BY 'x'`,
//! `CONNECTION 'host=... password=x'`, `crypt('x', ...)`. A password that only its place gives away, as in
//! `INSERT INTO users (name, password) VALUES ('a', 'x')`, is a value like any other. `mysql` has what only MySQL writes.

mod mysql;

use super::dialect::Dialect;
use super::lexer::{Kind, Token};

/// So many operators and values behind a telling word a value still belongs to it. Words and parentheses do not count:
/// `password = encode(digest('x', ...`.
const REACH: u8 = 3;
/// Behind these words another part of the statement begins.
const ENDS: [&str; 12] = [
    "and",
    "or",
    "where",
    "on",
    "values",
    "limit",
    "offset",
    "order",
    "group",
    "having",
    "returning",
    "union",
];

/// Reads along and remembers the last telling word.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    reach: u8,
    /// The token before was a value: a word behind it begins something else.
    behind_value: bool,
    mysql: Option<mysql::Guard>,
}

impl Secrets {
    /// At the beginning of a text.
    pub(super) fn new(dialect: Dialect) -> Self {
        let mysql = (dialect != Dialect::Postgresql).then(mysql::Guard::default);
        Self { mysql, ..Self::default() }
    }

    /// Passes the next token that is not blank. True: if it is a value, it may be a password.
    pub(super) fn pass(&mut self, token: &Token<'_>) -> bool {
        let near = self.reach > 0;
        self.reach = match token.kind {
            // `CONNECTION LIMIT 5` is none.
            Kind::Word if token.is_word("connection") => 1,
            Kind::Word | Kind::Quoted if tells(token.text) => REACH,
            Kind::Punct if matches!(token.text, b"," | b";") => 0,
            Kind::Punct if matches!(token.text, b"(" | b")") => self.reach,
            Kind::Word if self.reach > 0 && ENDS.iter().any(|word| token.is_word(word)) => 0,
            Kind::Word | Kind::Quoted if self.behind_value => 0,
            Kind::Word | Kind::Quoted => self.reach,
            _ => self.reach.saturating_sub(1),
        };
        self.behind_value = matches!(token.kind, Kind::String { .. } | Kind::Number | Kind::Param);
        let guarded = self.mysql.as_mut().is_some_and(|guard| guard.pass(token));
        near || guarded || (matches!(token.kind, Kind::String { .. }) && mentions(token.text))
    }
}

/// A value behind this name may be a password.
fn tells(name: &[u8]) -> bool {
    let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    is("pwd") || is("identified") || is("crypt") || is("passphrase") || mentions(name)
}

/// Names a password, as in `user_password`, `passwd` or the connection string `host=a password=x`.
fn mentions(text: &[u8]) -> bool {
    // The rarest letter first: strings can be long.
    let mut at_w = text.iter().enumerate().filter(|(_, b)| matches!(b, b'w' | b'W'));
    at_w.any(|(at, _)| text.get(..at).is_some_and(|before| ends_alike(before, b"pass")))
}

fn ends_alike(text: &[u8], lower: &[u8]) -> bool {
    text.last_chunk::<4>().is_some_and(|end| end.eq_ignore_ascii_case(lower))
}
