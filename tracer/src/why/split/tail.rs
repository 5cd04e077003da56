//! The tail beyond what the bulk lets expect.
//!
//! The bulk is taken as log-normal, the form that latencies of one kind mostly have, by its median and upper quartile,
//! which a tail of up to a quarter cannot move. Slow are the requests where such a bulk would have none.

use super::{LEAST_SLOW, Values, float};

/// Upper quartile of the standard normal distribution.
const QUARTILE: f64 = 0.674_489_75;
/// Its upper decile.
const DECILE: f64 = 1.281_551_57;
/// The tail begins where the bulk would have so many requests. Five or more instead have a chance below 1 in 5,000.
const EXPECTED: f64 = 0.5;
/// The tail begins at so many medians at least. Less would not be worth a search.
const APART: f64 = 3.0;
/// Fewer different latencies between the quartiles are rounded ones, where median and quartile may be off by a whole
/// step. Then the upper decile has a say too, and the step below the median is taken for it.
const ROUNDED: usize = 8;
/// No bulk is narrower.
const NARROW: f64 = 0.05;
/// How uncertain the width is that the quartiles of n requests give, relative, times the square root of n: twice the
/// standard error of their distance in a normal distribution.
const UNCERTAIN: f64 = 3.6;

/// Where the tail begins, in ns.
pub(super) fn find(values: &Values) -> Option<u64> {
    let median = values.quantile(0.5)?;
    let (lower, upper) = (values.at_share(0.25), values.at_share(0.75));
    let mut sigma = (values.quantile(0.75)? / median).ln() / QUARTILE;
    let between = values.list.iter().filter(|(ns, _)| (lower..=upper).contains(ns)).count();
    if between < ROUNDED {
        let step_below = values.list.iter().map(|(ns, _)| float(*ns)).rfind(|ns| *ns < median);
        let decile = values.quantile(0.9)?;
        sigma = sigma.max((decile / step_below.unwrap_or(median)).ln() / DECILE);
    }
    sigma = sigma.max(NARROW) * (1.0 + UNCERTAIN / values.total.sqrt());
    let reach = (normal_tail_from(EXPECTED / values.total) * sigma).exp().max(APART);
    let from = values.list.iter().find(|(ns, _)| float(*ns) >= median * reach).map(|(ns, _)| *ns)?;
    (values.from(from) >= LEAST_SLOW).then_some(from)
}

/// From which point on the standard normal distribution has this share, at most 0.1.
fn normal_tail_from(share: f64) -> f64 {
    let (mut low, mut high) = (1.0, 40.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if normal_tail(middle) > share { low = middle } else { high = middle }
    }
    low
}

/// The share of the standard normal distribution beyond `z`, at least 1, by Laplace's continued fraction (Abramowitz and
/// Stegun, Handbook of Mathematical Functions, 26.2.14).
fn normal_tail(z: f64) -> f64 {
    let fraction = (1..=60_u32).rev().fold(z, |rest, k| z + f64::from(k) / rest);
    (-z * z / 2.0).exp() / (std::f64::consts::TAU.sqrt() * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Handbook of Mathematical Functions, table 26.1.
    #[test]
    fn the_normal_tail_is_that_of_the_tables() {
        for (z, share) in [(1.0, 0.158_655_25), (2.0, 0.022_750_13), (3.0, 0.001_349_90), (4.0, 3.167e-5)] {
            assert!((normal_tail(z) / share - 1.0).abs() < 1e-3, "{z}: {}", normal_tail(z));
            assert!((normal_tail_from(share) - z).abs() < 1e-3 || z < 2.0, "{z}");
        }
    }
}
