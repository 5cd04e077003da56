//! What stands between the tokens of ClickHouse's SQL, and where the data of an INSERT begins.
//!
//! Source: ClickHouse's `src/Parsers/Lexer.cpp`, version 24. It takes comments that MySQL does not (`--` without a space
//! behind it, `//`, `#!`, nested `/* */`), and texts in `$tag$` or typographic quotes. None of them may be shown.

/// What the bytes of a token become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Stays,
    Comment,
    Literal,
}

/// Blanks all comments, and puts a place for a value where only ClickHouse sees a text.
pub(super) fn blank(sql: &mut [u8]) {
    let mut rest = sql;
    while !rest.is_empty() {
        let (length, token) = token(rest);
        let (bytes, behind) = rest.split_at_mut(length.clamp(1, rest.len()));
        if token != Token::Stays {
            bytes.fill(b' ');
        }
        if token == Token::Literal {
            bytes[0] = b'?';
        }
        rest = behind;
    }
}

/// An INSERT without the data behind its FORMAT. `sql` is blanked.
pub(super) fn without_data(sql: &[u8]) -> &[u8] {
    let start = sql.trim_ascii_start();
    if !start.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"insert")) {
        return sql;
    }
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let end = at + token(rest).0;
        if sql.get(at..end).is_some_and(|word| word.eq_ignore_ascii_case(b"format")) {
            let space = sql[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let name = sql[end + space..].iter().take_while(|byte| in_word(**byte)).count();
            let behind = end + space + name;
            // Without a name it is a column or a table.
            if name > 0 {
                let values = sql[end + space..behind].eq_ignore_ascii_case(b"values");
                return if values { sql } else { &sql[..behind] };
            }
        }
        at = end;
    }
    sql
}

/// Length and kind of what the bytes begin with. Without its end it takes all of them.
fn token(bytes: &[u8]) -> (usize, Token) {
    let to = |end: Option<usize>| end.unwrap_or(bytes.len());
    match bytes {
        [b'-', b'-', ..] | [b'/', b'/', ..] | [b'#', ..] => {
            (to(bytes.iter().position(|byte| *byte == b'\n')), Token::Comment)
        }
        [b'/', b'*', ..] => (to(comment(bytes)), Token::Comment),
        [quote @ (b'\'' | b'`' | b'"'), ..] => (to(quoted(bytes, *quote)), Token::Stays),
        // ‘text’ and “name”.
        [0xe2, 0x80, quote @ (0x98 | 0x9c), rest @ ..] => {
            (to(find(rest, &[0xe2, 0x80, quote + 1]).map(|at| at + 6)), Token::Literal)
        }
        [b'$', rest @ ..] => {
            let tag = 2 + rest.iter().take_while(|byte| in_word(**byte)).count();
            match bytes.get(..tag).filter(|tag| tag.ends_with(b"$")) {
                Some(mark) => (to(find(&bytes[tag..], mark).map(|at| at + 2 * tag)), Token::Literal),
                None => (1, Token::Stays),
            }
        }
        [first, ..] if in_word(*first) => {
            (bytes.iter().take_while(|byte| in_word(**byte) || **byte == b'$').count(), Token::Stays)
        }
        _ => (1, Token::Stays),
    }
}

/// Where the comment ends that begins here.
fn comment(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0);
    loop {
        match bytes.get(at..at + 2)? {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Where the quoted text ends that begins here.
fn quoted(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
