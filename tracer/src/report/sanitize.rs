//! Makes text from the target safe for a terminal: whatever could move the cursor, change colours, reverse the
//! reading direction or hide is shown as an escape instead.

use std::fmt::Write as _;

/// The text with every character that a terminal could act on, or that would not be seen, written out: `\x1b`,
/// `\n`, `\u{202e}`. With `ascii` also everything beyond ASCII. At most `limit` characters are read.
pub fn visible(text: &str, ascii: bool, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for c in text.chars().take(limit) {
        match c {
            ' '..='~' => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            // Writing to a String cannot fail.
            _ if c.is_control() => drop(write!(shown, "\\x{:02x}", u32::from(c))),
            _ if ascii || is_invisible(c) => drop(write!(shown, "\\u{{{:x}}}", u32::from(c))),
            _ => shown.push(c),
        }
    }
    shown
}

/// Format characters: Unicode's general category Cf, line and paragraph separators, and variation selectors, which
/// change the width of the character before them. As in Unicode 16.0, DerivedGeneralCategory.txt.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        for (raw, expected) in [
            ("SELECT 'é', '漢'", "SELECT 'é', '漢'"),
            ("\x1b[31mred\x07\0", "\\x1b[31mred\\x07\\x00"),
            ("a\nb\tc\rd\x7f", "a\\nb\\tc\\rd\\x7f"),
            ("\u{9b}31m", "\\x9b31m"),
            ("\u{202e}txet\u{2066}\u{2069}\u{200f}", "\\u{202e}txet\\u{2066}\\u{2069}\\u{200f}"),
            ("a\u{200b}b\u{feff}\u{2028}\u{e0041}", "a\\u{200b}b\\u{feff}\\u{2028}\\u{e0041}"),
        ] {
            assert_eq!(visible(raw, false, 1_000), expected, "case 79");
        }
        assert_eq!(visible("é\u{1b}", true, 1_000), "\\u{e9}\\x1b");
        assert_eq!(visible("abcdef", false, 3), "abc");
    }
}
