//! Two humps: a valley that one hump could not have.
//!
//! On a logarithmic axis, a distribution with one hump is nowhere lower than on both sides. So for each stretch of the
//! axis (the valley) and a stretch on each side (the humps), chance is asked: if the valley were at least as dense as the
//! side, how likely is it to find so few requests in it? Wide empty valleys convict small humps, narrow valleys need
//! many requests. Nothing is assumed of the humps' form.

use std::collections::HashMap;

use super::{LEAST_SLOW, Values, float};

/// Cells of an octave: fine against the humps that matter, coarse enough to be counted quickly.
const CELLS: u64 = 8;
/// Faster requests count as this fast. No hump below matters to anybody.
const FLOOR_NS: u64 = 1_000;
/// How sure it must be on each side: logarithm of the odds. Much more than for a single question, because the best of
/// many stretches is taken; the tests try it on thousands of distributions with one hump.
const SURE: f64 = 9.5;
/// A valley has at most this share of the density of either side.
const VALLEY: f64 = 0.25;
/// The medians of both sides are at least so many times apart. Less would not be worth a search.
const APART: f64 = 2.0;
/// Fast requests are at least this share. Where they are fewer, not the slow ones are what is unusual.
const LEAST_FAST: f64 = 0.1;
/// A comb is looked for up to this ratio: above, its teeth cannot be the first ones.
const COMB_RATIO: f64 = 3.2;

/// One cell of the axis. Positions in octaves.
struct Cell {
    start: f64,
    width: f64,
    count: f64,
}

/// Where the slow side begins, in ns.
pub(super) fn find(values: &Values) -> Option<u64> {
    let cells = cells(values);
    // below[i]: how many lie below cell i.
    let mut below = vec![0.0];
    below.extend(cells.iter().scan(0.0, |sum, cell| {
        *sum += cell.count;
        Some(*sum)
    }));
    let axis = Axis { cells: &cells, below: &below };
    let mut best: Option<(f64, u64)> = None;
    // Many valleys have the same lowest place.
    let mut judged: HashMap<u64, bool> = HashMap::new();
    for from in 1..cells.len() {
        if axis.count(0, from) < (values.total * LEAST_FAST).max(LEAST_SLOW) {
            continue;
        }
        for to in from + 1..cells.len() {
            if axis.count(to, cells.len()) < LEAST_SLOW {
                break;
            }
            let width = axis.width(from, to);
            if best.is_some_and(|(widest, _)| width <= widest) || !axis.is_valley(from, to) {
                continue;
            }
            let at = axis.emptiest(from, to);
            if *judged.entry(at).or_insert_with(|| is_split(values, at)) {
                best = Some((width, at));
            }
        }
    }
    best.map(|(_, at)| at)
}

struct Axis<'a> {
    cells: &'a [Cell],
    below: &'a [f64],
}

impl Axis<'_> {
    fn width(&self, from: usize, to: usize) -> f64 {
        self.cells[to - 1].start + self.cells[to - 1].width - self.cells[from].start
    }

    fn count(&self, from: usize, to: usize) -> f64 {
        self.below[to] - self.below[from]
    }

    /// The stretch is lower than some stretch on each side of it.
    fn is_valley(&self, from: usize, to: usize) -> bool {
        let (count, width) = (self.count(from, to), self.width(from, to));
        let edge = |cell: usize| self.cells[cell].count / self.cells[cell].width;
        if count / width >= edge(from - 1).min(edge(to)) {
            return false;
        }
        let lower = |a: usize, b: usize| {
            let (side_count, side_width) = (self.count(a, b), self.width(a, b));
            count / width <= VALLEY * side_count / side_width
                && odds(count, width, side_count, side_width) >= SURE
        };
        (to + 1..=self.cells.len()).any(|end| lower(to, end))
            && (0..from).rev().any(|start| lower(start, from))
    }

    /// The middle of the longest empty run of cells, or of the emptiest cell.
    fn emptiest(&self, from: usize, to: usize) -> u64 {
        let mut longest = 0.0;
        let mut middle = 0.0;
        let mut start = from;
        for cell in from..to {
            if self.cells[cell].count > 0.0 {
                start = cell + 1;
            } else if self.width(start, cell + 1) > longest {
                longest = self.width(start, cell + 1);
                middle = self.cells[start].start + longest / 2.0;
            }
        }
        if longest == 0.0 {
            let density = |cell: &&Cell| cell.count / cell.width;
            let valley = self.cells.get(from..to).unwrap_or_default();
            if let Some(least) = valley.iter().min_by(|a, b| density(a).total_cmp(&density(b))) {
                middle = least.start + least.width / 2.0;
            }
        }
        nanos(middle)
    }
}

/// `-ln` of a bound (Chernoff) for the chance that so few of `count + side_count` fall into `width`, if the density there
/// is not below that of the side.
fn odds(count: f64, width: f64, side_count: f64, side_width: f64) -> f64 {
    let all = count + side_count;
    let expected = width / (width + side_width);
    let seen = count / all;
    if seen >= expected {
        return 0.0;
    }
    let part = |count: f64, ratio: f64| if count > 0.0 { count * ratio.ln() } else { 0.0 };
    part(count, seen / expected) + part(side_count, (1.0 - seen) / (1.0 - expected))
}

/// What a valley must be besides: worth it, and no tooth of a comb.
fn is_split(values: &Values, at: u64) -> bool {
    let side = |slow: bool| Values::new(values.list.iter().copied().filter(|(ns, _)| (*ns >= at) == slow));
    let (fast, slow) = (side(false), side(true));
    let (Some(fast_median), Some(slow_median)) = (fast.quantile(0.5), slow.quantile(0.5)) else {
        return false;
    };
    slow.total >= LEAST_SLOW
        && fast.total >= (values.total * LEAST_FAST).max(LEAST_SLOW)
        && slow_median >= fast_median * APART
        && !is_comb(values, &fast, &slow)
}

/// Latencies that are multiples of one step (a timer's tick, a polling loop) have a gap of an octave between the first
/// two, and still one hump.
fn is_comb(values: &Values, fast: &Values, slow: &Values) -> bool {
    let (Some((last_fast, _)), Some((first_slow, _))) = (fast.list.last(), slow.list.first()) else {
        return false;
    };
    let step = float(*first_slow) - float(*last_fast);
    if step <= 0.0 || float(*first_slow) > float(*last_fast).max(1.0) * COMB_RATIO {
        return false;
    }
    let tooth = |ns: u64| (float(ns) / step).round();
    let fits = |ns: u64| tooth(ns) >= 1.0 && (float(ns) / step - tooth(ns)).abs() < 0.05;
    let fitting: f64 = values.list.iter().filter(|(ns, _)| fits(*ns)).map(|(_, count)| float(*count)).sum();
    fitting >= 0.9 * values.total
}

/// The axis from the first latency to the last.
fn cells(values: &Values) -> Vec<Cell> {
    let (Some((first_ns, _)), Some((last_ns, _))) = (values.list.first(), values.list.last()) else {
        return Vec::new();
    };
    let first = index(*first_ns);
    let empty = |index: u64| {
        let start = float(lowest(index)).log2();
        Cell { start, width: float(lowest(index + 1)).log2() - start, count: 0.0 }
    };
    let mut cells: Vec<Cell> = (first..=index(*last_ns)).map(empty).collect();
    for (ns, count) in &values.list {
        let place = usize::try_from(index(*ns) - first).ok();
        if let Some(cell) = place.and_then(|place| cells.get_mut(place)) {
            cell.count += float(*count);
        }
    }
    cells
}

/// Number of the cell of a latency: its octave, and the eighth of it.
fn index(ns: u64) -> u64 {
    // The end of the last cell must be a number too.
    let ns = ns.clamp(FLOOR_NS, u64::MAX / 4);
    let octave = u64::from(ns.ilog2());
    octave * CELLS + (ns >> (octave - 3)) - CELLS
}

/// The lowest latency of a cell.
fn lowest(index: u64) -> u64 {
    let (octave, eighth) = (index / CELLS, index % CELLS);
    (CELLS + eighth) << (octave - 3)
}

/// The latency at a position of the axis.
fn nanos(octaves: f64) -> u64 {
    let (mut low, mut high) = (0_u64, 1_u64 << 63);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if float(middle).log2() < octaves { low = middle } else { high = middle }
    }
    high
}
