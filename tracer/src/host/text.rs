//! Text that comes from processes: read within bounds, and made safe to print.

use crate::report::sanitize::visible;
use std::io::{BufRead, Read};

/// Longer than any line that the kernel writes: a row of a socket table has about 150 bytes and a path, a row of
/// maps 80 and a path of at most 4,096.
const MAX_LINE_BYTES: u64 = 8192;

/// Characters of one text that are shown.
const MAX_SHOWN: usize = 8192;

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

/// The text with everything escaped that could steer a terminal or would not be seen. Bytes that are no UTF-8 become
/// U+FFFD. At most the first 8,192 characters: no name or path is longer.
pub fn printable(raw: &[u8]) -> String {
    visible(&String::from_utf8_lossy(raw), false, MAX_SHOWN)
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
        check(b"\x1b[2J\x07", "\\x1b[2J\\x07");
        check(b"a\nb\tc\r", "a\\nb\\tc\\r");
        check("\u{9b}1m\u{202e}x".as_bytes(), "\\x9b1m\\u{202e}x");
        check(b"\xff\xfe", "\u{fffd}\u{fffd}");
        check(b"\0abstract", "\\x00abstract");
    }
}
