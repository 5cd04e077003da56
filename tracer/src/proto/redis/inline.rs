//! Splits an inline command into its arguments: words between white space, or in quotes, also inside a word.
//!
//! Source: `sdssplitargs` of Redis 7. What backslashes stand for is not read: only patterns and lengths are wanted.

/// No name is longer.
const LONGEST_NAME: usize = 64;

/// A word: where it is, and whether it says there what the server reads. A quote inside, or something behind the quote
/// that ends it, makes it another.
pub(super) struct Word {
    pub start: usize,
    pub end: usize,
    pub plain: bool,
}

/// What ends a word outside of quotes.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0)
}

/// Calls `word` with each of the first `most` words. A quote that does not end takes the rest.
pub(super) fn split(line: &[u8], most: usize, mut word: impl FnMut(Word)) {
    let byte = |at: usize| line.get(at).copied();
    let mut at = 0;
    for _ in 0..most {
        while byte(at).is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0) {
            at += 1;
        }
        let Some(first) = byte(at) else { return };
        let start = at;
        let mut quote = None;
        let mut quotes = 0;
        while let Some(next) = byte(at) {
            match quote {
                Some(open) if next == open => quote = None,
                // In single quotes a backslash stands for itself, but before such a quote.
                Some(open) if next == b'\\' && (open == b'"' || byte(at + 1) == Some(open)) => at += 1,
                Some(_) => {}
                None if is_space(next) => break,
                None if next == b'"' || next == b'\'' => {
                    quotes += 1;
                    quote = Some(next);
                }
                None => {}
            }
            at += 1;
        }
        at = at.min(line.len());
        let is_quoted = first == b'"' || first == b'\'';
        let closed = quote.is_none();
        let ends_quoted = closed && line.get(at - 1) == Some(&first);
        word(match (is_quoted, quotes) {
            (true, 1) if ends_quoted => Word { start: start + 1, end: at - 1, plain: true },
            (true, 1) => Word { start: start + 1, end: at, plain: !closed },
            (_, quotes) => Word { start, end: at, plain: quotes == 0 },
        });
    }
}

/// How many bytes of the line may be kept: all (None), or only its name, where the rest may hold a password. A name that
/// is none in plain sight counts as one of these. The line has no white space before it.
pub(super) fn kept(line: &[u8]) -> Option<usize> {
    let line = line.get(..LONGEST_NAME).unwrap_or(line);
    let quote = line.first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let start = usize::from(quote.is_some());
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let len = line.get(start..)?.iter().take_while(|byte| is_part(byte)).count();
    let name = line.get(start..start + len)?;
    let behind = line.get(start + len).copied();
    let ends = match quote {
        Some(_) => behind.is_none() || behind == quote,
        None => behind.is_none_or(is_space),
    };
    let secret = !ends
        || behind.is_some() && super::client::HOLD_SECRETS.iter().any(|one| name.eq_ignore_ascii_case(one));
    secret.then_some(start + len)
}

#[cfg(test)]
mod tests {
    use super::{kept, split};

    fn check(line: &str, expected: &[&str]) {
        let mut words = Vec::new();
        split(line.as_bytes(), 4, |word| {
            words.push(if word.plain { &line[word.start..word.end] } else { "(other)" })
        });
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
        check("AUTH hun\"ter 2\" x\r\n", &["AUTH", "(other)", "x"]);
        check("AUTH \"hunter\"2 x\r\n", &["AUTH", "(other)", "x"]);
        check("AUTH 'a\\' b' 'c\\\\' d\r\n", &["AUTH", "a\\' b", "c\\\\' d\r\n"]);
        check("AUTH hunter\x0c2 ''\r\n", &["AUTH", "hunter\x0c2", ""]);
    }

    #[test]
    fn what_may_hold_a_password_is_known_by_its_name() {
        for (line, expected) in [
            ("auth x", Some(4)),
            ("CONFIG SET", Some(6)),
            ("'AUTH' x", Some(5)),
            ("A\"UTH\" x", Some(1)),
            ("\"\\x41UTH\" x", Some(1)),
            ("AUTH", None),
            ("GET x", None),
            ("\"GET\" x", None),
            ("JSON.SET x", None),
            ("", None),
        ] {
            assert_eq!(kept(line.as_bytes()), expected, "{line}");
        }
    }
}
