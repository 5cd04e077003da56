//! Splits SQL into tokens by the lexical rules of its dialect: `postgresql` and `mysql` have them, here is what they
//! share.
//!
//! Works on raw bytes and never fails: text may be cut anywhere, may not be UTF-8, may hold NUL. Together the tokens
//! cover every byte. What is unclear is taken for a literal rather than for a word, so that it is not shown.

mod mysql;
mod postgresql;

use super::dialect::Dialect;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space.
    Space,
    /// `-- ...` without its line end, or `/* ... */`; in MySQL also what opens and closes an executable comment.
    Comment,
    /// `/*+ ... */`: a hint to a planner.
    Hint,
    /// Unquoted identifier or keyword.
    Word,
    /// A quoted identifier: `"..."` or `U&"..."`, in MySQL one in backticks.
    Quoted,
    /// A string constant of any form, with its continuations on further lines. `unicode`: it is a `U&'...'`, so that
    /// UESCAPE may follow.
    String {
        /// See above.
        unicode: bool,
    },
    /// A numeric constant.
    Number,
    /// `$1`, in MySQL `?`.
    Param,
    /// One operator.
    Operator,
    /// One of `( ) [ ] , ; . : :: :=`, in MySQL the `@` before quotes, or a byte that belongs nowhere.
    Punct,
}

/// One token: `text` is its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a [u8],
    /// The input ended before the token did.
    pub open: bool,
}

impl Token<'_> {
    /// White space or a comment: nothing to the grammar.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// Is this unquoted word, in any case?
    pub(super) fn is_word(&self, lower: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(lower.as_bytes())
    }

    /// Is this punctuation?
    pub(super) fn is_punct(&self, text: &str) -> bool {
        self.kind == Kind::Punct && self.text == text.as_bytes()
    }
}

/// Iterator over the tokens of a text.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    sql: &'a [u8],
    at: usize,
    dialect: Dialect,
    /// What MySQL's rules need to know of the tokens before.
    mysql: mysql::State,
}

/// What a backslash in a quoted run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backslash {
    /// It takes the next byte with it.
    Escape,
    /// A byte like any other; but a quote behind an odd number of them that stands right before a letter or digit does
    /// not end its string. Its writer meant an escape, or the setting of the server is not the one that we know of.
    Lenient,
    /// A byte like any other.
    Plain,
}

/// A byte that can start an unquoted word. Control bytes and backslash belong to no token of SQL; joined to words
/// they are shown, escaped, where they stood.
fn starts_word(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b >= 0x80 || b == b'\\' || (b.is_ascii_control() && !is_space(b))
}

/// A byte that can continue an unquoted word.
fn continues_word(b: u8) -> bool {
    starts_word(b) || b.is_ascii_digit() || b == b'$'
}

/// White space as PostgreSQL's scanner knows it (`space` in scan.l).
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x0b')
}

impl<'a> Lexer<'a> {
    pub(super) fn new(dialect: Dialect, sql: &'a [u8]) -> Self {
        Self { sql, at: 0, dialect, mysql: mysql::State::default() }
    }

    /// Byte position of the next token.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// All of the text was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.sql.len()
    }

    /// The next token that is neither white space nor a comment nor a hint.
    pub(super) fn next_solid(&mut self) -> Option<Token<'a>> {
        self.find(|t| !t.is_blank() && t.kind != Kind::Hint)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.sql.get(at).copied()
    }

    fn starts_with(&self, at: usize, prefix: &[u8]) -> bool {
        self.sql.get(at..).is_some_and(|rest| rest.starts_with(prefix))
    }

    /// First position from `at` whose byte does not fit.
    fn end_of_run(&self, at: usize, fits: impl Fn(u8) -> bool) -> usize {
        let rest = self.sql.get(at..).unwrap_or_default();
        at + rest.iter().position(|b| !fits(*b)).unwrap_or(rest.len())
    }

    /// End of a quoted run whose opening quote is at `at`. Where nothing says which quote ends it, all the rest is taken
    /// for it, and nothing of that is shown.
    fn quoted(&self, at: usize, quote: u8, backslash: Backslash) -> (usize, bool) {
        let mut at = at + 1;
        let mut utf8_to = at;
        while let Some(b) = self.byte(at) {
            at += 1;
            if b == b'\\' && backslash == Backslash::Escape {
                if self.decides_behind_character(at - 1, quote) {
                    if std::str::from_utf8(self.sql.get(utf8_to..at).unwrap_or_default()).is_err() {
                        return (self.sql.len(), true);
                    }
                    utf8_to = at;
                }
                at += 1;
            } else if b == quote {
                if self.byte(at) == Some(quote) {
                    at += 1;
                } else if backslash == Backslash::Lenient && self.escaped_after_all(at) {
                    // See there.
                } else {
                    return (at, false);
                }
            }
        }
        (self.sql.len(), true)
    }

    /// The end of the string depends on whether the backslash at `at` is one, or the second byte of a character, as it
    /// may be in sjis, cp932, big5, gbk and gb18030. Nobody can see the character set of a session in all of its
    /// traffic; where the string so far is UTF-8, it is taken for that.
    fn decides_behind_character(&self, at: usize, quote: u8) -> bool {
        let behind_character =
            at.checked_sub(1).and_then(|before| self.byte(before)).is_some_and(|b| b >= 0x80);
        behind_character && self.byte(self.end_of_run(at, |b| b == b'\\')) == Some(quote)
    }

    /// Does the quote before `at` look as if its writer had meant the backslash before it as an escape?
    fn escaped_after_all(&self, at: usize) -> bool {
        let before = self.sql.get(..at - 1).unwrap_or_default();
        let backslashes = before.iter().rev().take_while(|b| **b == b'\\').count();
        backslashes % 2 == 1 && self.byte(at).is_some_and(|b| b.is_ascii_alphanumeric() || b >= 0x80)
    }

    fn digit(&self, at: usize) -> bool {
        self.byte(at).is_some_and(|b| b.is_ascii_digit())
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.byte(self.at)?;
        let (kind, end, open) = match self.dialect {
            Dialect::Postgresql => self.postgresql(self.at, first),
            Dialect::Mysql => self.mysql(self.at, first, Backslash::Escape),
            Dialect::MysqlNoBackslashEscapes => self.mysql(self.at, first, Backslash::Lenient),
        };
        let end = end.clamp(self.at + 1, self.sql.len());
        let text = self.sql.get(self.at..end).unwrap_or_default();
        self.at = end;
        Some(Token { kind, text, open })
    }
}
