//! The best condition that one attribute has to offer.

use super::column::{Chosen, Column, NONE};
use super::table::Subset;
use crate::why::attribute::Shape;
use crate::why::statistics::{Counts, LnFactorials};

/// How much a fast row counts against a slow one when a range is grown. From ranges that take in every slow row to
/// ranges that take in no fast one.
const BALANCES: [f64; 8] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0];
/// So many rows of average slow share are added to each code before the codes are put in order of their slow share: a
/// code with one slow row of one is no better than one with 20 of 21.
const PRIOR_ROWS: f64 = 1.0;

/// A condition with its counts in a subset of the rows.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Place of its column.
    pub(super) column: usize,
    pub(super) chosen: Chosen,
    pub(super) counts: Counts,
    /// ln of the probability by chance, of this condition alone and as if all rows were independent.
    pub(super) ln_p: f64,
    /// ln of one over the share of the error probability that this condition has among its attribute's conditions.
    pub(super) ln_cost: f64,
}

/// The condition with the smallest probability after its cost. `None` where no condition is met more often by slow
/// rows.
pub(super) fn best(
    place: usize,
    column: &Column,
    subset: &Subset,
    factorials: &LnFactorials,
) -> Option<Candidate> {
    let mut codes = vec![[0_u32; 2]; column.codes.len()];
    let mut known = [0_u32; 2];
    for (row, slow) in subset.rows() {
        let index = usize::try_from(column.at(row)).unwrap_or(usize::MAX);
        if let Some(counts) = codes.get_mut(index) {
            counts[usize::from(slow)] += 1;
            known[usize::from(slow)] += 1;
        }
    }
    // Rows too late to be judged are no evidence for or against a window.
    let [fast, slow] = if column.shape == Shape::Window { known } else { [subset.fast, subset.slow] };
    let all = Counts { slow, fast, ..Counts::default() };
    let search = Search { place, column, codes, all, factorials };
    match column.shape {
        Shape::Set(_) => search.best_set(),
        Shape::Range | Shape::Window => search.best_range(),
    }
}

struct Search<'a> {
    place: usize,
    column: &'a Column,
    /// For each code fast and slow rows.
    codes: Vec<[u32; 2]>,
    all: Counts,
    factorials: &'a LnFactorials,
}

impl Search<'_> {
    fn best_set(&self) -> Option<Candidate> {
        let share = f64::from(self.all.slow) / f64::from(self.all.slow + self.all.fast).max(1.0);
        let mut order: Vec<(f64, u32, [u32; 2])> = (0..)
            .zip(&self.codes)
            .filter(|(_, [_, slow])| *slow > 0)
            .map(|(place, [fast, slow])| {
                let rows = f64::from(*slow) + f64::from(*fast);
                ((f64::from(*slow) + PRIOR_ROWS * share) / (rows + PRIOR_ROWS), place, [*fast, *slow])
            })
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut best: Option<(f64, f64, u32, Counts)> = None;
        let mut counts = self.all;
        for (size, (_, _, [fast, slow])) in (1..=self.column.longest_set()).zip(&order) {
            counts.slow_matched += slow;
            counts.fast_matched += fast;
            if !counts.is_enriched() {
                continue;
            }
            let ln_cost = self.column.ln_cost_of_set(size, self.factorials);
            let ln_p = self.factorials.ln_upper_tail(counts);
            if best.is_none_or(|(p, cost, ..)| ln_p + ln_cost < p + cost) {
                best = Some((ln_p, ln_cost, size, counts));
            }
        }
        let (ln_p, ln_cost, size, counts) = best?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut places: Vec<u32> = order.iter().take(size).map(|(_, place, _)| *place).collect();
        places.sort_unstable();
        Some(Candidate { column: self.place, chosen: Chosen::Codes(places), counts, ln_p, ln_cost })
    }

    fn best_range(&self) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        let mut seen = Vec::new();
        for balance in BALANCES {
            for range in self.ranges(balance) {
                // All codes: that there is one at all is told by another attribute.
                let is_all = range == (0, self.column.len().saturating_sub(1));
                if is_all || range.0 > range.1 || seen.contains(&range) {
                    continue;
                }
                seen.push(range);
                if let Some(found) = self.range(range.0, range.1)
                    && best.as_ref().is_none_or(|best| found.ln_p + found.ln_cost < best.ln_p + best.ln_cost)
                {
                    best = Some(found);
                }
            }
        }
        best
    }

    /// The beginning, the end, and the stretch with the largest sum, where a slow row adds its share of the slow ones
    /// and a fast row takes away its share of the fast ones, times `balance`. (For the stretch: Kadane's scan.)
    fn ranges(&self, balance: f64) -> [(u32, u32); 3] {
        let slow_share = 1.0 / f64::from(self.all.slow.max(1));
        let fast_share = balance / f64::from(self.all.fast.max(1));
        let last = self.column.len().saturating_sub(1);
        let (mut sum, mut lowest, mut highest) = (0.0, (0.0, 0), (0.0, NONE));
        let (mut stretch, mut best) = ((0.0, 0), (0.0, (1, 0)));
        for (place, [fast, slow]) in (0_u32..).zip(&self.codes) {
            let gain = f64::from(*slow) * slow_share - f64::from(*fast) * fast_share;
            sum += gain;
            if sum < lowest.0 {
                lowest = (sum, place + 1);
            }
            if sum > highest.0 {
                highest = (sum, place);
            }
            if stretch.0 <= 0.0 {
                stretch = (0.0, place);
            }
            stretch.0 += gain;
            if stretch.0 > best.0 {
                best = (stretch.0, (stretch.1, place));
            }
        }
        let beginning = if highest.1 == NONE { (1, 0) } else { (0, highest.1) };
        [beginning, (lowest.1, last), best.1]
    }

    fn range(&self, first: u32, last: u32) -> Option<Candidate> {
        let mut counts = self.all;
        let (from, to) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
        for [fast, slow] in self.codes.get(from..=to)? {
            counts.slow_matched += slow;
            counts.fast_matched += fast;
        }
        let ln_p = self.factorials.ln_upper_tail(counts);
        let ln_cost = self.column.ln_cost_of_range(first, last);
        let chosen = Chosen::Between(first, last);
        counts.is_enriched().then_some(Candidate { column: self.place, chosen, counts, ln_p, ln_cost })
    }
}
