//! A bounded part of each statement's requests, kept while the capture runs so that the slow and the fast ones can be
//! compared at its end.
//!
//! Which request is slow is not known before the end. So the requests of a statement are kept by eighths of octaves of
//! latency, each with a limit of its own: the rare slow ones are not pushed out by the many fast ones. Inside such a cell chance
//! decides alone: every request draws a tag, and when there are too many, the half with the lowest tags stays. All requests of several cells with a
//! tag below the lowest limit of these cells are a uniform sample of them, whatever their latencies are.
//!
//! Never keeps a value: only features.

use super::Facts;
use crate::random::SplitMix64;
use crate::sql::TextId;
use crate::time::Nanos;
use crate::value::Value;

/// What a sampler may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most requests kept of one statement and cell. At least half of it stay.
    pub requests: usize,
    /// Heap memory of all. When it is reached, `requests` is halved for all.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests: 2048, bytes: 64 << 20 }
    }
}

/// One request that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    tag: u64,
    /// Everything but its values.
    pub facts: Facts,
    /// Its values by position.
    pub values: Box<[Value]>,
}

/// The requests of one cell: an eighth of an octave of latency.
#[derive(Debug)]
struct Cell {
    number: u16,
    /// Requests with a tag from here on were not kept.
    limit: u64,
    kept: Vec<Kept>,
}

/// A uniform sample of the requests of one statement in a range of latencies.
#[derive(Debug)]
pub struct Sample<'a> {
    /// The requests.
    pub kept: Vec<&'a Kept>,
    /// Requests with a tag below this are in it: for those that are added from elsewhere.
    pub limit: u64,
}

/// The cells of one statement.
#[derive(Debug, Default)]
struct Statement {
    /// By the number of a cell, its place in `cells` from 1; 0: none yet.
    places: Vec<u16>,
    cells: Vec<Cell>,
}

impl Statement {
    /// The cell with a number, new where it must be.
    fn cell(&mut self, number: u16, bytes: &mut usize) -> Option<&mut Cell> {
        let index = usize::from(number);
        if index >= self.places.len() {
            *bytes += (index + 1 - self.places.len()) * size_of::<u16>();
            self.places.resize(index + 1, 0);
        }
        let place = self.places.get_mut(index)?;
        if *place == 0 {
            *bytes += size_of::<Cell>();
            self.cells.push(Cell { number, limit: u64::MAX, kept: Vec::new() });
            *place = u16::try_from(self.cells.len()).ok()?;
        }
        self.cells.get_mut(usize::from(*place) - 1)
    }
}

/// The number of a latency's cell: its octave, and the next three bits.
fn cell_of(latency: Nanos) -> u16 {
    let ns = latency.0.max(8);
    let octave = ns.ilog2();
    let eighth = (ns >> (octave - 3)) & 7;
    u16::try_from(u64::from(octave) * 8 + eighth).unwrap_or(u16::MAX)
}

/// The lowest latency of a cell; that of the cell past the last one is the highest that there is.
fn lowest_of(cell: u16) -> Nanos {
    let (octave, eighth) = (u32::from(cell / 8), u64::from(cell % 8));
    let octave = octave.max(3);
    Nanos(
        (8 + eighth)
            .checked_shl(octave - 3)
            .filter(|ns| *ns >> (octave - 3) == 8 + eighth)
            .unwrap_or(u64::MAX),
    )
}

/// The kept requests of all statements.
#[derive(Debug)]
pub struct Sampler {
    limits: Limits,
    statements: Vec<Statement>,
    random: SplitMix64,
    bytes: usize,
}

impl Sampler {
    /// An empty one. `seed` decides which requests are kept.
    pub fn new(limits: Limits, seed: u64) -> Self {
        Self { limits, statements: Vec::new(), random: SplitMix64(seed), bytes: 0 }
    }

    /// Offers a finished request. `facts` is asked only if it is kept.
    pub fn offer(&mut self, text: TextId, latency: Nanos, values: &[Value], facts: impl FnOnce() -> Facts) {
        let tag = self.draw();
        let index = usize::try_from(text.0).unwrap_or(usize::MAX);
        if index >= self.statements.len() {
            self.statements.resize_with(index.saturating_add(1), Statement::default);
        }
        let Some(statement) = self.statements.get_mut(index) else { return };
        let number = cell_of(latency);
        let Some(cell) = statement.cell(number, &mut self.bytes) else { return };
        if tag >= cell.limit {
            return;
        }
        if cell.kept.len() >= self.limits.requests {
            // Before it grows, so that no room is taken that is never used.
            self.bytes = self.bytes.saturating_sub(cell.keep_at_most(self.limits.requests / 2));
            if tag >= cell.limit {
                return;
            }
        }
        let kept = Kept { tag, facts: facts(), values: values.into() };
        self.bytes = self.bytes.saturating_add(kept.bytes());
        cell.kept.push(kept);
        if self.bytes > self.limits.bytes && self.limits.requests > 0 {
            self.shrink();
        }
    }

    /// A tag for a request that is not offered because it is still in flight.
    pub fn draw(&mut self) -> u64 {
        self.random.next_bits()
    }

    /// A uniform sample, of about `most` requests, of those that took at least `from` and less than `to`.
    pub fn sample(&self, text: TextId, from: Nanos, to: Option<Nanos>, most: usize) -> Sample<'_> {
        let within = |latency: Nanos| latency >= from && to.is_none_or(|to| latency < to);
        let index = usize::try_from(text.0).unwrap_or(usize::MAX);
        let cells = self.statements.get(index).map_or(&[][..], |statement| &statement.cells);
        let mut limit = u64::MAX;
        let mut kept: Vec<&Kept> = Vec::new();
        for cell in cells {
            let overlaps = lowest_of(cell.number.saturating_add(1)) > from
                && to.is_none_or(|to| lowest_of(cell.number) < to);
            if overlaps {
                limit = limit.min(cell.limit);
                kept.extend(cell.kept.iter().filter(|kept| within(kept.facts.latency)));
            }
        }
        kept.retain(|kept| kept.tag < limit);
        if kept.len() > most {
            kept.sort_unstable_by_key(|kept| kept.tag);
            limit = kept.get(most).map_or(limit, |kept| kept.tag);
            kept.truncate(most);
        }
        // By time, so that neighbours are neighbours.
        kept.sort_by_key(|kept| kept.facts.started_at);
        Sample { kept, limit }
    }

    /// Heap memory of what is kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    #[cold]
    fn shrink(&mut self) {
        self.limits.requests /= 2;
        for cell in self.statements.iter_mut().flat_map(|statement| &mut statement.cells) {
            self.bytes = self.bytes.saturating_sub(cell.keep_at_most(self.limits.requests / 2));
            cell.kept.shrink_to(self.limits.requests);
        }
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.values)
    }
}

impl Cell {
    /// Keeps those with the lowest tags; gives the size of the others.
    fn keep_at_most(&mut self, most: usize) -> usize {
        if self.kept.len() <= most {
            return 0;
        }
        // On the tags alone: the requests are large, and each of them moves at most once.
        let mut tags: Vec<u64> = self.kept.iter().map(|kept| kept.tag).collect();
        let limit = *tags.select_nth_unstable(most).1;
        self.limit = limit;
        let mut given_up = 0;
        self.kept.retain(|kept| {
            let stays = kept.tag < limit;
            given_up += if stays { 0 } else { kept.bytes() };
            stays
        });
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Extractor;
    use crate::why::testdata::facts;

    const TEXT: TextId = TextId(7);

    fn sampler(requests: usize, bytes: usize) -> Sampler {
        Sampler::new(Limits { requests, bytes }, 1)
    }

    /// So many requests, each latency in turn; the value is the request's number.
    fn fill(sampler: &mut Sampler, requests: i64, latencies: &[Nanos]) {
        let mut extractor = Extractor::default();
        for number in 0..requests {
            let latency = latencies[usize::try_from(number).unwrap() % latencies.len()];
            let started_at = Nanos(u64::try_from(number).unwrap());
            sampler.offer(TEXT, latency, &[extractor.integer(number)], || facts(started_at, latency));
        }
    }

    #[test]
    fn cells_lie_edge_to_edge() {
        for cell in 24..512 {
            let lowest = lowest_of(cell);
            assert_eq!(cell_of(lowest), cell);
            assert_eq!(cell_of(Nanos(lowest.0 - 1)), if cell == 24 { 24 } else { cell - 1 });
        }
        assert_eq!((cell_of(Nanos(0)), cell_of(Nanos(u64::MAX))), (24, 511));
        assert_eq!(lowest_of(512), Nanos(u64::MAX));
    }

    #[test]
    fn a_busy_cell_does_not_thin_out_the_slow_ones_above_a_valley() {
        let mut sampler = sampler(64, 1 << 20);
        let mut latencies = vec![Nanos(2_300_000); 500];
        latencies.push(Nanos::from_secs(30));
        fill(&mut sampler, 50_100, &latencies);
        // In the same octave as the fast ones.
        let slow = sampler.sample(TEXT, Nanos(3_500_000), None, 1000);
        assert_eq!(
            slow.kept.iter().filter(|kept| kept.facts.latency == Nanos::from_secs(30)).count(),
            64.min(slow.kept.len())
        );
        assert!(slow.kept.len() > 31, "{}", slow.kept.len());
    }

    #[test]
    fn all_are_kept_while_there_is_room() {
        let mut sampler = sampler(100, 1 << 20);
        fill(&mut sampler, 100, &[Nanos::from_millis(2), Nanos::from_secs(30)]);
        let slow = sampler.sample(TEXT, Nanos::from_secs(1), None, 1000);
        let fast = sampler.sample(TEXT, Nanos(0), Some(Nanos::from_secs(1)), 1000);
        assert_eq!((slow.kept.len(), fast.kept.len()), (50, 50));
        assert_eq!((slow.limit, fast.limit), (u64::MAX, u64::MAX));
        assert!(slow.kept.iter().all(|kept| kept.facts.latency == Nanos::from_secs(30)));
        assert!(sampler.sample(TextId(8), Nanos(0), None, 10).kept.is_empty());
    }

    #[test]
    fn many_fast_ones_do_not_push_out_a_slow_one() {
        let mut sampler = sampler(64, 1 << 20);
        let mut latencies = vec![Nanos::from_millis(2); 5_000];
        latencies.push(Nanos::from_secs(30));
        fill(&mut sampler, 50_010, &latencies);
        assert_eq!(sampler.sample(TEXT, Nanos::from_secs(1), None, 1000).kept.len(), 10);
        let fast = sampler.sample(TEXT, Nanos(0), Some(Nanos::from_secs(1)), 1000).kept.len();
        assert!((32..=64).contains(&fast), "{fast}");
    }

    #[test]
    fn a_sample_over_cells_is_uniform() {
        // Three of four requests take 1 ms, one takes 3 ms; the first half of all is odd in nothing.
        let latencies = [1, 1, 1, 3].map(Nanos::from_millis);
        let (mut slower, mut early, mut all) = (0, 0, 0);
        for seed in 0..50 {
            let mut sampler = Sampler::new(Limits { requests: 128, bytes: 1 << 20 }, seed);
            fill(&mut sampler, 8_000, &latencies);
            let sample = sampler.sample(TEXT, Nanos(0), None, 1000);
            all += sample.kept.len();
            slower += sample.kept.iter().filter(|kept| kept.facts.latency == latencies[3]).count();
            early += sample.kept.iter().filter(|kept| kept.facts.started_at < Nanos(4_000)).count();
        }
        // 50 times about 125; three standard deviations of a share of 1/4 and of 1/2 are 1.7 % and 1.9 %.
        let share =
            |part: usize| f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(all).unwrap());
        assert!(all > 50 * 64, "{all} kept");
        assert!((share(slower) - 0.25).abs() < 0.017, "{}", share(slower));
        assert!((share(early) - 0.5).abs() < 0.019, "{}", share(early));
    }

    #[test]
    fn memory_is_bounded_and_stays_uniform() {
        let mut sampler = sampler(1024, 100_000);
        fill(&mut sampler, 20_000, &[1, 2, 4, 8, 16, 32].map(Nanos::from_millis));
        assert!(sampler.bytes() <= 100_000, "{}", sampler.bytes());
        let sample = sampler.sample(TEXT, Nanos(0), None, 1000);
        assert!(sample.kept.len() > 50, "{}", sample.kept.len());
        let early = sample.kept.iter().filter(|kept| kept.facts.started_at < Nanos(10_000)).count();
        assert!((sample.kept.len() / 4..sample.kept.len() * 3 / 4).contains(&early), "{early}");
    }

    #[test]
    fn no_more_than_asked_for() {
        let mut sampler = sampler(1024, 1 << 20);
        fill(&mut sampler, 1_000, &[Nanos::from_millis(1)]);
        let sample = sampler.sample(TEXT, Nanos(0), None, 100);
        assert_eq!(sample.kept.len(), 100);
        assert!(sample.kept.iter().all(|kept| kept.tag < sample.limit));
        assert!(sample.kept.is_sorted_by_key(|kept| kept.facts.started_at));
    }
}
