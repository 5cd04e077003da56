//! One latency histogram: the buckets of an HDR histogram, kept as small as their number allows.
//!
//! The bucket layout is that of HdrHistogram with lowest value 1 ns, highest value 1 h and 3 significant digits; the
//! tests compare every part with the crate `hdrhistogram`. A full array of those takes 264 KiB; a statement that uses
//! 100 buckets takes 2 KiB here, and one that uses all about 70 KiB. Never loses a value: what is above 1 h counts in
//! the last bucket, and minimum, maximum and sum stay exact.

mod encode;
mod paged;
mod sparse;

use crate::time::Nanos;
use paged::Paged;
use sparse::Sparse;

/// The highest value that has a bucket of its own: one hour.
pub const HIGHEST_NS: u64 = 3_600_000_000_000;
/// Significant decimal digits that a bucket keeps.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// HdrHistogram's sub-bucket count is the power of two above 2 x 10^3, so 2048; every octave adds one half of it.
const HALF: u64 = 1024;
const HALF_BITS: u32 = 10;
/// Buckets from 0 to [`HIGHEST_NS`].
const BUCKETS: usize = 33_421;

/// Where a value is counted. Index of HdrHistogram's counts array.
fn bucket_of(value_ns: u64) -> u64 {
    let value = value_ns.min(HIGHEST_NS);
    let octave = u64::from((64 - (value | (2 * HALF - 1)).leading_zeros()).saturating_sub(HALF_BITS + 1));
    octave * HALF + (value >> octave)
}

/// The lowest value that is counted in this bucket.
fn lowest_of(bucket: u64) -> u64 {
    let octave = (bucket >> HALF_BITS).saturating_sub(1);
    (bucket - octave * HALF) << octave
}

/// The highest value that is counted in this bucket.
fn highest_of(bucket: u64) -> u64 {
    lowest_of(bucket + 1) - 1
}

/// Index type of slices; bucket indexes fit by far.
fn at(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[derive(Clone, Debug)]
enum Buckets {
    Sparse(Sparse),
    Paged(Paged),
}

/// A distribution of time spans.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Buckets,
    count: u64,
    min_ns: u64,
    max_ns: u64,
    sum_ns: u128,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: Buckets::Sparse(Sparse::default()), count: 0, min_ns: 0, max_ns: 0, sum_ns: 0 }
    }
}

impl Histogram {
    /// Counts one value.
    pub fn record(&mut self, value: Nanos) {
        let value_ns = value.0;
        self.min_ns = if self.count == 0 { value_ns } else { self.min_ns.min(value_ns) };
        self.max_ns = self.max_ns.max(value_ns);
        self.sum_ns += u128::from(value_ns);
        self.count = self.count.saturating_add(1);
        self.add(bucket_of(value_ns), 1);
    }

    /// Counts all values of another one too.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min_ns = if self.count == 0 { other.min_ns } else { self.min_ns.min(other.min_ns) };
        self.max_ns = self.max_ns.max(other.max_ns);
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.count = self.count.saturating_add(other.count);
        for (bucket, count) in other.counts() {
            self.add(bucket, count);
        }
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }
    /// The smallest value, exact; 0 when empty.
    pub fn min_ns(&self) -> u64 {
        self.min_ns
    }
    /// The largest value, exact also above 1 h; 0 when empty.
    pub fn max_ns(&self) -> u64 {
        self.max_ns
    }
    /// The sum of all values, exact.
    pub fn sum_ns(&self) -> u128 {
        self.sum_ns
    }
    /// The mean of the exact values, rounded down; 0 when empty.
    pub fn mean_ns(&self) -> u64 {
        u64::try_from(self.sum_ns / u128::from(self.count.max(1))).unwrap_or(u64::MAX)
    }
    /// Heap memory of the buckets.
    pub fn bytes(&self) -> usize {
        match &self.buckets {
            Buckets::Sparse(sparse) => sparse.bytes(),
            Buckets::Paged(paged) => paged.bytes(),
        }
    }

    /// The value that so many thousandths of all values do not exceed, within 0.1 %: the upper end of its bucket,
    /// but never outside of what was seen. One answer for each of the ascending `per_mille`; 0 when empty.
    pub fn quantiles<const N: usize>(&self, per_mille: [u64; N]) -> [u64; N] {
        let counts = self.counts();
        let total: u128 = counts.iter().map(|(_, n)| u128::from(*n)).sum();
        let mut counts = counts.into_iter();
        let (mut bucket, mut below) = (0, 0_u128);
        per_mille.map(|per_mille| {
            let rank = (total * u128::from(per_mille)).div_ceil(1_000).max(1);
            while below < rank {
                let Some((next, n)) = counts.next() else { break };
                (bucket, below) = (next, below + u128::from(n));
            }
            highest_of(bucket).clamp(self.min_ns, self.max_ns)
        })
    }

    /// All counts in HdrHistogram's encoding "V2 compressed".
    pub fn encode(&self) -> Vec<u8> {
        encode::v2_compressed(&self.counts())
    }

    /// All buckets in use, ascending: (highest value of the bucket in ns, count). Within 0.1 %; what is above 1 h is in
    /// the last one.
    pub fn buckets(&self) -> Vec<(u64, u64)> {
        self.counts().into_iter().map(|(bucket, count)| (highest_of(bucket), count)).collect()
    }

    /// The lowest value that is counted together with this one.
    pub fn lower_edge(value: Nanos) -> Nanos {
        Nanos(lowest_of(bucket_of(value.0)))
    }

    /// Counts by quarter octave, non-empty ones only: (highest value of it in ns, count). A quarter octave is a
    /// whole number of buckets, so these counts are exact too. 1 us to 1 h has 127 of them.
    pub fn quarter_octaves(&self) -> Vec<(u64, u64)> {
        let mut coarse: Vec<(u64, u64)> = Vec::new();
        for (bucket, count) in self.counts() {
            let upper_ns = highest_of(bucket | (HALF / 4 - 1));
            match coarse.last_mut() {
                Some(last) if last.0 == upper_ns => last.1 += count,
                _ => coarse.push((upper_ns, count)),
            }
        }
        coarse
    }

    /// (bucket, count) of all buckets in use, in ascending order, each once.
    fn counts(&self) -> Vec<(u64, u64)> {
        let mut counts: Vec<(u64, u64)> = match &self.buckets {
            Buckets::Sparse(sparse) => sparse.iter().collect(),
            Buckets::Paged(paged) => paged.iter().collect(),
        };
        counts.sort_unstable();
        counts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 = kept.1.saturating_add(if same { next.1 } else { 0 });
            same
        });
        counts
    }

    fn add(&mut self, bucket: u64, n: u64) {
        match &mut self.buckets {
            Buckets::Paged(paged) => paged.add(bucket, n),
            Buckets::Sparse(sparse) => {
                if !sparse.add(bucket, n) {
                    let mut paged = Paged::default();
                    for (bucket, count) in sparse.iter() {
                        paged.add(bucket, count);
                    }
                    paged.add(bucket, n);
                    self.buckets = Buckets::Paged(paged);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
