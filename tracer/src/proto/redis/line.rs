//! Lines of the protocol that hold a number: `*3`, `$5`, `%-1`.
//!
//! Source: "Redis serialization protocol specification": a line ends with CR LF, a number has no sign but a minus.

/// Room for a type byte, a sign, 19 digits, CR LF, and some.
const LINE_BYTES: usize = 32;

/// A short line that may come in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    bytes: [u8; LINE_BYTES],
    len: usize,
}

impl Line {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Takes bytes up to the end of the line. True: it is complete. None: it is too long.
    pub(super) fn take(&mut self, input: &mut &[u8]) -> Option<bool> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            *self.bytes.get_mut(self.len)? = *byte;
            self.len += 1;
            if *byte == b'\n' {
                return Some(true);
            }
        }
        Some(false)
    }

    /// The number behind this type byte. None: it is no such line.
    pub(super) fn number(&self, kind: u8) -> Option<i64> {
        let line = self.bytes.get(..self.len)?.strip_suffix(b"\r\n")?.strip_prefix(&[kind])?;
        number(line)
    }
}

/// A decimal number of up to 18 digits.
pub(super) fn number(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some(if negative { -magnitude } else { magnitude })
}

/// A number that is not negative from `at` on, and where the line behind it ends. None: not so, or not all of it is
/// there, or it has more than nine digits.
#[inline]
pub(super) fn number_line(input: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut number = 0;
    let mut digits = 0;
    for byte in input.get(at..)? {
        match byte {
            b'0'..=b'9' if digits < 9 => number = number * 10 + usize::from(byte - b'0'),
            b'\r' if digits > 0 => break,
            _ => return None,
        }
        digits += 1;
    }
    (input.get(at + digits..at + digits + 2)? == b"\r\n").then_some((number, at + digits + 2))
}
