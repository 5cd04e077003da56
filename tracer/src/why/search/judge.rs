//! What is found and what is not: probability corrected for everything that was tried, and an effect worth showing.
//!
//! **Correction.** If nothing sets the slow rows apart, then every way to deal the slow marks to the rows is equally
//! likely, whatever the codes of the rows are. So the conditions that are tried may be chosen by looking at the codes
//! as much as one likes (constant attributes and rare values are left out), but not by looking at the marks. Each
//! condition of each attribute then gets a share of the error probability that was fixed before looking at the marks:
//! statements and attributes equal shares, within an attribute as in [`super::column`]. The sum of all shares is at
//! most 1, so by the union bound the chance that *any* condition of *any* statement passes without a cause is at most
//! the threshold, however cleverly the search picks among them. (Bonferroni's correction with weights.)
//!
//! A condition that is tested among the rows that meet another one, or that do not, pays for both: the rows it is tested
//! among were chosen by that other condition, and a pair of conditions is what was chosen among all pairs.
//!
//! **Dependence.** See [`crate::why::statistics`]: rows near in time count as fewer. A window of time is itself about
//! nearness: where nearly everything in it is slow, it is told as it is, since one long stall is an answer. Otherwise
//! the slow rows inside and outside must not come in heaps of their own, else any window around some of the heaps
//! would do.

use super::column::NONE;
use super::pick::Candidate;
use super::table::{Subset, Table};
use crate::why::attribute::Shape;
use crate::why::statistics::{Correlation, Counts, entropy, explained, inflation, share_ratio};
use crate::why::{Attribute, Feature, Subject};

/// A finding's corrected probability is below this.
pub(super) const MAX_P: f64 = 0.001;
/// A finding answers at least this part of "slow or fast?". Less leaves nine tenths of the slowness unexplained: true,
/// perhaps, but no answer to why requests are slow.
const MIN_EXPLAINED: f64 = 0.1;
/// Requests that meet it are slow at least this many times as often as the others. With many rows a difference of a few
/// percent is certain and useless.
const MIN_RATIO: f64 = 2.0;
/// Slow rows that meet it. What two requests have in common is an anecdote, whatever its probability.
const MIN_SLOW: u32 = 3;
/// So large a part of the requests of a window being slow makes it one long stall.
const STALL_SHARE: f64 = 0.8;

/// Whether it is an effect of the request, never a cause.
pub(super) fn is_effect(attribute: Attribute) -> bool {
    attribute.subject == Subject::Answer
}

impl Table {
    /// How much of the question these counts answer.
    pub(super) fn explained(&self, counts: Counts) -> f64 {
        explained(counts, self.weights)
    }

    /// How much they answer, less the cost of the condition in the same measure: among many conditions some fit the rows
    /// better than the true one only because there are many. (Minimum description length, J. Rissanen, 1978.)
    pub(super) fn merit(&self, counts: Counts, ln_cost: f64) -> f64 {
        let marks = f64::from(counts.slow + counts.fast) * entropy(counts.slow.into(), counts.fast.into());
        self.explained(counts) - ln_cost / marks.max(f64::MIN_POSITIVE)
    }

    /// The effect is worth showing.
    pub(super) fn is_worth(&self, counts: Counts) -> bool {
        counts.slow_matched >= MIN_SLOW
            && self.explained(counts) >= MIN_EXPLAINED
            && share_ratio(counts, self.weights) >= MIN_RATIO
    }

    /// How many rows count as one for this condition.
    pub(super) fn inflation(&self, candidate: &Candidate, subset: &Subset) -> f64 {
        let Some(column) = self.columns.get(candidate.column) else { return 1.0 };
        match (column.shape, column.attribute.feature) {
            (Shape::Window, _) => self.window_inflation(candidate, subset),
            // An error is what became of the request, whenever it was sent.
            (_, Feature::Error) => 1.0,
            _ => {
                let matched: Vec<bool> =
                    subset.rows().map(|(row, _)| candidate.chosen.contains(column.at(row))).collect();
                inflation(&Correlation::of(&matched), subset.correlation())
            }
        }
    }

    fn window_inflation(&self, candidate: &Candidate, subset: &Subset) -> f64 {
        let Some(column) = self.columns.get(candidate.column) else { return 1.0 };
        let Counts { slow_matched, slow, fast_matched, fast } = candidate.counts;
        let share = |slow: u32, fast: u32| {
            let slow = f64::from(slow) * self.weights.slow;
            slow / (slow + f64::from(fast) * self.weights.fast)
        };
        if share(slow_matched, fast_matched) >= STALL_SHARE {
            return 1.0;
        }
        let mean = |slow: u32, fast: u32| f64::from(slow) / f64::from(slow + fast).max(1.0);
        let inside = mean(slow_matched, fast_matched);
        let outside = mean(slow - slow_matched, fast - fast_matched);
        let residuals: Vec<f64> = subset
            .rows()
            .map(|(row, slow)| (column.at(row), slow))
            .filter(|(index, _)| *index != NONE)
            .map(|(index, slow)| {
                f64::from(u8::from(slow)) - if candidate.chosen.contains(index) { inside } else { outside }
            })
            .collect();
        let heaps = Correlation::of_residuals(&residuals);
        inflation(&heaps, &heaps)
    }

    /// ln of the probability by chance, corrected for dependence and for all that was tried. `ln_prior`: ln of one over
    /// the share that all conditions at this point of the search have together.
    pub(super) fn ln_corrected(&self, candidate: &Candidate, subset: &Subset, ln_prior: f64) -> f64 {
        let ln_share = ln_prior + self.ln_share(candidate);
        if candidate.ln_p + ln_share >= 0.0 {
            return 0.0;
        }
        (candidate.ln_p / self.inflation(candidate, subset) + ln_share).min(0.0)
    }

    /// ln of one over the share of a condition among all conditions of all attributes.
    pub(super) fn ln_share(&self, candidate: &Candidate) -> f64 {
        candidate.ln_cost + ln(self.columns.len())
    }
}

pub(super) fn ln(count: usize) -> f64 {
    u32::try_from(count.max(1)).map_or(f64::from(u32::MAX), f64::from).ln()
}
