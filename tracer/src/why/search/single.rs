//! The attribute that explains most on its own.

use super::Finding;
use super::column::Chosen;
use super::judge::{MAX_P, is_effect};
use super::pick::{Candidate, best};
use super::table::{Subset, Table};
use crate::why::Feature;
use crate::why::attribute::{Shape, plainness};

/// Of findings whose merit is that of the best one less this, the plainest is told.
const NEARLY: f64 = 0.02;
/// A condition whose rows count as less than one half independent ones goes with time: a window says it better.
const TIMELY: f64 = 2.0;

/// The best condition of each attribute that can be a cause.
pub(super) fn candidates(table: &Table, rows: &Subset) -> Vec<Candidate> {
    let columns = table.columns.iter().enumerate().filter(|(_, column)| !is_effect(column.attribute));
    columns.filter_map(|(place, column)| best(place, column, rows, &table.factorials)).collect()
}

/// The best of the candidates, if any passes.
pub(super) fn choose(
    table: &Table,
    rows: &Subset,
    candidates: &[Candidate],
    ln_prior: f64,
) -> Option<Finding> {
    let passed: Vec<(Finding, u32)> =
        candidates.iter().filter_map(|candidate| judged(table, rows, candidate, ln_prior)).collect();
    let most = passed.iter().map(|(finding, _)| finding.merit).fold(f64::NEG_INFINITY, f64::max);
    passed
        .into_iter()
        .filter(|(finding, _)| finding.merit >= most - NEARLY)
        .min_by(|(a, a_rank), (b, b_rank)| a_rank.cmp(b_rank).then(b.merit.total_cmp(&a.merit)))
        .map(|(finding, _)| finding)
}

/// The best condition of each attribute of the answer that passes.
pub(super) fn effects(table: &Table, rows: &Subset, ln_prior: f64) -> Vec<Finding> {
    let columns = table.columns.iter().enumerate().filter(|(_, column)| is_effect(column.attribute));
    let mut found: Vec<Finding> = columns
        .filter_map(|(place, column)| best(place, column, rows, &table.factorials))
        .filter_map(|candidate| judged(table, rows, &candidate, ln_prior))
        .map(|(finding, _)| finding)
        .collect();
    found.sort_by(|a, b| b.explained.total_cmp(&a.explained));
    found
}

/// The candidate with its rank, the plainest lowest, if it passes.
fn judged(table: &Table, rows: &Subset, candidate: &Candidate, ln_prior: f64) -> Option<(Finding, u32)> {
    let parts = vec![(candidate.column, candidate.chosen.clone())];
    let mut finding = Finding { parts, ln_share: table.ln_share(candidate), ..Finding::default() };
    if candidate.ln_p + finding.ln_share + ln_prior >= MAX_P.ln() {
        return None;
    }
    let counts = finding.counts(table, rows);
    finding.explained = table.explained(counts);
    finding.merit = table.merit(counts, candidate.ln_cost);
    finding.ln_p = table.ln_corrected(candidate, rows, ln_prior);
    if finding.ln_p >= MAX_P.ln() || !table.is_worth(counts) {
        return None;
    }
    let is_timely = table.inflation(candidate, rows) >= TIMELY;
    let rank = rank(table, candidate) + if is_timely { 10_000 } else { 0 };
    Some((finding, rank))
}

fn rank(table: &Table, candidate: &Candidate) -> u32 {
    let Some(column) = table.columns.get(candidate.column) else { return u32::MAX };
    let plain = plainness(column.attribute);
    match (&candidate.chosen, column.attribute.feature) {
        // One value alone is better told as the value than as a range or a beginning that only it has.
        (Chosen::Codes(codes), Feature::ValueHash) if codes.len() == 1 => 322,
        (Chosen::Between(first, last), _) if first == last && column.shape == Shape::Range => plain + 1000,
        _ => plain,
    }
}
