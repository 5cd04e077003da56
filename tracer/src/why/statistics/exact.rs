//! Fisher's exact test, one-sided.

use super::Counts;

/// ln(n!) for n up to a limit.
#[derive(Clone, Debug)]
pub struct LnFactorials(Vec<f64>);

impl LnFactorials {
    /// The table for 0 to `largest`.
    pub fn up_to(largest: usize) -> Self {
        // Compensated (Kahan) summation: the error stays at the last bit of a sum however long it is.
        let (mut sum, mut lost, mut n) = (0.0_f64, 0.0_f64, 0.0_f64);
        let mut table = Vec::with_capacity(largest + 1);
        table.push(0.0);
        for _ in 0..largest {
            n += 1.0;
            let term = n.ln() - lost;
            let next = sum + term;
            lost = (next - sum) - term;
            sum = next;
            table.push(sum);
        }
        Self(table)
    }

    fn of(&self, n: u32) -> f64 {
        usize::try_from(n).ok().and_then(|n| self.0.get(n)).copied().unwrap_or(f64::NAN)
    }

    /// ln of the number of ways to choose `k` of `n`; minus infinity where there is none. `n` must be in the table.
    pub fn ln_choose(&self, n: u32, k: u32) -> f64 {
        if k > n { f64::NEG_INFINITY } else { self.of(n) - self.of(k) - self.of(n - k) }
    }

    /// ln of the probability that at least so many slow rows meet the condition, if the slow rows were drawn at random
    /// from all rows: the upper tail of the hypergeometric distribution (R. A. Fisher, The Design of Experiments,
    /// 1935, chapter II). All rows together must be in the table.
    pub fn ln_upper_tail(&self, counts: Counts) -> f64 {
        let Counts { slow_matched, slow, fast_matched, fast } = counts;
        let matched = slow_matched + fast_matched;
        let fewest = matched.saturating_sub(fast);
        if slow_matched <= fewest {
            return 0.0;
        }
        let ln_point = |x: u32| {
            self.ln_choose(slow, x) + self.ln_choose(fast, matched - x) - self.ln_choose(slow + fast, matched)
        };
        let (slow, fast, all_matched) = (f64::from(slow), f64::from(fast), f64::from(matched));
        if counts.is_enriched() {
            // Above the mean the probabilities fall: the sum ends where they no longer matter.
            let (mut sum, mut term, mut x) = (1.0, 1.0, f64::from(slow_matched));
            loop {
                term *= (slow - x) * (all_matched - x) / ((x + 1.0) * (fast - all_matched + x + 1.0));
                sum += term;
                x += 1.0;
                if term <= sum * 1e-17 {
                    break;
                }
            }
            (ln_point(slow_matched) + f64::ln(sum)).min(0.0)
        } else {
            // Below the mean the other tail is the short one.
            let (mut sum, mut term, mut x) = (1.0, 1.0, f64::from(slow_matched) - 1.0);
            loop {
                term *= x * (fast - all_matched + x) / ((slow - x + 1.0) * (all_matched - x + 1.0));
                sum += term;
                x -= 1.0;
                if term <= sum * 1e-17 {
                    break;
                }
            }
            (-(ln_point(slow_matched - 1).exp() * sum)).ln_1p()
        }
    }
}
