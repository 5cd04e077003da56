//! Counts of many buckets: pages of neighbouring ones, as latencies of one statement lie close together.

use super::{BUCKETS, at};

/// Buckets of one page.
const PAGE: usize = 64;
const PAGES: usize = BUCKETS.div_ceil(PAGE);

/// Pages in use, found by a directory. Full: 67 KiB, and what is carried.
#[derive(Clone, Debug)]
pub(super) struct Paged {
    /// For each page of buckets: 1 + its place in `counts`, in pages; 0: not in use.
    directory: Vec<u16>,
    counts: Vec<u16>,
    /// What would not fit into 16 bits: bucket, count to be added; sorted by bucket.
    carried: Vec<(u64, u64)>,
}

impl Default for Paged {
    fn default() -> Self {
        Self { directory: vec![0; PAGES], counts: Vec::new(), carried: Vec::new() }
    }
}

impl Paged {
    pub fn add(&mut self, bucket: u64, n: u64) {
        let index = at(bucket);
        let Some(entry) = self.directory.get_mut(index / PAGE) else { return };
        if *entry == 0 {
            let pages = self.counts.len() / PAGE + 1;
            let Ok(place) = u16::try_from(pages) else { return };
            *entry = place;
            if self.counts.capacity() < pages * PAGE {
                // Doubling would leave half of it unused.
                self.counts.reserve_exact(PAGE * (1 + pages / 8));
            }
            self.counts.resize(pages * PAGE, 0);
        }
        let place = (usize::from(*entry) - 1) * PAGE + index % PAGE;
        let Some(count) = self.counts.get_mut(place) else { return };
        let sum = u64::from(*count).saturating_add(n);
        match u16::try_from(sum) {
            Ok(fits) => *count = fits,
            Err(_) => {
                *count = 0;
                self.carry(bucket, sum);
            }
        }
    }

    /// (bucket, count) of all buckets in use; a bucket may come twice.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        let pages = (0..).step_by(PAGE).zip(&self.directory).filter(|(_, entry)| **entry != 0);
        let counted = pages.flat_map(|(first, entry)| {
            let start = (usize::from(*entry) - 1) * PAGE;
            let page = self.counts.get(start..start + PAGE).unwrap_or_default();
            (first..).zip(page).filter(|(_, n)| **n != 0).map(|(bucket, n)| (bucket, u64::from(*n)))
        });
        counted.chain(self.carried.iter().copied())
    }

    pub fn bytes(&self) -> usize {
        self.directory.capacity() * size_of::<u16>()
            + self.counts.capacity() * size_of::<u16>()
            + self.carried.capacity() * size_of::<(u64, u64)>()
    }

    #[cold]
    fn carry(&mut self, bucket: u64, n: u64) {
        match self.carried.binary_search_by_key(&bucket, |(b, _)| *b) {
            Ok(found) => self.carried[found].1 = self.carried[found].1.saturating_add(n),
            Err(place) => self.carried.insert(place, (bucket, n)),
        }
    }
}
