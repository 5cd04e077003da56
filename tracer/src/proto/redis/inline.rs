//! Splits an inline command into its arguments: words between white space, or in quotes.
//!
//! Source: `sdssplitargs` of Redis 7. What backslashes stand for is not read: only patterns and lengths are wanted.

/// Calls `word` with the place of each of the first `most` words. A quote that does not end takes the rest.
pub(super) fn split(line: &[u8], most: usize, mut word: impl FnMut(usize, usize)) {
    let byte = |at: usize| line.get(at).copied();
    let mut at = 0;
    for _ in 0..most {
        while byte(at).is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0) {
            at += 1;
        }
        let Some(first) = byte(at) else { return };
        if first == b'"' || first == b'\'' {
            let start = at + 1;
            at = start;
            while byte(at).is_some_and(|byte| byte != first) {
                at += if byte(at) == Some(b'\\') { 2 } else { 1 };
            }
            let end = at.min(line.len());
            word(start.min(end), end);
            at = end + 1;
        } else {
            let start = at;
            while byte(at).is_some_and(|byte| !byte.is_ascii_whitespace()) {
                at += 1;
            }
            word(start, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    fn check(line: &str, expected: &[&str]) {
        let mut words = Vec::new();
        split(line.as_bytes(), 4, |start, end| words.push(&line[start..end]));
        assert_eq!(words, expected, "{line}");
    }

    #[test]
    fn case_41_words_and_quotes() {
        check("PING\r\n", &["PING"]);
        check("  set  a\tb\r\n", &["set", "a", "b"]);
        check("set \"a b\" 'c d'\n", &["set", "a b", "c d"]);
        check("set \"a\\\"b\" c\n", &["set", "a\\\"b", "c"]);
        check("set \"open\r\n", &["set", "open\r\n"]);
        check("set \"open\\", &["set", "open\\"]);
        check("\r\n", &[]);
        check("", &[]);
        check("a b c d e f\r\n", &["a", "b", "c", "d"]);
    }
}
