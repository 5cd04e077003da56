//! Paragraphs of a given width. Counts characters, so the text must have no control characters by now.

/// `head`, then `text` broken at spaces, further lines indented as far as the head is long. A word longer than a line is
/// broken where the line ends. Ends with a line end.
pub(super) fn paragraph(out: &mut String, head: &str, text: &str, columns: usize) {
    let indent = head.chars().count();
    let width = columns.saturating_sub(indent).max(1);
    let mut lines: Vec<String> = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let letters: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + letters.len() > width {
            lines.push(String::new());
            used = 0;
        }
        for (index, letter) in letters.into_iter().enumerate() {
            if used == width {
                lines.push(String::new());
                used = 0;
            }
            let Some(line) = lines.last_mut() else { continue };
            if index == 0 && used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push(letter);
            used += 1;
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let start = if index == 0 { head.to_owned() } else { " ".repeat(indent) };
        out.push_str(format!("{start}{line}").trim_end());
        out.push('\n');
    }
}

/// The text with its middle left out where it is longer than `columns`.
pub(super) fn shortened(text: &str, columns: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= columns {
        return text.to_owned();
    }
    let kept = columns.saturating_sub(3);
    let (head, tail) = (kept / 2, kept - kept / 2);
    let start = letters.iter().take(head);
    let end = letters.iter().skip(letters.len() - tail);
    start.copied().chain("...".chars()).chain(end.copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paragraphs() {
        let check = |head: &str, text: &str, columns: usize, expected: &str| {
            let mut out = String::new();
            paragraph(&mut out, head, text, columns);
            assert_eq!(out, expected);
        };
        check("a: ", "one two three", 80, "a: one two three\n");
        check("a: ", "one two three", 10, "a: one two\n   three\n");
        check("a: ", "one  two ", 7, "a: one\n   two\n");
        check("", "abcdefgh", 3, "abc\ndef\ngh\n");
        check("a ", "", 10, "a\n");
        check("long head ", "xy", 4, "long head x\n          y\n");
    }

    #[test]
    fn long_texts() {
        assert_eq!(shortened("/run/a", 6), "/run/a");
        assert_eq!(shortened("/run/abcdef", 8), "/r...def");
        assert_eq!(shortened("größe-größe", 7), "gr...ße");
    }

    proptest! {
        #[test]
        fn never_wider(text in "[a-zß ]{0,200}", columns in 40usize..120) {
            let mut out = String::new();
            paragraph(&mut out, "head: ", &text, columns);
            prop_assert!(out.lines().all(|line| line.chars().count() <= columns));
            let letters = |text: &str| text.chars().filter(|letter| *letter != ' ' && *letter != '\n').collect::<String>();
            prop_assert_eq!(letters(&out), letters(&format!("head:{text}")));
        }
    }
}
