//! Text that comes from processes: read within bounds, and made safe to print.

use std::io::{BufRead, Read};

/// Longer than any line that the kernel writes: a row of a socket table has about 150 bytes and a path, a row of
/// maps 80 and a path of at most 4,096.
const MAX_LINE_BYTES: u64 = 8192;

/// 16 million; far more than a table of sockets or mappings can have.
const MAX_LINES: u32 = 1 << 24;

/// Calls `each` for every line, without its end. Bounded in the length of a line (a longer one comes in pieces) and in
/// their number; ends at the first error.
pub(super) fn each_line(mut text: impl BufRead, mut each: impl FnMut(&[u8])) {
    let mut line = Vec::new();
    for _ in 0..MAX_LINES {
        line.clear();
        match text.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => each(line.strip_suffix(b"\n").unwrap_or(&line)),
        }
    }
}

/// The text with everything escaped that could steer a terminal: control characters (C0, DEL, C1), and the characters
/// that change the direction of text. Bytes that are no UTF-8 become U+FFFD.
pub fn printable(raw: &[u8]) -> String {
    let mut safe = String::with_capacity(raw.len());
    for letter in String::from_utf8_lossy(raw).chars() {
        let steers = matches!(letter, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if letter.is_control() || steers {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE_BYTES, each_line, printable};

    #[test]
    fn lines_are_bounded() {
        let check = |text: &[u8], expected: &[usize]| {
            let mut lengths = Vec::new();
            each_line(text, |line| lengths.push(line.len()));
            assert_eq!(lengths, expected);
        };
        let longest = usize::try_from(MAX_LINE_BYTES).unwrap();
        check(b"", &[]);
        check(b"ab\n\ncd", &[2, 0, 2]);
        check(&vec![b'x'; longest + 3], &[longest, 3]);
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let check = |raw: &[u8], expected: &str| assert_eq!(printable(raw), expected);
        check(b"postgres: writer", "postgres: writer");
        check("größe ✓".as_bytes(), "größe ✓");
        check(b"\x1b[2J\x07", "\\u{1b}[2J\\u{7}");
        check(b"a\nb\tc\r", "a\\nb\\tc\\r");
        check("\u{9b}1m\u{202e}x".as_bytes(), "\\u{9b}1m\\u{202e}x");
        check(b"\xff\xfe", "\u{fffd}\u{fffd}");
        check(b"\0abstract", "\\u{0}abstract");
    }
}
