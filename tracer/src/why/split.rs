//! Which requests of a statement are slow.
//!
//! As `--slow` says. Otherwise as the latencies themselves say: a group of its own on the slow side (`humps`), or a tail
//! beyond what the other requests let expect (`tail`). A distribution with one hump has no slow group, however wide it
//! is: nothing sets its slower half apart, and asking what does would only find noise.
//!
//! Never guesses: where neither shape is there, or requests are few, there is no slow group.

mod humps;
mod tail;
#[cfg(test)]
mod tests;

use crate::time::Nanos;

/// With fewer requests no shape can be told from chance.
const LEAST_REQUESTS: f64 = 20.0;
/// Fewer slow requests are single misfortunes, not a group.
const LEAST_SLOW: f64 = 5.0;
/// So many times the median of what is finished, the age of a request in flight says that it belongs to the slow ones.
const FAR_BEYOND: f64 = 8.0;

/// Where the slow requests of a statement begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// A latency of this or more is slow.
    pub at: Nanos,
    /// Why there.
    pub by: SplitBy,
}

/// What a [`Split`] rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitBy {
    /// `--slow`.
    Given,
    /// Slow and fast requests are two humps on a logarithmic scale, with a valley between.
    TwoHumps,
    /// More requests are far out than the bulk lets expect.
    Tail,
}

/// What lies on both sides of a [`Split`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Slow requests, those in flight among them.
    pub slow: u64,
    /// Fast requests. A request in flight is never one.
    pub fast: u64,
    /// Slow requests that are still in flight.
    pub in_flight: u64,
    /// 99 % of the fast ones took this long or less.
    pub fast_p99: Nanos,
    /// The shortest of the slow ones that are finished; zero where none is.
    pub slow_min: Nanos,
    /// Half of the slow ones took this long or longer; those in flight count with their age.
    pub slow_p50: Nanos,
}

/// Where the slow requests of a statement begin; `None`: it has no slow group.
///
/// `latencies`: finished requests as (highest latency of a bucket in ns, count), as
/// [`crate::agg::histogram::Histogram::buckets`] gives them. `in_flight_ages`: how long the others have waited at the end.
/// An age is a lower bound: far beyond everything it tells of a slow request, otherwise it tells nothing. `given`: the
/// threshold of `--slow`, which is taken as it is.
pub fn split(latencies: &[(u64, u64)], in_flight_ages: &[Nanos], given: Option<Nanos>) -> Option<Split> {
    if let Some(at) = given {
        let split = Split { at, by: SplitBy::Given };
        return (split.sides(latencies, in_flight_ages).slow > 0).then_some(split);
    }
    let mut values = Values::new(latencies.iter().copied());
    let bulk_ns = values.quantile(0.5)?;
    let waiting = in_flight_ages.iter().map(|age| age.0).filter(|age| float(*age) > bulk_ns * FAR_BEYOND);
    values.add(waiting.map(|age| (age, 1)));
    if values.total < LEAST_REQUESTS {
        return None;
    }
    let found = |at, by| Split { at: Nanos(at), by };
    humps::find(&values)
        .map(|at| found(at, SplitBy::TwoHumps))
        .or_else(|| tail::find(&values).map(|at| found(at, SplitBy::Tail)))
}

impl Split {
    /// Counts both sides. Arguments as in [`split`].
    pub fn sides(&self, latencies: &[(u64, u64)], in_flight_ages: &[Nanos]) -> Sides {
        let at_ns = self.at.0;
        let waiting = in_flight_ages.iter().map(|age| age.0).filter(|age| *age >= at_ns);
        let fast = Values::new(latencies.iter().copied().filter(|(ns, _)| *ns < at_ns));
        let mut slow = Values::new(latencies.iter().copied().filter(|(ns, _)| *ns >= at_ns));
        let sum = |values: &Values| values.list.iter().fold(0_u64, |sum, (_, n)| sum.saturating_add(*n));
        let finished = sum(&slow);
        let slow_min = Nanos(slow.list.first().map_or(0, |(ns, _)| *ns));
        slow.add(waiting.map(|age| (age, 1)));
        Sides {
            slow: sum(&slow),
            fast: sum(&fast),
            in_flight: sum(&slow).saturating_sub(finished),
            fast_p99: Nanos(fast.at_share(0.99)),
            slow_min,
            slow_p50: Nanos(slow.at_share(0.5)),
        }
    }
}

/// Latencies with their counts, ascending, each once.
struct Values {
    list: Vec<(u64, u64)>,
    total: f64,
}

impl Values {
    fn new(counts: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut values = Self { list: Vec::new(), total: 0.0 };
        values.add(counts);
        values
    }

    fn add(&mut self, counts: impl Iterator<Item = (u64, u64)>) {
        self.list.extend(counts.filter(|(_, count)| *count > 0));
        self.list.sort_unstable();
        self.list.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 = kept.1.saturating_add(if same { next.1 } else { 0 });
            same
        });
        self.total = self.list.iter().map(|(_, count)| float(*count)).sum();
    }

    /// The value that this share of all does not exceed; 0 when empty.
    fn at_share(&self, share: f64) -> u64 {
        let mut below = 0.0;
        let reached = self.list.iter().find(|(_, count)| {
            below += float(*count);
            below >= share * self.total
        });
        reached.or(self.list.last()).map_or(0, |(ns, _)| *ns)
    }

    /// As [`Values::at_share`], for computing with logarithms; `None` when empty.
    fn quantile(&self, share: f64) -> Option<f64> {
        (!self.list.is_empty()).then(|| float(self.at_share(share)).max(1.0))
    }

    /// How many are this long or longer.
    fn from(&self, ns: u64) -> f64 {
        self.list.iter().filter(|(value, _)| *value >= ns).map(|(_, count)| float(*count)).sum()
    }
}

#[expect(clippy::cast_precision_loss, reason = "shapes are coarser than a double")]
fn float(n: u64) -> f64 {
    n as f64
}
