//! Counts of few buckets: a small hash table.

use super::at;

/// One word for each bucket in use: bucket + 1 above, count below. 48 bits count to 2.8e14: years at full speed.
const COUNT_BITS: u32 = 48;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const FIRST_CAPACITY: usize = 8;
/// 4 KiB. A table of twice as many would take more than most [`super::paged::Paged`] forms of the same content.
const LAST_CAPACITY: usize = 512;

/// Open addressing with linear probing, at most three quarters full, capacity a power of two or 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse {
    words: Vec<u64>,
    used: usize,
}

impl Sparse {
    /// Adds to a bucket. False, and nothing is changed: the table has reached its last size and is full.
    pub fn add(&mut self, bucket: u64, n: u64) -> bool {
        if let Some(slot) = self.slot_of(bucket) {
            let word = self.words[slot];
            if word != 0 {
                let count = (word & COUNT_MASK).saturating_add(n).min(COUNT_MASK);
                self.words[slot] = (word & !COUNT_MASK) | count;
                return true;
            }
            if (self.used + 1) * 4 <= self.words.len() * 3 {
                self.words[slot] = ((bucket + 1) << COUNT_BITS) | n.min(COUNT_MASK);
                self.used += 1;
                return true;
            }
        }
        self.grow() && self.add(bucket, n)
    }

    /// (bucket, count) of all buckets in use, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.words.iter().filter(|w| **w != 0).map(|w| ((w >> COUNT_BITS) - 1, w & COUNT_MASK))
    }

    pub fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    /// The slot that holds this bucket, or the free one where it belongs. `None` only for a table without slots.
    fn slot_of(&self, bucket: u64) -> Option<usize> {
        let mask = self.words.len().checked_sub(1)?;
        let key = bucket + 1;
        // Fibonacci hashing: neighbouring buckets and buckets an octave apart both spread well.
        let mut slot = at(key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) & mask;
        loop {
            let word = self.words[slot];
            if word == 0 || word >> COUNT_BITS == key {
                return Some(slot);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Doubles the table. False: it has its last size.
    #[cold]
    fn grow(&mut self) -> bool {
        if self.words.len() >= LAST_CAPACITY {
            return false;
        }
        let larger = vec![0; (self.words.len() * 2).max(FIRST_CAPACITY)];
        let words = std::mem::replace(&mut self.words, larger);
        for word in words.into_iter().filter(|w| *w != 0) {
            if let Some(slot) = self.slot_of((word >> COUNT_BITS) - 1) {
                self.words[slot] = word;
            }
        }
        true
    }
}
