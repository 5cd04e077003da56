//! Constants as MySQL and MariaDB read them (MySQL 8.4 manual, section 11.1 "Literal Values").
//!
//! Works on a token of the lexer, never fails, and never grows by more than the token's own length.

use super::Literal;

/// Reads a token. `escapes`: a backslash in a string is an escape, as without `NO_BACKSLASH_ESCAPES` in `sql_mode`.
/// `scratch` holds the constant where it does not stand in the token as it is.
pub(in crate::value) fn read<'a>(token: &'a [u8], escapes: bool, scratch: &'a mut Vec<u8>) -> Literal<'a> {
    scratch.clear();
    let quoted = match token {
        [b'\'' | b'"', ..] => token,
        [b'n' | b'N', rest @ ..] if rest.starts_with(b"'") => rest,
        [b'x' | b'X' | b'b' | b'B', b'\'', rest @ ..] => {
            let Some(digits) = rest.strip_suffix(b"'") else { return Literal::Cut };
            let bits = if matches!(token.first(), Some(b'x' | b'X')) { 4 } else { 1 };
            return number(digits, bits, scratch);
        }
        [b'0', b'x', digits @ ..] => return number(digits, 4, scratch),
        [b'0', b'b', digits @ ..] => return number(digits, 1, scratch),
        // A name, as these letters are no capital ones.
        [b'0', b'X' | b'B' | b'o' | b'O', ..] => return Literal::Cut,
        b"\\N" => return Literal::Bare(b"NULL"),
        _ => return Literal::Bare(token),
    };
    if let Some(inner) = as_it_stands(quoted, escapes) {
        return Literal::Text(inner);
    }
    match unquote(quoted, escapes, scratch) {
        Some(()) => Literal::Text(scratch),
        None => Literal::Cut,
    }
}

/// One pair of quotes with none between, and nothing that is not what it looks like.
fn as_it_stands(quoted: &[u8], escapes: bool) -> Option<&[u8]> {
    let [quote, inner @ .., end] = quoted else { return None };
    let special = |byte: &u8| byte == quote || (escapes && *byte == b'\\');
    (quote == end && !inner.iter().any(special)).then_some(inner)
}

/// The bytes of a hexadecimal or bit constant, filled up with zeros on the left (sections 11.1.4 and 11.1.5).
fn number<'a>(digits: &[u8], bits: usize, out: &'a mut Vec<u8>) -> Literal<'a> {
    let in_byte = 8 / bits;
    let mut byte = 0_u8;
    for (at, digit) in digits.iter().enumerate() {
        let Some(digit) = char::from(*digit).to_digit(1 << bits).and_then(|digit| u8::try_from(digit).ok())
        else {
            return Literal::Cut;
        };
        byte = byte << bits | digit;
        if (digits.len() - at - 1).is_multiple_of(in_byte) {
            out.push(byte);
            byte = 0;
        }
    }
    Literal::Bytes(out)
}

/// All parts of a string, one after the other. `None`: the last one lacks its end.
fn unquote(quoted: &[u8], escapes: bool, out: &mut Vec<u8>) -> Option<()> {
    let (mut quote, mut rest) = quoted.split_first()?;
    loop {
        let (byte, behind) = rest.split_first()?;
        rest = behind;
        match byte {
            b'\\' if escapes => rest = escape(rest, out)?,
            byte if byte != quote => out.push(*byte),
            _ if rest.first() == Some(quote) => {
                out.push(*quote);
                rest = rest.get(1..)?;
            }
            _ => match blanks(rest).split_first() {
                None => return Some(()),
                Some((next @ (b'\'' | b'"'), part)) => (quote, rest) = (next, part),
                // The quote was none of its end: the lexer went on here, too.
                Some(_) => out.push(*quote),
            },
        }
    }
}

/// What stands behind white space and comments.
fn blanks(mut rest: &[u8]) -> &[u8] {
    let behind = |text: &[u8], end: &[u8]| {
        let at = text.windows(end.len()).position(|bytes| bytes == end);
        at.map_or(text.len(), |at| at + end.len())
    };
    loop {
        let skip = match rest {
            [b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c', ..] => 1,
            [b'#', ..] | [b'-', b'-', ..] => behind(rest, b"\n"),
            [b'/', b'*', body @ ..] => 2 + behind(body, b"*/"),
            _ => return rest,
        };
        rest = rest.get(skip..).unwrap_or_default();
    }
}

/// What stands behind a backslash (table 11.1 "Special Character Escape Sequences").
fn escape<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (byte, behind) = rest.split_first()?;
    match byte {
        b'0' => out.push(0),
        b'b' => out.push(8),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'Z' => out.push(26),
        // For LIKE, which reads the backslash itself.
        b'%' | b'_' => out.extend([b'\\', *byte]),
        other => out.push(*other),
    }
    Some(behind)
}
