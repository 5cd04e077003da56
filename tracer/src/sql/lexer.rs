//! Splits SQL into tokens by PostgreSQL's lexical rules (manual, section 4.1 "Lexical Structure").
//!
//! Works on raw bytes and never fails: text may be cut anywhere, may not be UTF-8, may hold NUL. Together the tokens
//! cover every byte. What is unclear is taken for a literal rather than for a word, so that it is not shown.
//!
//! `standard_conforming_strings` is taken to be on, as it is by default since PostgreSQL 9.1, with one exception: a
//! quote that follows a backslash and stands right before a letter or digit does not end its string.

use super::dialect::Dialect;

/// Longest operator in bytes (NAMEDATALEN - 1 in PostgreSQL's default build).
const MAX_OPERATOR: usize = 63;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space.
    Space,
    /// `-- ...` without its line end, or `/* ... */`, nested.
    Comment,
    /// `/*+ ... */`: a hint to a planner.
    Hint,
    /// Unquoted identifier or keyword.
    Word,
    /// `"..."` or `U&"..."`.
    Quoted,
    /// A string constant of any form, with its continuations on further lines. `unicode`: it is a `U&'...'`, so that
    /// UESCAPE may follow.
    String {
        /// See above.
        unicode: bool,
    },
    /// A numeric constant.
    Number,
    /// `$1`.
    Param,
    /// One operator.
    Operator,
    /// One of `( ) [ ] , ; . : :: :=` or a byte that belongs nowhere.
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

/// `op_chars` in scan.l.
fn is_operator(b: u8) -> bool {
    matches!(
        b,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

impl<'a> Lexer<'a> {
    pub(super) fn new(dialect: Dialect, sql: &'a [u8]) -> Self {
        Self { sql, at: 0, dialect }
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

    fn is_line_end(b: u8) -> bool {
        matches!(b, b'\n' | b'\r')
    }

    /// End of the block comment that starts at `at`, and whether the input ended first.
    fn block_comment(&self, at: usize) -> (usize, bool) {
        let (mut at, mut depth) = (at + 2, 1u32);
        while at < self.sql.len() {
            if self.starts_with(at, b"*/") {
                at += 2;
                depth -= 1;
                if depth == 0 {
                    return (at, false);
                }
            } else if self.starts_with(at, b"/*") {
                at += 2;
                depth = depth.saturating_add(1);
            } else {
                at += 1;
            }
        }
        (self.sql.len(), true)
    }

    /// End of a quoted run whose opening quote is at `at`.
    fn quoted(&self, at: usize, quote: u8, backslash: bool) -> (usize, bool) {
        let mut at = at + 1;
        while let Some(b) = self.byte(at) {
            at += 1;
            if b == b'\\' && backslash {
                at += 1;
            } else if b == quote {
                if self.byte(at) == Some(quote) {
                    at += 1;
                } else if quote == b'\'' && !backslash && self.escaped_after_all(at) {
                    // See the module head.
                } else {
                    return (at, false);
                }
            }
        }
        (self.sql.len(), true)
    }

    /// Does the quote before `at` look as if its writer had meant the backslash before it as an escape?
    fn escaped_after_all(&self, at: usize) -> bool {
        let before = self.sql.get(..at - 1).unwrap_or_default();
        let backslashes = before.iter().rev().take_while(|b| **b == b'\\').count();
        backslashes % 2 == 1 && self.byte(at).is_some_and(|b| b.is_ascii_alphanumeric() || b >= 0x80)
    }

    /// End of a string constant whose opening quote is at `at`, with all its continuations: a further quote after
    /// white space that holds a line end goes on in the same form.
    fn string(&self, at: usize, backslash: bool) -> (usize, bool) {
        let (mut end, mut open) = self.quoted(at, b'\'', backslash);
        while !open {
            let (mut next, mut line_end) = (end, false);
            loop {
                let after_space = self.end_of_run(next, is_space);
                line_end |=
                    self.sql.get(next..after_space).unwrap_or_default().iter().any(|b| Self::is_line_end(*b));
                next = after_space;
                // A comment of this kind counts as white space here once a line end was seen or ends it.
                if !self.starts_with(next, b"--") {
                    break;
                }
                next = self.end_of_run(next, |b| !Self::is_line_end(b));
            }
            if !line_end || self.byte(next) != Some(b'\'') {
                break;
            }
            (end, open) = self.quoted(next, b'\'', backslash);
        }
        (end, open)
    }

    /// A string with dollar quotes at `at`, if there is one.
    fn dollar_quoted(&self, at: usize) -> Option<(usize, bool)> {
        let first = self.byte(at + 1)?;
        if first.is_ascii_digit() {
            return None;
        }
        let tag_end = self.end_of_run(at + 1, |b| continues_word(b) && b != b'$' && b != b'\\');
        let tag = self.sql.get(at..=tag_end).filter(|tag| tag.ends_with(b"$"));
        let Some(tag) = tag else {
            // The input was cut within the tag: what follows would have been the string.
            return (tag_end == self.sql.len()).then_some((tag_end, true));
        };
        let body = tag_end + 1;
        let rest = self.sql.get(body..).unwrap_or_default();
        let found = memfind(rest, tag);
        Some(found.map_or((self.sql.len(), true), |n| (body + n + tag.len(), false)))
    }

    /// End of a number at `at`. Letters and digits right behind it are taken as part of it.
    fn number(&self, at: usize) -> usize {
        let hex = self.starts_with(at, b"0x") || self.starts_with(at, b"0X");
        let mut at = at;
        while let Some(b) = self.byte(at) {
            let exponent = !hex && matches!(b, b'e' | b'E');
            if exponent && matches!(self.byte(at + 1), Some(b'+' | b'-')) && self.digit(at + 2) {
                at += 2;
            } else if (b == b'.' && self.byte(at + 1) != Some(b'.')) || (continues_word(b) && b != b'\\') {
                at += 1;
            } else {
                break;
            }
        }
        at
    }

    fn digit(&self, at: usize) -> bool {
        self.byte(at).is_some_and(|b| b.is_ascii_digit())
    }

    /// End of an operator at `at`: as far as operator bytes go, not into a comment, and without a sign at its end
    /// that belongs to what follows (manual, section 4.1.3).
    fn operator(&self, at: usize) -> usize {
        // No longer than the server allows, so that a long run of signs is not looked through for each of them.
        let (mut end, mut may_end_in_sign) = (at, false);
        while end < at + MAX_OPERATOR {
            let Some(b) = self.byte(end).filter(|b| is_operator(*b)) else { break };
            if matches!((b, self.byte(end + 1)), (b'-', Some(b'-')) | (b'/', Some(b'*'))) {
                break;
            }
            may_end_in_sign |=
                matches!(b, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%');
            end += 1;
        }
        while !may_end_in_sign && end > at + 1 && matches!(self.byte(end - 1), Some(b'+' | b'-')) {
            end -= 1;
        }
        end.max(at + 1)
    }

    /// A word, or a string or identifier that begins with a letter.
    fn word(&self, at: usize, first: u8) -> (Kind, usize, bool) {
        let quote = |n: usize| self.byte(at + n) == Some(b'\'');
        match first.to_ascii_lowercase() {
            b'e' if quote(1) => {
                let (end, open) = self.string(at + 1, true);
                (Kind::String { unicode: false }, end, open)
            }
            b'b' | b'x' | b'n' if quote(1) => {
                let (end, open) = self.string(at + 1, false);
                (Kind::String { unicode: false }, end, open)
            }
            b'u' if self.byte(at + 1) == Some(b'&') && quote(2) => {
                let (end, open) = self.string(at + 2, false);
                (Kind::String { unicode: true }, end, open)
            }
            b'u' if self.starts_with(at + 1, b"&\"") => {
                let (end, open) = self.quoted(at + 2, b'"', false);
                (Kind::Quoted, end, open)
            }
            _ => (Kind::Word, self.end_of_run(at, continues_word), false),
        }
    }

    fn classify(&self, at: usize, b: u8) -> (Kind, usize, bool) {
        match b {
            _ if is_space(b) => (Kind::Space, self.end_of_run(at, is_space), false),
            b'-' if self.starts_with(at, b"--") => {
                (Kind::Comment, self.end_of_run(at, |b| !Self::is_line_end(b)), false)
            }
            b'/' if self.starts_with(at, b"/*") => {
                let (end, open) = self.block_comment(at);
                let hint = self.byte(at + 2) == Some(b'+');
                (if hint { Kind::Hint } else { Kind::Comment }, end, open)
            }
            b'\'' => {
                let (end, open) = self.string(at, false);
                (Kind::String { unicode: false }, end, open)
            }
            b'"' => {
                let (end, open) = self.quoted(at, b'"', false);
                (Kind::Quoted, end, open)
            }
            b'`' if self.dialect != Dialect::Postgresql => {
                let (end, open) = self.quoted(at, b'`', false);
                (Kind::Quoted, end, open)
            }
            b'$' if self.digit(at + 1) => {
                (Kind::Param, self.end_of_run(at + 1, |b| b.is_ascii_digit()), false)
            }
            b'$' => match self.dollar_quoted(at) {
                Some((end, open)) => (Kind::String { unicode: false }, end, open),
                None => (Kind::Punct, at + 1, false),
            },
            b'0'..=b'9' => (Kind::Number, self.number(at), false),
            b'.' if self.digit(at + 1) => (Kind::Number, self.number(at), false),
            b':' if self.starts_with(at, b"::") || self.starts_with(at, b":=") => {
                (Kind::Punct, at + 2, false)
            }
            _ if starts_word(b) => self.word(at, b),
            _ if is_operator(b) => (Kind::Operator, self.operator(at), false),
            _ => (Kind::Punct, at + 1, false),
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.byte(self.at)?;
        let (kind, end, open) = self.classify(self.at, first);
        let end = end.clamp(self.at + 1, self.sql.len());
        let text = self.sql.get(self.at..end).unwrap_or_default();
        self.at = end;
        Some(Token { kind, text, open })
    }
}

/// First position of `needle`, which is not empty, in `hay`.
fn memfind(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|w| w == needle)
}
