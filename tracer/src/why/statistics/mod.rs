//! Whether chance could have made a difference between slow and fast requests, and how much it explains.
//!
//! Exact tests only: no approximation by a normal or a chi-squared distribution, which fail where few requests are
//! slow. Never knows what a request or an attribute is: only counts.

mod dependence;
mod exact;
mod information;
#[cfg(test)]
mod tests;

pub use dependence::{Correlation, inflation};
pub use exact::LnFactorials;
pub use information::{Weights, entropy, explained, share_ratio};

/// The four counts of a condition: how many of the slow and of the fast rows meet it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Slow rows that meet it; at most `slow`.
    pub slow_matched: u32,
    /// Slow rows.
    pub slow: u32,
    /// Fast rows that meet it; at most `fast`.
    pub fast_matched: u32,
    /// Fast rows.
    pub fast: u32,
}

impl Counts {
    /// A larger part of the slow rows meets it than of the fast ones.
    pub fn is_enriched(&self) -> bool {
        u64::from(self.slow_matched) * u64::from(self.fast)
            > u64::from(self.fast_matched) * u64::from(self.slow)
    }
}
