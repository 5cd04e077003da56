//! Names that come from processes, made safe to print.

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
    use super::printable;

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
