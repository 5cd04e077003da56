//! Raw texts seen lately, known by their hash only, so that they need not be normalised again.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::ops::Range;

use super::Interned;
use super::dialect::Dialect;
use crate::value::{Kind, Value};

/// So many raw texts are remembered.
const MAX_TEXTS: usize = 16_384;
/// So many values their literals have together.
const MAX_VALUES: usize = 256 * 1024;

/// Hash of a raw text: 128 bits under keys that are random for each table, so that nobody can make two texts collide.
pub(super) type Raw = (u64, u64);

#[derive(Debug)]
struct Entry {
    interned: Interned,
    /// Where the values of its literals are.
    literals: Range<u32>,
}

/// The table. Full, it begins anew.
#[derive(Debug, Default)]
pub(super) struct Recent {
    hashers: (RandomState, RandomState),
    entries: HashMap<Raw, Entry>,
    /// Of all entries, one behind the other.
    values: Vec<Value>,
}

impl Recent {
    /// The hash of a raw text.
    pub(super) fn raw(&self, dialect: Dialect, sql: &[u8], truncated: bool) -> Raw {
        let text = (dialect, sql, truncated);
        (self.hashers.0.hash_one(text), self.hashers.1.hash_one(text))
    }

    /// What the text became, and its literals.
    pub(super) fn get(&self, raw: Raw) -> Option<(Interned, &[Value])> {
        let entry = self.entries.get(&raw)?;
        let index = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        let literals = self.values.get(index(entry.literals.start)..index(entry.literals.end));
        Some((entry.interned, literals.unwrap_or_default()))
    }

    /// Remembers a text. Not one with a point in time among its literals: how far that lies from now is different the
    /// next time.
    pub(super) fn insert(&mut self, raw: Raw, interned: Interned, literals: &[Value]) {
        let full = self.entries.len() >= MAX_TEXTS || self.values.len() + literals.len() > MAX_VALUES;
        if literals.len() > MAX_VALUES || literals.iter().any(|value| value.kind() == Kind::Time) {
            return;
        }
        if full {
            self.entries.clear();
            self.values.clear();
        }
        let start = u32::try_from(self.values.len());
        self.values.extend_from_slice(literals);
        if let (Ok(start), Ok(end)) = (start, u32::try_from(self.values.len())) {
            self.entries.insert(raw, Entry { interned, literals: start..end });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, MAX_TEXTS, MAX_VALUES, Recent};
    use crate::sql::{Interned, LayoutId, TextId};
    use crate::time::Nanos;
    use crate::value::{Extractor, Value};

    fn interned(n: u32) -> Interned {
        Interned { text: TextId(n), layout: LayoutId::NOTHING }
    }

    #[test]
    fn every_text_has_its_own_literals() {
        let mut recent = Recent::default();
        let mut extractor = Extractor::default();
        let (one, two) = (extractor.integer(1), extractor.integer(2));
        let texts: [(&[u8], &[Value]); 4] = [(b"a", &[]), (b"b", &[one]), (b"c", &[two, one]), (b"d", &[])];
        for (n, (sql, literals)) in (1..).zip(texts) {
            recent.insert(recent.raw(Dialect::Postgresql, sql, false), interned(n), literals);
        }
        for (n, (sql, literals)) in (1..).zip(texts) {
            assert_eq!(
                recent.get(recent.raw(Dialect::Postgresql, sql, false)),
                Some((interned(n), literals))
            );
            assert_eq!(recent.get(recent.raw(Dialect::Postgresql, sql, true)), None);
        }
    }

    #[test]
    fn a_point_in_time_is_not_remembered() {
        let mut recent = Recent::default();
        let mut extractor = Extractor::default();
        let literals = [extractor.integer(1), extractor.time(0, Nanos(0))];
        recent.insert((1, 1), interned(1), &literals);
        assert_eq!(recent.get((1, 1)), None);
    }

    #[test]
    fn it_is_bounded() {
        let mut recent = Recent::default();
        for n in 0..100_000 {
            recent.insert((n, 0), interned(1), &[]);
            assert!(recent.entries.len() <= MAX_TEXTS);
        }
        let many = vec![Value::NULL; 100_000];
        for n in 0..5 {
            recent.insert((n, 1), interned(2), &many);
            assert!(recent.values.len() <= MAX_VALUES);
        }
        assert_eq!(recent.get((4, 1)), Some((interned(2), many.as_slice())));
        assert_eq!(recent.get((1, 1)), None);
        recent.insert((9, 1), interned(3), &vec![Value::NULL; MAX_VALUES + 1]);
        assert_eq!(recent.get((9, 1)), None);
        assert_eq!(recent.get((4, 1)), Some((interned(2), many.as_slice())));
    }
}
