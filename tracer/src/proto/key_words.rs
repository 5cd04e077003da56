//! Bounds how many different words the keys of one connection may show.
//!
//! [`super::key_pattern`] lets words of letters stand. Where they are identifiers (`session:alice`), there would be as
//! many statements as users. So the words that may follow one beginning of a key are counted: behind [`MOST_WORDS`]
//! different ones, every new one is `?`. What was shown until then stays shown.

use std::collections::{HashMap, HashSet};

/// Different words that may follow one beginning of a key.
const MOST_WORDS: u32 = 32;
/// Different first words of keys.
const MOST_FIRST_WORDS: u32 = 128;
/// Words and patterns of one connection that are remembered, 8 bytes each.
const MOST_KNOWN: usize = 4096;

/// The words of one connection, by their hashes.
#[derive(Debug, Default)]
pub struct Words {
    /// Patterns whose words are all admitted.
    patterns: HashSet<u64, foldhash::quality::RandomState>,
    /// Words behind a beginning that are admitted.
    known: HashSet<u64, foldhash::quality::RandomState>,
    followers: HashMap<u64, u32, foldhash::quality::RandomState>,
}

impl Words {
    /// Replaces words of the pattern that `text` has from `from` on. Hands out each, with the number of `?` before it in
    /// the pattern.
    #[inline]
    pub fn limit(&mut self, text: &mut Vec<u8>, from: usize, removed: impl FnMut(usize, &[u8])) {
        let pattern = text.get(from..).unwrap_or_default();
        let id = mix(0, pattern);
        if !self.patterns.contains(&id) {
            self.limit_new(text, from, id, removed);
        }
    }

    fn limit_new(&mut self, text: &mut Vec<u8>, from: usize, id: u64, mut removed: impl FnMut(usize, &[u8])) {
        let pattern = text.split_off(from);
        let mut rest = &pattern[..];
        let mut beginning = 0;
        let mut marks = 0;
        let mut all = true;
        while !rest.is_empty() {
            let len = rest.iter().take_while(|byte| is_part(**byte)).count();
            let (part, behind) = rest.split_at(len.max(1));
            let has_letters = part.iter().any(|byte| is_part(*byte) && *byte != b'?');
            if !has_letters || self.admits(beginning, part) {
                text.extend_from_slice(part);
                marks += part.iter().filter(|byte| **byte == b'?').count();
                beginning = mix(beginning, part);
            } else {
                all = false;
                if !part.contains(&b'?') {
                    removed(marks, part);
                }
                text.push(b'?');
                marks += part.iter().filter(|byte| **byte == b'?').count().max(1);
                beginning = mix(beginning, b"?");
            }
            rest = behind;
        }
        if all && self.patterns.len() < MOST_KNOWN {
            self.patterns.insert(id);
        }
    }

    /// Whether a word may be shown behind this beginning.
    fn admits(&mut self, beginning: u64, word: &[u8]) -> bool {
        let id = mix(beginning, word);
        if self.known.contains(&id) {
            return true;
        }
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

/// Letters, the mark of a removed part, and everything that is no separator.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'?' || !byte.is_ascii()
}

/// Of beginning and bytes together; not for anything that must resist an attacker: the tables are bounded.
#[inline]
fn mix(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut hash = seed ^ bytes.len() as u64;
    for word in words.iter().chain([&last]) {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 32;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: &str, words: &mut Words) -> (String, Vec<String>) {
        let mut out = b"GET ".to_vec();
        let mut removed = Vec::new();
        crate::proto::key_pattern::push(key.as_bytes(), &mut out, |_| {});
        words.limit(&mut out, 4, |at, word| {
            removed.push(format!("{at} {}", String::from_utf8_lossy(word)));
        });
        (String::from_utf8(out).unwrap(), removed)
    }

    fn name(n: usize) -> String {
        let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        format!("{}{}{}", letters[n / 100 % 10], letters[n / 10 % 10], letters[n % 10])
    }

    #[test]
    fn too_many_words_in_one_place_are_identifiers() {
        let mut words = Words::default();
        let seen: HashSet<String> =
            (0..500).map(|n| shown(&format!("session:{}:cart", name(n)), &mut words).0).collect();
        assert_eq!(seen.len(), 33);
        assert_eq!(
            shown("session:nobody:cart", &mut words),
            ("GET session:?:cart".to_owned(), vec!["0 nobody".to_owned()])
        );
        assert_eq!(shown("session:someone7:cart", &mut words), ("GET session:?:cart".to_owned(), vec![]));
        assert_eq!(shown("order:7:open", &mut words), ("GET order:?:open".to_owned(), vec![]));
        assert_eq!(shown("session:aaa:cart", &mut words).0, "GET session:aaa:cart");
    }

    #[test]
    fn memory_is_bounded() {
        let mut words = Words::default();
        for n in 0..20_000 {
            shown(&format!("{}:{}:{}", name(n % 7), name(n % 901), name(n)), &mut words);
            shown(&format!("{}:{}", name(n), name(n % 13)), &mut words);
        }
        assert!(words.known.len() <= MOST_KNOWN && words.followers.len() <= MOST_KNOWN);
        assert!(words.patterns.len() <= MOST_KNOWN);
    }
}
