//! What else is worth knowing: conditions that the same rows meet, and subjects that make no difference.

use super::Finding;
use super::column::{Chosen, Column, NONE};
use super::judge::is_effect;
use super::pick::best;
use super::table::{Subset, Table};
use crate::why::attribute::{Shape, plainness};
use crate::why::{Condition, Subject};

/// A set of more codes than this is no other way to say the same.
const MAX_CODES: usize = 4;
/// Above this probability a subject makes no difference that could be seen.
const MIN_P: f64 = 0.05;
/// What answers so much of "slow or fast?" is not called the same, however uncertain it is: few slow rows prove nothing.
const MAX_EXPLAINED: f64 = 0.03;

/// Subjects that differ between rows.
pub(super) fn tried(table: &Table) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = table.columns.iter().map(|column| column.attribute.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

/// Subjects of which no attribute differs between slow and fast rows, values and the answer left out. Dependence in
/// time is not corrected for: what only seems to differ is not said to be the same.
pub(super) fn no_difference(table: &Table, rows: &Subset) -> Vec<Subject> {
    if rows.slow == 0 || rows.fast == 0 {
        return Vec::new();
    }
    let differs = |subject: Subject| {
        table.columns.iter().enumerate().filter(|(_, column)| column.attribute.subject == subject).any(
            |(place, column)| {
                best(place, column, rows, &table.factorials).is_some_and(|found| {
                    found.ln_p + found.ln_cost < MIN_P.ln() || table.explained(found.counts) > MAX_EXPLAINED
                })
            },
        )
    };
    let mut subjects = tried(table);
    subjects.retain(|subject| !matches!(subject, Subject::Value(_) | Subject::Answer) && !differs(*subject));
    subjects
}

/// For each other subject the plainest condition that exactly the rows of the finding meet.
pub(super) fn same_rows(table: &Table, all: &Subset, finding: &Finding) -> Vec<Condition> {
    let matched: Vec<(usize, bool)> = all.rows().map(|(row, _)| (row, finding.matches(table, row))).collect();
    let own: Vec<Subject> = finding
        .parts
        .iter()
        .filter_map(|(place, _)| Some(table.columns.get(*place)?.attribute.subject))
        .collect();
    let mut same: Vec<Condition> = table
        .columns
        .iter()
        .filter(|column| !is_effect(column.attribute) && !own.contains(&column.attribute.subject))
        .filter_map(|column| Some(column.condition(&met_by(column, &matched)?)))
        .collect();
    same.sort_by_key(|condition| (condition.attribute.subject, plainness(condition.attribute)));
    same.dedup_by_key(|condition| condition.attribute.subject);
    same
}

/// The condition of a column that exactly these rows meet.
fn met_by(column: &Column, matched: &[(usize, bool)]) -> Option<Chosen> {
    let mut codes: Vec<u32> =
        matched.iter().filter(|(_, is_met)| *is_met).map(|(row, _)| column.at(*row)).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.contains(&NONE) {
        return None;
    }
    let chosen = match column.shape {
        Shape::Set(longest) => {
            let longest = usize::try_from(longest).unwrap_or(usize::MAX).min(MAX_CODES);
            (codes.len() <= longest).then_some(Chosen::Codes(codes.clone()))?
        }
        Shape::Range | Shape::Window => {
            let (first, last) = (*codes.first()?, *codes.last()?);
            let is_all = first == 0 && last + 1 >= column.len();
            (!is_all).then_some(Chosen::Between(first, last))?
        }
    };
    let is_same = matched.iter().all(|(row, is_met)| chosen.contains(column.at(*row)) == *is_met);
    is_same.then_some(chosen)
}
