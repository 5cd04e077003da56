//! All rows of a statement, coded once and put into the order of time.

use std::cell::OnceCell;

use super::Totals;
use super::column::Column;
use crate::time::Nanos;
use crate::why::Row;
use crate::why::attribute::{self, Shape};
use crate::why::statistics::{Correlation, LnFactorials, Weights};

/// What the search works on.
#[derive(Debug)]
pub(super) struct Table {
    /// For each row whether it is slow.
    marks: Vec<bool>,
    /// The attributes that are not the same for all rows.
    pub(super) columns: Vec<Column>,
    pub(super) factorials: LnFactorials,
    pub(super) weights: Weights,
}

impl Table {
    pub(super) fn new(rows: &[Row<'_>], totals: Totals) -> Self {
        let mut rows: Vec<&Row<'_>> = rows.iter().collect();
        rows.sort_by_key(|row| (row.facts.started_at, row.facts.connection));
        let marks: Vec<bool> = rows.iter().map(|row| row.slow).collect();
        let horizon = horizon(&rows);
        let positions = rows.iter().map(|row| row.values.len()).max().unwrap_or(0);
        let mut codes = Vec::with_capacity(rows.len());
        let mut columns = Vec::new();
        for tried in attribute::all(u16::try_from(positions).unwrap_or(u16::MAX)) {
            codes.clear();
            let is_known = |row: &Row<'_>| tried.shape != Shape::Window || row.facts.started_at <= horizon;
            codes.extend(rows.iter().map(|row| (tried.code)(row, tried.attribute).filter(|_| is_known(row))));
            columns.extend(Column::new(&tried, &codes));
        }
        let slow = count(&marks);
        let fast = u32::try_from(marks.len()).unwrap_or(u32::MAX) - slow;
        let weights = Weights { slow: weight(totals.slow, slow), fast: weight(totals.fast, fast) };
        Self { factorials: LnFactorials::up_to(marks.len()), marks, columns, weights }
    }

    /// All rows.
    pub(super) fn all(&self) -> Subset {
        Subset::new((0..self.marks.len()).zip(self.marks.iter().copied()).collect())
    }
}

/// The last start whose request had the time to become slow before the capture ended. Of those started later only the
/// fast ones are known, so a late start would look like a cause of being fast.
fn horizon(rows: &[&Row<'_>]) -> Nanos {
    let end = rows.iter().map(|row| row.facts.started_at + row.facts.latency).max().unwrap_or_default();
    let split = rows.iter().filter(|row| row.slow).map(|row| row.facts.latency).min().unwrap_or_default();
    end - split
}

fn weight(total: u64, rows: u32) -> f64 {
    let total = u32::try_from(total).map_or(f64::from(u32::MAX), f64::from);
    if rows == 0 { 1.0 } else { (total / f64::from(rows)).max(1.0) }
}

fn count(marks: &[bool]) -> u32 {
    u32::try_from(marks.iter().filter(|slow| **slow).count()).unwrap_or(u32::MAX)
}

/// Some of the rows.
#[derive(Debug)]
pub(super) struct Subset {
    /// Place of the row in the table, and whether it is slow. In the order of time.
    rows: Vec<(usize, bool)>,
    pub(super) slow: u32,
    pub(super) fast: u32,
    correlation: OnceCell<Correlation>,
}

impl Subset {
    fn new(rows: Vec<(usize, bool)>) -> Self {
        let slow = u32::try_from(rows.iter().filter(|(_, slow)| *slow).count()).unwrap_or(u32::MAX);
        let fast = u32::try_from(rows.len()).unwrap_or(u32::MAX) - slow;
        Self { rows, slow, fast, correlation: OnceCell::new() }
    }

    /// Place and mark of each row, in the order of time.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, bool)> + '_ {
        self.rows.iter().copied()
    }

    /// The rows of it that are wanted.
    pub(super) fn filter(&self, wanted: impl Fn(usize) -> bool) -> Self {
        Self::new(self.rows().filter(|(row, _)| wanted(*row)).collect())
    }

    /// How the slow marks go together in time.
    pub(super) fn correlation(&self) -> &Correlation {
        self.correlation
            .get_or_init(|| Correlation::of(&self.rows().map(|(_, slow)| slow).collect::<Vec<_>>()))
    }
}
