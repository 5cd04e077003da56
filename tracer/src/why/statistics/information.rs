//! How much of the question "slow or fast?" a condition answers.

use super::Counts;

/// How many requests a row stands for. Slow and fast ones may be sampled at different rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Requests for each slow row.
    pub slow: f64,
    /// Requests for each fast row.
    pub fast: f64,
}

/// Mutual information of "slow" and "meets the condition" over the entropy of "slow": 0 nothing, 1 all.
pub fn explained(counts: Counts, weights: Weights) -> f64 {
    let (a, b, c, d) = cells(counts, weights);
    let (matched, others) = (a + c, b + d);
    let all = matched + others;
    let before = entropy(a + b, c + d);
    if before <= 0.0 {
        return 0.0;
    }
    let after = entropy(a, c) * matched / all + entropy(b, d) * others / all;
    (1.0 - after / before).clamp(0.0, 1.0)
}

/// The slow share among the requests that meet the condition, over the slow share among the others.
pub fn share_ratio(counts: Counts, weights: Weights) -> f64 {
    let (a, b, c, d) = cells(counts, weights);
    let (inside, outside) = (a / (a + c).max(f64::MIN_POSITIVE), b / (b + d).max(f64::MIN_POSITIVE));
    if inside <= 0.0 { 0.0 } else { inside / outside }
}

/// Slow matched, slow not, fast matched, fast not; in requests.
fn cells(counts: Counts, weights: Weights) -> (f64, f64, f64, f64) {
    let (a, c) =
        (f64::from(counts.slow_matched) * weights.slow, f64::from(counts.fast_matched) * weights.fast);
    let (slow, fast) = (f64::from(counts.slow) * weights.slow, f64::from(counts.fast) * weights.fast);
    (a, slow - a, c, fast - c)
}

/// Entropy in nats of one of `a` + `b`, when it is known how many are of which sort.
pub fn entropy(a: f64, b: f64) -> f64 {
    let part = |x: f64| if x > 0.0 { -x / (a + b) * (x / (a + b)).ln() } else { 0.0 };
    part(a) + part(b)
}
