//! The fast keyed hash. Its results are for comparing within one capture and never leave the process.

use std::hash::{BuildHasher, Hasher, RandomState};

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

use super::Kind;

/// Random numbers of one extractor, from the randomness that std's hash maps use.
pub(super) struct Key {
    shared: SharedSeed,
    seed: u64,
    /// Odd, as multiply-shift hashing asks for.
    prefix: [u64; 4],
}

impl Key {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        let word = |n: u64| random.hash_one(n);
        Self {
            shared: SharedSeed::from_u64(word(0)),
            seed: word(1),
            prefix: [word(2) | 1, word(3) | 1, word(4) | 1, word(5) | 1],
        }
    }

    /// A seed for each kind: 0 is no FALSE.
    #[inline]
    fn hasher(&self, kind: Kind) -> FoldHasher<'_> {
        FoldHasher::with_seed(self.seed.rotate_left(6 * u32::from(kind as u8)), &self.shared)
    }

    #[inline]
    pub(super) fn word(&self, kind: Kind, word: u64) -> u64 {
        let mut hasher = self.hasher(kind);
        hasher.write_u64(word);
        hasher.finish()
    }

    #[inline]
    pub(super) fn words(&self, kind: Kind, words: u128) -> u64 {
        let mut hasher = self.hasher(kind);
        hasher.write_u128(words);
        hasher.finish()
    }

    #[inline]
    pub(super) fn bytes(&self, kind: Kind, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher(kind);
        hasher.write(bytes);
        hasher.finish()
    }

    /// Hashes of the first 1, 2, 4 and 8 bytes of a text whose first eight, in little-endian order, are `word`, from the
    /// lowest 16 bits up:
    /// multiply-shift (Dietzfelbinger and others, 1997), where two beginnings meet with a chance of at most 2 in 65,536.
    #[inline]
    pub(super) fn prefixes(&self, word: u64) -> u64 {
        let [one, two, four, eight] = self.prefix;
        let top = |word: u64, odd: u64| word.wrapping_mul(odd) >> 48;
        top(word & 0xff, one)
            | top(word & 0xffff, two) << 16
            | top(word & 0xffff_ffff, four) << 32
            | top(word, eight) << 48
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}
