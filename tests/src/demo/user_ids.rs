//! Which users ask: a seeded, skewed generator, so that every run of the demo sees the same users.
//!
//! No cryptography, no clock, no global state.

use super::is_slow_user;

/// Share of slow users among the generated ids, in percent.
pub const SLOW_PERCENT: u64 = 23;

/// Smallest and largest id that [`UserIds`] yields.
pub const RANGE: std::ops::RangeInclusive<i64> = 10..=9_999;

/// An endless, deterministic sequence of user ids.
///
/// Low ids come more often than high ones, and [`SLOW_PERCENT`] of the ids belong to slow users
/// (an even draw over ten last digits would make it 20).
#[derive(Debug, Clone)]
pub struct UserIds {
    random: SplitMix64,
}

impl UserIds {
    /// Starts the sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { random: SplitMix64(seed) }
    }
}

impl Iterator for UserIds {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        // The smaller of two draws: low numbers come more often.
        let tens = 1 + self.random.below(999).min(self.random.below(999));
        let wanted_slow = self.random.below(100) < SLOW_PERCENT;
        loop {
            let id = tens.wrapping_mul(10).wrapping_add(self.random.below(10)).cast_signed();
            if is_slow_user(id) == wanted_slow {
                return Some(id);
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// The next 64 bits.
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 for a bound of 0. The tiny bias of the remainder does not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_bits().checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_same_for_the_same_seed_and_skewed() {
        let first: Vec<i64> = UserIds::new(7).take(10_000).collect();
        assert_eq!(first, UserIds::new(7).take(10_000).collect::<Vec<_>>());
        assert_ne!(first, UserIds::new(8).take(10_000).collect::<Vec<_>>());
        assert!(first.iter().all(|id| RANGE.contains(id)));
        let slow = first.iter().filter(|id| is_slow_user(**id)).count();
        assert!((2_200..=2_400).contains(&slow), "{slow} of 10000 are slow");
        let low = first.iter().filter(|id| **id < 5_000).count();
        assert!((7_300..=7_700).contains(&low), "{low} of 10000 in the lower half");
    }
}
