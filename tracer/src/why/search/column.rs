//! One attribute of all rows, coded once into small numbers.

use crate::why::attribute::{Shape, Tried};
use crate::why::statistics::LnFactorials;
use crate::why::{Attribute, Condition, Values};

/// The index of a row whose code is not known, does not apply, or is too rare to be told.
pub(super) const NONE: u32 = u32::MAX;
/// A set is chosen from at most so many codes: the most frequent ones.
const MAX_SET_CODES: usize = 256;
/// Of more codes than this, those of fewer rows than [`MIN_ROWS`] are left out: they cannot tell anything, and cost.
const FEW_CODES: usize = 16;
const MIN_ROWS: u32 = 3;

/// Codes of all rows, in the order of time.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) attribute: Attribute,
    pub(super) shape: Shape,
    /// For each row the place of its code in `codes`, or [`NONE`].
    pub(super) index: Vec<u32>,
    /// The different codes, rising.
    pub(super) codes: Vec<i64>,
}

/// Which codes of a column, by their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// These, rising.
    Codes(Vec<u32>),
    /// From the first to the second, both included.
    Between(u32, u32),
}

impl Chosen {
    pub(super) fn contains(&self, index: u32) -> bool {
        match self {
            Self::Codes(codes) => codes.contains(&index),
            Self::Between(first, last) => index != NONE && (*first..=*last).contains(&index),
        }
    }
}

impl Column {
    /// `None`: all rows have the same code, so there is nothing to try. What is left out depends on the codes only.
    pub(super) fn new(tried: &Tried, raw: &[Option<i64>]) -> Option<Self> {
        let first = raw.first()?;
        if raw.iter().all(|code| code == first) {
            return None;
        }
        let mut codes: Vec<i64> = raw.iter().copied().flatten().collect();
        codes.sort_unstable();
        let mut counted: Vec<(i64, u32)> = Vec::new();
        for code in codes {
            match counted.last_mut() {
                Some((last, count)) if *last == code => *count += 1,
                _ => counted.push((code, 1)),
            }
        }
        if matches!(tried.shape, Shape::Set(_)) && counted.len() > FEW_CODES {
            counted.retain(|(_, count)| *count >= MIN_ROWS);
            counted.sort_unstable_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
            counted.truncate(MAX_SET_CODES);
            counted.sort_unstable();
        }
        let codes: Vec<i64> = counted.into_iter().map(|(code, _)| code).collect();
        let place = |code: i64| {
            codes.binary_search(&code).ok().and_then(|place| u32::try_from(place).ok()).unwrap_or(NONE)
        };
        let index = raw.iter().map(|code| code.map_or(NONE, place)).collect();
        (!codes.is_empty()).then_some(Self { attribute: tried.attribute, shape: tried.shape, index, codes })
    }

    /// How many different codes.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.codes.len()).unwrap_or(u32::MAX)
    }

    /// The index of a row.
    pub(super) fn at(&self, row: usize) -> u32 {
        self.index.get(row).copied().unwrap_or(NONE)
    }

    /// The largest set that is tried: never all codes, unless there are rows without one.
    pub(super) fn longest_set(&self) -> u32 {
        match self.shape {
            Shape::Set(longest) => longest.min(self.len().saturating_sub(1).max(1)),
            Shape::Range | Shape::Window => 0,
        }
    }

    /// ln of one over the share of the family's error probability that one set of `size` codes gets: each size a
    /// share of 1 / (size * (size + 1)), which sum to less than 1, and each set of that size the same part of it.
    pub(super) fn ln_cost_of_set(&self, size: u32, factorials: &LnFactorials) -> f64 {
        (f64::from(size) * (f64::from(size) + 1.0)).ln() + factorials.ln_choose(self.len(), size)
    }

    /// As [`Self::ln_cost_of_set`] for a range: half for all half lines, equal shares; half for all intervals, shares by
    /// one over their length in codes, as short ones are as likely an answer as long ones. (The sum of 1 / length over
    /// all lengths is at most 1 + ln of their number.)
    pub(super) fn ln_cost_of_range(&self, first: u32, last: u32) -> f64 {
        let codes = f64::from(self.len());
        if first == 0 || last + 1 == self.len() {
            (2.0 * 2.0 * codes).ln()
        } else {
            let length = f64::from(last - first) + 1.0;
            (2.0 * codes * length * (1.0 + codes.ln())).ln()
        }
    }

    /// The chosen codes as a condition.
    pub(super) fn condition(&self, chosen: &Chosen) -> Condition {
        let code = |place: u32| usize::try_from(place).ok().and_then(|place| self.codes.get(place)).copied();
        let values = match chosen {
            Chosen::Codes(places) => Values::OneOf(places.iter().filter_map(|place| code(*place)).collect()),
            // A window has both ends: what was too late to be judged is not in it.
            Chosen::Between(first, last) if self.shape == Shape::Window => {
                Values::Between(code(*first), code(*last))
            }
            Chosen::Between(first, last) => Values::Between(
                code(*first).filter(|_| *first > 0),
                code(*last).filter(|_| *last + 1 < self.len()),
            ),
        };
        Condition { attribute: self.attribute, values }
    }
}
