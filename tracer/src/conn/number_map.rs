//! Maps by numbers that nobody outside chooses: socket cookies, which the kernel counts up, and ids that dbtap gives out.
//!
//! Several look-ups for each record make the standard hash, which withstands chosen keys, one of the largest costs. For
//! anything that the target chooses (names, texts) it stays the right one.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// By socket, text id and the like.
pub type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;
/// As [`NumberMap`].
pub type NumberSet<K> = HashSet<K, BuildHasherDefault<NumberHasher>>;

/// Multiplies by the golden ratio and folds the halves of the product: both ends of the result depend on every bit.
#[derive(Clone, Copy, Debug, Default)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * 0x9E37_79B9_7F4A_7C15;
        let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
        self.0 = u64::try_from(low ^ high).unwrap_or(0);
    }
    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }
    /// For whatever else a key is made of.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table takes its place from the low bits and its tag from the upper seven.
    #[test]
    fn neighbours_spread_at_both_ends() {
        let hash = |number: u64| {
            let mut hasher = NumberHasher::default();
            hasher.write_u64(number);
            hasher.finish()
        };
        for step in [1, 16, 1 << 20, 1 << 40] {
            let low: HashSet<u64> = (0..128).map(|n| hash(n * step) & 0x7f).collect();
            let high: HashSet<u64> = (0..128).map(|n| hash(n * step) >> 57).collect();
            // 128 balls into 128 bins leave about 81 bins in use.
            assert!(low.len() > 64 && high.len() > 64, "step {step}: {} and {}", low.len(), high.len());
        }
    }
}
