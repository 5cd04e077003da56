//! String constants of SQL, as the server reads them (PostgreSQL's manual, section 4.1.2 "Constants", version 18).
//!
//! Works on a token of the lexer, never fails, and never grows by more than the token's own length.

pub(super) mod mysql;

/// What a literal token is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Literal<'a> {
    /// Any string, unescaped.
    Text(&'a [u8]),
    /// `B'...'` or `X'...'`: its bits, as `0` and `1`.
    Bits(&'a [u8]),
    /// The bytes that MySQL's `X'...'`, `0x...`, `b'...'` and `0b...` stand for.
    Bytes(&'a [u8]),
    /// A string whose end is missing, or no constant after all.
    Cut,
    /// No string.
    Bare(&'a [u8]),
}

/// Reads a token. `scratch` holds the string where it does not stand in the token as it is.
pub(super) fn read<'a>(token: &'a [u8], scratch: &'a mut Vec<u8>) -> Literal<'a> {
    scratch.clear();
    let (form, quoted) = match token {
        [b'\'', ..] => (Form::Plain, token),
        [b'n' | b'N', rest @ ..] if rest.starts_with(b"'") => (Form::Plain, rest),
        [b'e' | b'E', rest @ ..] if rest.starts_with(b"'") => (Form::Escape, rest),
        [b'u' | b'U', b'&', rest @ ..] if rest.starts_with(b"'") => (Form::Unicode, rest),
        [b'b' | b'B', rest @ ..] if rest.starts_with(b"'") => (Form::Bits, rest),
        [b'x' | b'X', rest @ ..] if rest.starts_with(b"'") => (Form::Hex, rest),
        [b'$', ..] => return dollar_quoted(token),
        _ => return Literal::Bare(token),
    };
    if let (Form::Plain, Some(inner)) = (form, as_it_stands(quoted)) {
        return Literal::Text(inner);
    }
    if unquote(quoted, form, scratch).is_none() {
        return Literal::Cut;
    }
    match form {
        Form::Bits | Form::Hex => Literal::Bits(scratch),
        _ => Literal::Text(scratch),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Escape,
    Unicode,
    Bits,
    Hex,
}

/// One pair of quotes with none between.
fn as_it_stands(quoted: &[u8]) -> Option<&[u8]> {
    let inner = quoted.strip_prefix(b"'")?.strip_suffix(b"'")?;
    (!inner.contains(&b'\'')).then_some(inner)
}

/// `$tag$...$tag$`.
fn dollar_quoted(token: &[u8]) -> Literal<'_> {
    let Some(tag) = token.iter().skip(1).position(|byte| *byte == b'$') else { return Literal::Cut };
    let (tag, rest) = token.split_at(tag + 2);
    rest.strip_suffix(tag).map_or(Literal::Cut, Literal::Text)
}

/// The bytes that a text of type bytea stands for (PostgreSQL's manual, section 8.4, both formats).
pub(super) fn bytes(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if let Some(digits) = text.strip_prefix(b"\\x") {
        let nibble =
            |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
        let digits = digits.iter().filter(|byte| !byte.is_ascii_whitespace());
        let mut high = None;
        for digit in digits {
            match high.take() {
                None => high = Some(nibble(*digit) << 4),
                Some(high) => out.push(high | nibble(*digit)),
            }
        }
        return;
    }
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'\\', [b'\\', behind @ ..]) => {
                out.push(b'\\');
                rest = behind;
            }
            (b'\\', [b'0'..=b'7', ..]) => {
                let (code, behind) = number(behind, 8, 3);
                out.push(u8::try_from(code & 0xff).unwrap_or(0));
                rest = behind;
            }
            _ => out.push(*byte),
        }
    }
}

/// All parts of a string, one after the other. `None`: the last one lacks its end.
fn unquote(quoted: &[u8], form: Form, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = quoted.strip_prefix(b"'")?;
    loop {
        let (byte, behind) = rest.split_first()?;
        rest = behind;
        match byte {
            b'\'' => match rest {
                [b'\'', behind @ ..] => {
                    out.push(b'\'');
                    rest = behind;
                }
                _ => match next_part(rest) {
                    Next::End => return Some(()),
                    Next::Part(part) => rest = part,
                    // A server that takes a backslash in a plain string for an escape: the lexer went on here.
                    Next::Inside => out.push(b'\''),
                },
            },
            b'\\' if form == Form::Escape => rest = escape(rest, out)?,
            b'\\' if form == Form::Unicode => rest = unicode(rest, out),
            digit if form == Form::Hex => match char::from(*digit).to_digit(16) {
                Some(nibble) => out.extend((0..4).rev().map(|bit| b'0' + u8::from(nibble >> bit & 1 == 1))),
                None => out.push(*digit),
            },
            byte => out.push(*byte),
        }
    }
}

enum Next<'a> {
    End,
    Part(&'a [u8]),
    Inside,
}

/// What stands behind a closing quote: the next part's opening quote, behind white space and comments.
fn next_part(mut rest: &[u8]) -> Next<'_> {
    if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0x0b | b'-')) {
        return Next::Inside;
    }
    loop {
        match rest {
            [] => return Next::End,
            [b'\'', part @ ..] => return Next::Part(part),
            [b'-', b'-', ..] => {
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
                rest = &rest[end..];
            }
            [_, behind @ ..] => rest = behind,
        }
    }
}

/// What stands behind a backslash of `E'...'`.
fn escape<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (byte, behind) = rest.split_first()?;
    let (code, rest) = match byte {
        b'b' => (8, behind),
        b'f' => (12, behind),
        b'n' => (10, behind),
        b'r' => (13, behind),
        b't' => (9, behind),
        b'0'..=b'7' => number(rest, 8, 3),
        b'x' if behind.first().is_some_and(u8::is_ascii_hexdigit) => number(behind, 16, 2),
        b'u' | b'U' => {
            let (code, rest) = number(behind, 16, if *byte == b'u' { 4 } else { 8 });
            return Some(push_character(code, rest, b"\\u", out));
        }
        other => (u32::from(*other), behind),
    };
    // `\777` is 255 and something: the server keeps the low byte.
    out.push(u8::try_from(code & 0xff).unwrap_or(0));
    Some(rest)
}

/// What stands behind a backslash of `U&'...'`, with the backslash as its escape character.
fn unicode<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    match rest {
        [b'\\', behind @ ..] => {
            out.push(b'\\');
            behind
        }
        [b'+', digits @ ..] => {
            let (code, rest) = number(digits, 16, 6);
            push_character(code, rest, b"\\+", out)
        }
        _ => {
            let (code, rest) = number(rest, 16, 4);
            push_character(code, rest, b"\\", out)
        }
    }
}

/// The number that at most so many digits write, and what follows.
fn number(text: &[u8], radix: u32, most: usize) -> (u32, &[u8]) {
    let digits = text.iter().take(most).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let (digits, rest) = text.split_at(digits);
    let digits = digits.iter().filter_map(|byte| char::from(*byte).to_digit(radix));
    (digits.fold(0_u32, |number, digit| number.wrapping_mul(radix).wrapping_add(digit)), rest)
}

/// Adds a character as UTF-8. The first half of a surrogate pair takes the second half, written in the same form.
fn push_character<'a>(code: u32, rest: &'a [u8], prefix: &[u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut encoded = [0; 4];
    if let (0xd800..0xdc00, Some(digits)) = (code, rest.strip_prefix(prefix)) {
        let (low, behind) = number(digits, 16, if prefix == b"\\+" { 6 } else { 4 });
        if let 0xdc00..0xe000 = low
            && let Some(pair) = char::from_u32(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))
        {
            out.extend_from_slice(pair.encode_utf8(&mut encoded).as_bytes());
            return behind;
        }
    }
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut encoded).as_bytes());
    rest
}
