//! Brings a key to its pattern: words and separators stay, everything that looks like an identifier becomes `?`.
//!
//! A word that consists of letters alone may be an identifier too (a user's name). So the words that may follow one
//! beginning are counted on each connection: past [`MOST_WORDS`] different ones every new one is a `?`. What was shown
//! until then stays: short words of letters are no secret to dbtap, and the limitations say so.

use std::collections::{HashMap, HashSet};

/// Different words that may follow one beginning of a key.
const MOST_WORDS: u32 = 32;
/// Different first words of keys.
const MOST_FIRST_WORDS: u32 = 128;
/// Words of one connection that are remembered, 8 bytes each.
const MOST_KNOWN: usize = 4096;
/// Longest word.
const LONGEST_WORD: usize = 32;
/// A pattern is cut behind so many bytes.
const LONGEST_PATTERN: usize = 96;
/// Removed parts of one key whose places are kept.
pub(super) const MOST_PARTS: usize = 8;

/// The words of one connection.
#[derive(Debug, Default)]
pub(super) struct Words {
    known: HashSet<u64, foldhash::quality::RandomState>,
    followers: HashMap<u64, u32, foldhash::quality::RandomState>,
}

impl Words {
    /// Whether a word may be shown behind this beginning.
    #[inline]
    fn admits(&mut self, beginning: u64, word: &[u8]) -> bool {
        let id = mix(beginning, word);
        self.known.contains(&id) || self.admits_new(beginning, id)
    }

    fn admits_new(&mut self, beginning: u64, id: u64) -> bool {
        let most = if beginning == 0 { MOST_FIRST_WORDS } else { MOST_WORDS };
        if self.known.len() >= MOST_KNOWN {
            return false;
        }
        let count = self.followers.entry(beginning).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        self.known.insert(id)
    }
}

#[inline]
fn mix(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed ^ 0x9e37_79b9_7f4a_7c15;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 32;
    }
    hash ^ bytes.len() as u64
}

/// The removed parts of one key: places in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    places: [(usize, usize); MOST_PARTS],
    len: usize,
}

impl Parts {
    fn push(&mut self, start: usize, end: usize) {
        if let Some(place) = self.places.get_mut(self.len) {
            *place = (start, end);
            self.len += 1;
        }
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        self.places.iter().take(self.len).copied()
    }
}

/// Appends the pattern of a key, and tells which parts are not in it. `cut`: these are only its first bytes.
#[inline]
pub(super) fn pattern(key: &[u8], cut: bool, words: &mut Words, out: &mut Vec<u8>) -> Parts {
    let mut parts = Parts::default();
    let from = out.len();
    let mut beginning = 0;
    let mut at = 0;
    if key.is_empty() {
        out.push(b'?');
        parts.push(0, 0);
    }
    while at < key.len() {
        let rest = &key[at..];
        let end = at + rest.iter().position(|byte| is_separator(*byte)).unwrap_or(rest.len());
        if end > at {
            let token = &key[at..end];
            let is_last = end == key.len();
            if cut && is_last || out.len() - from >= LONGEST_PATTERN || parts.len >= MOST_PARTS {
                out.push(b'?');
                parts.push(at, key.len());
                return parts;
            }
            let shown = out.len();
            write_token(token, at, beginning, words, out, &mut parts);
            beginning = mix(beginning, &out[shown..]);
        }
        if let Some(separator) = key.get(end) {
            out.push(*separator);
            beginning = mix(beginning, &[*separator]);
        }
        at = end + 1;
    }
    parts
}

/// Between the parts of a key.
#[inline]
fn is_separator(byte: u8) -> bool {
    matches!(byte, b':' | b'/' | b'{' | b'}' | b'|' | b'#' | b',')
}

/// Between the words of a part.
#[inline]
fn is_joint(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

fn write_token(
    token: &[u8],
    at: usize,
    beginning: u64,
    words: &mut Words,
    out: &mut Vec<u8>,
    parts: &mut Parts,
) {
    let mut digits = 0;
    let mut letters = 0;
    let mut joints = 0;
    for byte in token {
        digits += usize::from(byte.is_ascii_digit());
        letters += usize::from(byte.is_ascii_alphabetic());
        joints += usize::from(is_joint(*byte));
    }
    let readable = digits + letters + joints == token.len();
    if readable && digits == 0 && joints == 0 && is_word(token) && words.admits(beginning, token) {
        return out.extend_from_slice(token);
    }
    let before = (out.len(), *parts);
    if readable
        && letters > 0
        && (digits > 0 || joints > 0)
        && !is_uuid(token)
        && !(joints == 0 && token.len() >= 16)
        && write_words(token, at, beginning, words, out, parts)
    {
        return;
    }
    out.truncate(before.0);
    *parts = before.1;
    out.push(b'?');
    parts.push(at, at + token.len());
}

/// Writes the words between joints. False: nothing but `?` is left, or it looks like an identifier as a whole.
fn write_words(
    token: &[u8],
    at: usize,
    beginning: u64,
    words: &mut Words,
    out: &mut Vec<u8>,
    parts: &mut Parts,
) -> bool {
    let mut start = 0;
    let mut shown = false;
    let mut beginning = beginning ^ 1;
    loop {
        let rest = &token[start..];
        let end = start + rest.iter().position(|byte| is_joint(*byte)).unwrap_or(rest.len());
        let word = &token[start..end];
        if !word.is_empty() {
            let from = out.len();
            let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let head = &word[..letters];
            if letters == word.len() && is_word(word) && words.admits(beginning, word) {
                out.extend_from_slice(word);
                shown = true;
            } else if letters > 1
                && word[letters..].iter().all(u8::is_ascii_digit)
                && is_word(head)
                && words.admits(beginning, head)
            {
                // A word with a number: `user123`.
                out.extend_from_slice(head);
                out.push(b'?');
                parts.push(at + start + letters, at + end);
                shown = true;
            } else if word.len() >= 6 && letters != word.len() && letters > 0 {
                return false;
            } else {
                out.push(b'?');
                parts.push(at + start, at + end);
            }
            beginning = mix(beginning, &out[from..]);
        }
        match token.get(end) {
            Some(joint) => out.push(*joint),
            None => return shown,
        }
        start = end + 1;
    }
}

/// Letters that read as a word, not as a random identifier.
#[inline]
fn is_word(letters: &[u8]) -> bool {
    if letters.len() > LONGEST_WORD {
        return false;
    }
    if letters.len() < 6 {
        return true;
    }
    let mut humps = 0;
    let mut run = 0;
    let mut longest_run = 0;
    let mut hexadecimal = true;
    let mut lower = false;
    for byte in letters {
        humps += usize::from(lower && byte.is_ascii_uppercase());
        lower = byte.is_ascii_lowercase();
        hexadecimal &= byte.is_ascii_hexdigit();
        run = if matches!(byte | 0x20, b'a' | b'e' | b'i' | b'o' | b'u' | b'y') { 0 } else { run + 1 };
        longest_run = longest_run.max(run);
    }
    humps * 4 <= letters.len() && longest_run < 7 && !(hexadecimal && letters.len() >= 8)
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(token: &[u8]) -> bool {
    token.len() == 36
        && token.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: &str, words: &mut Words) -> (String, Vec<String>) {
        let mut out = Vec::new();
        let parts = pattern(key.as_bytes(), false, words, &mut out);
        let parts = parts.iter().map(|(start, end)| key[start..end].to_owned()).collect();
        (String::from_utf8(out).unwrap(), parts)
    }

    fn check(key: &str, expected: &str, parts: &[&str]) {
        assert_eq!(
            shown(key, &mut Words::default()),
            (expected.to_owned(), parts.iter().map(|part| (*part).to_owned()).collect()),
            "{key}"
        );
    }

    #[test]
    fn identifiers_become_question_marks() {
        check("user:4711:name", "user:?:name", &["4711"]);
        check("users", "users", &[]);
        check("", "?", &[""]);
        check("4711", "?", &["4711"]);
        check("user123", "user?", &["123"]);
        check("{user:1}:cart", "{user:?}:cart", &["1"]);
        check("cache/v2/item-77", "cache/?/item-?", &["v2", "77"]);
        check("s:123e4567-e89b-12d3-a456-426614174000:x", "s:?:x", &["123e4567-e89b-12d3-a456-426614174000"]);
        check("s:deadbeefdeadbeef", "s:?", &["deadbeefdeadbeef"]);
        check("s:5f4dcc3b5aa765d61d8327deb882cf99", "s:?", &["5f4dcc3b5aa765d61d8327deb882cf99"]);
        check("mail:bob@example.org", "mail:?", &["bob@example.org"]);
        check("ip:10.1.2.3:hits", "ip:?:hits", &["10.1.2.3"]);
        check("day:2024-01-15", "day:?", &["2024-01-15"]);
        check("t:dGhpcyBpcyBhIHRva2Vu", "t:?", &["dGhpcyBpcyBhIHRva2Vu"]);
        check("t:aGVsbG8_d29ybGQ-x", "t:?", &["aGVsbG8_d29ybGQ-x"]);
        check("name:Jürgen", "name:?", &["Jürgen"]);
        check("a b:c", "?:c", &["a b"]);
        check("rate_limit:login", "rate_limit:login", &[]);
        check("userProfileSettings", "userProfileSettings", &[]);
        check("key:__rand_int__", "key:__rand_int__", &[]);
        check("key:000000000012", "key:?", &["000000000012"]);
        check("::", "::", &[]);
        check("a:x7f3a", "a:?", &["x7f3a"]);
    }

    #[test]
    fn too_many_words_in_one_place_are_identifiers() {
        let mut words = Words::default();
        let name = |n: u32| {
            format!(
                "{}{}o",
                char::from(b'a' + u8::try_from(n % 26).unwrap()),
                "e".repeat(usize::try_from(n / 26).unwrap() + 1)
            )
        };
        let mut seen = HashSet::new();
        for n in 0..500 {
            seen.insert(shown(&format!("session:{}:cart", name(n)), &mut words).0);
        }
        assert_eq!(seen.len(), usize::try_from(MOST_WORDS).unwrap() + 1);
        assert_eq!(shown("session:nobody:cart", &mut words).0, "session:?:cart");
        assert_eq!(shown("order:open", &mut words).0, "order:open");
        for n in 0..100_000u32 {
            shown(&format!("{}:{}", name(n % 700), name(n % 699)), &mut words);
        }
        assert!(words.known.len() <= MOST_KNOWN && words.followers.len() <= MOST_KNOWN);
    }

    #[test]
    fn long_keys_are_cut() {
        let key = "word:".repeat(40);
        let (text, parts) = shown(&key, &mut Words::default());
        assert_eq!(text, format!("{}?", "word:".repeat(20)));
        assert_eq!(parts, [key[100..].to_owned()]);
        let mut out = Vec::new();
        pattern(b"user:alic", true, &mut Words::default(), &mut out);
        assert_eq!(out, b"user:?");
    }
}
