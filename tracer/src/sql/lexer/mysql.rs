//! Lexical rules of MySQL (8.4 manual, chapter 11 "Language Structure") and MariaDB (documentation, "SQL Language
//! Structure"); where these leave something open, what the servers' own scanners do.
//!
//! Double quotes are taken for a string, as by default. With `ANSI_QUOTES` in `sql_mode` they hold an identifier. Nobody
//! can see that in the traffic, so what they hold is not shown.
//!
//! Which executable comments a server executes depends on its version. All are taken for part of the statement, and
//! so is nothing in them that is a literal shown.

use super::{Backslash, Kind, Lexer, is_space, starts_word};

/// What the tokens before say about the next one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// Inside an executable comment: its end is still to come.
    executable: bool,
    /// An unquoted name ends right here.
    behind_name: bool,
    /// A name and a dot end right here: digits may begin the next name, as in `a.1b`.
    behind_dot: bool,
}

/// Version digits of an executable comment (manual, section 11.7 "Comments").
const VERSION_DIGITS: std::ops::RangeInclusive<usize> = 5..=6;

/// Operators of more than one byte, longest first (manual, section 14.4 "Operators").
const OPERATORS: [&[u8]; 11] =
    [b"<=>", b"->>", b"<>", b"!=", b">=", b"<=", b"<<", b">>", b"||", b"&&", b"->"];

/// Can continue an unquoted name (manual, section 11.2 "Schema Object Names"). The dollar sign can begin one, too.
fn continues_name(b: u8) -> bool {
    starts_word(b) || b.is_ascii_digit() || b == b'$'
}

/// Can stand in the name of a user variable or of a host without quotes (section 11.4 "User-Defined Variables").
fn continues_variable(b: u8) -> bool {
    continues_name(b) && b != b'\\' || b == b'.'
}

impl Lexer<'_> {
    /// Kind and end of the token at `at`, whose first byte is `b`, and whether the input ended before it did.
    pub(super) fn mysql(&mut self, at: usize, b: u8, backslash: Backslash) -> (Kind, usize, bool) {
        let State { behind_name, behind_dot, .. } = self.mysql;
        (self.mysql.behind_name, self.mysql.behind_dot) = (false, false);
        match b {
            _ if is_space(b) => (Kind::Space, self.end_of_run(at, is_space), false),
            b'a'..=b'z' | b'A'..=b'Z' => self.mysql_word(at, b, backslash),
            _ if behind_dot && continues_name(b) => self.name(at),
            b'0'..=b'9' => self.mysql_number(at),
            b'.' if self.digit(at + 1) && !behind_name => self.mysql_number(at),
            b'.' => {
                self.mysql.behind_dot = behind_name;
                (Kind::Punct, at + 1, false)
            }
            b'\'' | b'"' => self.mysql_string(at, b, backslash),
            b'`' => self.quoted_name(at),
            b'?' => (Kind::Param, at + 1, false),
            b'#' => (Kind::Comment, self.line_end(at), false),
            b'-' if self.dashes(at) => (Kind::Comment, self.line_end(at), false),
            b'/' if self.starts_with(at, b"/*") => self.comment(at),
            b'*' if self.mysql.executable && self.starts_with(at, b"*/") => {
                self.mysql.executable = false;
                (Kind::Comment, at + 2, false)
            }
            b'@' => self.variable(at),
            b'\\' if self.is_null(at) => (Kind::Number, at + 2, false),
            b':' if self.starts_with(at, b":=") => (Kind::Punct, at + 2, false),
            b'$' => match self.dollar_quotes(at) {
                Some((end, open)) => (Kind::String { unicode: false }, end, open),
                None => self.name(at),
            },
            _ if starts_word(b) => self.name(at),
            b'~' | b'!' | b'^' | b'&' | b'|' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' => {
                let operator = OPERATORS.iter().find(|operator| self.starts_with(at, operator));
                (Kind::Operator, at + operator.map_or(1, |operator| operator.len()), false)
            }
            _ => (Kind::Punct, at + 1, false),
        }
    }

    fn line_end(&self, at: usize) -> usize {
        self.end_of_run(at, |b| b != b'\n')
    }

    /// Two dashes are a comment only before white space or a control character: `5--1` is 6 (section 1.7.2.4 "'--' as
    /// the Start of a Comment").
    fn dashes(&self, at: usize) -> bool {
        self.starts_with(at, b"--") && self.byte(at + 2).is_none_or(|b| is_space(b) || b.is_ascii_control())
    }

    /// `\N` is NULL (MariaDB; MySQL before 8.0).
    fn is_null(&self, at: usize) -> bool {
        self.byte(at + 1) == Some(b'N') && !self.byte(at + 2).is_some_and(continues_name)
    }

    /// End of a comment that does not nest, and whether the input ended first.
    fn comment_end(&self, at: usize) -> (usize, bool) {
        let body = self.sql.get(at + 2..).unwrap_or_default();
        let end = body.windows(2).position(|pair| pair == b"*/");
        end.map_or((self.sql.len(), true), |end| (at + 2 + end + 2, false))
    }

    /// `/*! ... */`, with or without a version, and `/*M! ... */`: the server executes what is in them.
    fn executable(&self, at: usize) -> Option<usize> {
        let marker = [&b"/*!"[..], b"/*M!"].into_iter().find(|marker| self.starts_with(at, marker))?;
        let from = at + marker.len();
        let digits = self.end_of_run(from, |b| b.is_ascii_digit()).min(from + VERSION_DIGITS.end()) - from;
        // Fewer digits are none of a version, unless the text was cut within them.
        let cut = from + digits == self.sql.len();
        Some(if cut || VERSION_DIGITS.contains(&digits) { from + digits } else { from })
    }

    fn comment(&mut self, at: usize) -> (Kind, usize, bool) {
        if let Some(end) = self.executable(at) {
            self.mysql.executable = true;
            return (Kind::Comment, end, false);
        }
        let (end, open) = self.comment_end(at);
        let hint = self.byte(at + 2) == Some(b'+');
        (if hint { Kind::Hint } else { Kind::Comment }, end, open)
    }

    /// White space and comments from `at` on; not what is executed, and no hint.
    fn blanks(&self, mut at: usize) -> usize {
        loop {
            at = match self.byte(at) {
                Some(b) if is_space(b) => self.end_of_run(at, is_space),
                Some(b'#') => self.line_end(at),
                Some(b'-') if self.dashes(at) => self.line_end(at),
                Some(b'/') if self.starts_with(at, b"/*") => {
                    if self.executable(at).is_some() || self.byte(at + 2) == Some(b'+') {
                        return at;
                    }
                    self.comment_end(at).0
                }
                _ => return at,
            }
        }
    }

    /// A string, with those that stand behind it: they are one constant (section 11.1.1 "String Literals").
    fn mysql_string(&self, at: usize, quote: u8, backslash: Backslash) -> (Kind, usize, bool) {
        let (mut end, mut open) = self.quoted(at, quote, backslash);
        while !open {
            let next = self.blanks(end);
            match self.byte(next) {
                Some(quote @ (b'\'' | b'"')) => (end, open) = self.quoted(next, quote, backslash),
                _ => break,
            }
        }
        (Kind::String { unicode: false }, end, open)
    }

    fn mysql_word(&mut self, at: usize, first: u8, backslash: Backslash) -> (Kind, usize, bool) {
        match (first, self.byte(at + 1)) {
            (b'n' | b'N', Some(b'\'')) => self.mysql_string(at + 1, b'\'', backslash),
            (b'x' | b'X' | b'b' | b'B', Some(b'\'')) => {
                let (end, open) = self.quoted(at + 1, b'\'', Backslash::Plain);
                (Kind::String { unicode: false }, end, open)
            }
            _ => self.name(at),
        }
    }

    /// `$$ ... $$` or `$tag$ ... $tag$`, as MySQL has them since version 9. A name that begins so is one in older servers
    /// and in MariaDB; it is not shown either.
    fn dollar_quotes(&self, at: usize) -> Option<(usize, bool)> {
        let tag_end = self.end_of_run(at + 1, |b| b != b'$' && continues_name(b));
        if self.byte(tag_end) != Some(b'$') {
            return None;
        }
        self.dollar_quoted(at)
    }

    /// A name in backticks. In sjis, gbk and their like the second byte of a character may be that of a backtick: where
    /// nothing says whether it is, all the rest is taken for one literal, as in strings.
    fn quoted_name(&self, at: usize) -> (Kind, usize, bool) {
        let (end, open) = self.quoted(at, b'`', Backslash::Plain);
        let name = self.sql.get(at + 1..end).unwrap_or_default();
        if std::str::from_utf8(name).is_err() {
            // The first byte of a character stands before: of two bytes, or in sjis also of one.
            let (mut first, mut first_in_sjis) = (false, false);
            for b in name {
                if *b == b'`' && (first || first_in_sjis) {
                    return (Kind::String { unicode: false }, self.sql.len(), true);
                }
                first = !first && *b >= 0x80;
                first_in_sjis = !first_in_sjis && *b >= 0x80 && !(0xa1..=0xdf).contains(b);
            }
        }
        (Kind::Quoted, end, open)
    }

    fn name(&mut self, at: usize) -> (Kind, usize, bool) {
        self.mysql.behind_name = true;
        (Kind::Word, self.end_of_run(at, continues_name), false)
    }

    /// `@name`, `@@name`, or the `@` before a name in quotes. Behind the name of an account it begins that of a host.
    fn variable(&mut self, at: usize) -> (Kind, usize, bool) {
        let (system, name) = match self.byte(at + 1) {
            Some(b'@') => (true, at + 2),
            _ => (false, at + 1),
        };
        if matches!(self.byte(name), Some(b'\'' | b'"' | b'`')) {
            return (Kind::Punct, name, false);
        }
        self.mysql.behind_name = system;
        let end = self.end_of_run(name, |b| if system { continues_name(b) } else { continues_variable(b) });
        (if end > name { Kind::Word } else { Kind::Punct }, end, false)
    }

    /// A number, or a name that begins with digits.
    fn mysql_number(&mut self, at: usize) -> (Kind, usize, bool) {
        let digits = |at: usize| self.end_of_run(at, |b| b.is_ascii_digit());
        if self.byte(at) == Some(b'0') && matches!(self.byte(at + 1), Some(b'x' | b'X' | b'b' | b'B')) {
            // A name only where other letters follow, which is unclear enough.
            return (Kind::Number, self.end_of_run(at, continues_name), false);
        }
        let whole = digits(at);
        if let Some(end) = self.exponent(whole) {
            return (Kind::Number, end, false);
        }
        match self.byte(whole) {
            Some(b'.') => {
                let fraction = digits(whole + 1);
                (Kind::Number, self.exponent(fraction).unwrap_or(fraction), false)
            }
            Some(b) if continues_name(b) => self.name(at),
            _ => (Kind::Number, whole, false),
        }
    }

    /// End of an exponent at `at`. The input may end within it.
    fn exponent(&self, at: usize) -> Option<usize> {
        if !matches!(self.byte(at), Some(b'e' | b'E')) {
            return None;
        }
        let sign = matches!(self.byte(at + 1), Some(b'+' | b'-'));
        let from = at + 1 + usize::from(sign);
        let end = self.end_of_run(from, |b| b.is_ascii_digit());
        (end > from || end == self.sql.len()).then_some(end)
    }
}
