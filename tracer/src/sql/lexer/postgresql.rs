//! PostgreSQL's lexical rules (manual, section 4.1 "Lexical Structure").
//!
//! `standard_conforming_strings` is taken to be on, as it is by default since PostgreSQL 9.1, with the exception that
//! [`Backslash::Lenient`] describes.

use super::{Backslash, Kind, Lexer, continues_word, is_space, starts_word};

/// Longest operator in bytes (NAMEDATALEN - 1 in PostgreSQL's default build).
const MAX_OPERATOR: usize = 63;

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

fn is_line_end(b: u8) -> bool {
    matches!(b, b'\n' | b'\r')
}

impl Lexer<'_> {
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

    /// End of a string constant whose opening quote is at `at`, with all its continuations: a further quote after
    /// white space that holds a line end goes on in the same form.
    fn string(&self, at: usize, backslash: Backslash) -> (usize, bool) {
        let (mut end, mut open) = self.quoted(at, b'\'', backslash);
        while !open {
            let (mut next, mut line_end) = (end, false);
            loop {
                let after_space = self.end_of_run(next, is_space);
                line_end |=
                    self.sql.get(next..after_space).unwrap_or_default().iter().any(|b| is_line_end(*b));
                next = after_space;
                // A comment of this kind counts as white space here once a line end was seen or ends it.
                if !self.starts_with(next, b"--") {
                    break;
                }
                next = self.end_of_run(next, |b| !is_line_end(b));
            }
            if !line_end || self.byte(next) != Some(b'\'') {
                break;
            }
            (end, open) = self.quoted(next, b'\'', backslash);
        }
        (end, open)
    }

    /// A string with dollar quotes at `at`, if there is one.
    pub(super) fn dollar_quoted(&self, at: usize) -> Option<(usize, bool)> {
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
                let (end, open) = self.string(at + 1, Backslash::Escape);
                (Kind::String { unicode: false }, end, open)
            }
            b'b' | b'x' | b'n' if quote(1) => {
                let (end, open) = self.string(at + 1, Backslash::Lenient);
                (Kind::String { unicode: false }, end, open)
            }
            b'u' if self.byte(at + 1) == Some(b'&') && quote(2) => {
                let (end, open) = self.string(at + 2, Backslash::Lenient);
                (Kind::String { unicode: true }, end, open)
            }
            b'u' if self.starts_with(at + 1, b"&\"") => {
                let (end, open) = self.quoted(at + 2, b'"', Backslash::Plain);
                (Kind::Quoted, end, open)
            }
            _ => (Kind::Word, self.end_of_run(at, continues_word), false),
        }
    }

    pub(super) fn postgresql(&self, at: usize, b: u8) -> (Kind, usize, bool) {
        match b {
            _ if is_space(b) => (Kind::Space, self.end_of_run(at, is_space), false),
            b'-' if self.starts_with(at, b"--") => {
                (Kind::Comment, self.end_of_run(at, |b| !is_line_end(b)), false)
            }
            b'/' if self.starts_with(at, b"/*") => {
                let (end, open) = self.block_comment(at);
                let hint = self.byte(at + 2) == Some(b'+');
                (if hint { Kind::Hint } else { Kind::Comment }, end, open)
            }
            b'\'' => {
                let (end, open) = self.string(at, Backslash::Lenient);
                (Kind::String { unicode: false }, end, open)
            }
            b'"' => {
                let (end, open) = self.quoted(at, b'"', Backslash::Plain);
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

/// First position of `needle`, which is not empty, in `hay`.
fn memfind(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|w| w == needle)
}
