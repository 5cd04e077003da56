//! Two conditions that hold together, where one is not enough.

use super::Finding;
use super::judge::{MAX_P, is_effect};
use super::pick::{Candidate, best};
use super::single::{candidates, choose};
use super::table::{Subset, Table};
use crate::why::statistics::Counts;

/// A single condition that explains so much needs no second one.
const ENOUGH: f64 = 0.9;
/// A pair must have this much more merit than the best single condition.
const BETTER: f64 = 0.1;
/// The shares of single conditions and of pairs in the error probability.
const SINGLE_SHARE: f64 = 0.8;
const PAIR_SHARE: f64 = 0.2;
/// So many attributes are tried as the first and as the second of a pair: those whose own condition is least likely by
/// chance.
const FIRSTS: usize = 24;
const SECONDS: usize = 60;
/// A part of a pair is at most this likely by chance on its own, corrected for its attribute's conditions. Where only
/// both together make requests slow, nearly all slow rows meet each of both, so each one alone is far less likely.
const MAX_PART_P: f64 = 0.05;
/// So many of the best pairs are judged.
const JUDGED: usize = 8;
/// Of pairs whose merit is that of the best one less this, one about two subjects is told.
const NEARLY: f64 = 0.02;

/// The best single condition or pair in these rows. A set of codes that was found before is not found again; another
/// range or window may be. `used`: columns of earlier findings.
pub(super) fn best_of_both(table: &Table, rows: &Subset, ln_prior: f64, used: &[usize]) -> Option<Finding> {
    if rows.slow == 0 || rows.fast == 0 {
        return None;
    }
    let mut singles = candidates(table, rows);
    singles.retain(|candidate| {
        !used.contains(&candidate.column) || matches!(candidate.chosen, super::Chosen::Between(..))
    });
    let single = choose(table, rows, &singles, ln_prior - SINGLE_SHARE.ln());
    if single.as_ref().is_some_and(|single| single.explained >= ENOUGH) {
        return single;
    }
    let least = single.as_ref().map_or(0.0, |single| single.merit) + BETTER;
    best_pair(table, rows, singles, ln_prior - PAIR_SHARE.ln(), least).or(single)
}

#[derive(Debug)]
struct Pair {
    first: Candidate,
    /// Found among the rows that meet the first.
    second: Candidate,
    explained: f64,
}

fn best_pair(
    table: &Table,
    rows: &Subset,
    mut singles: Vec<Candidate>,
    ln_prior: f64,
    least: f64,
) -> Option<Finding> {
    singles.retain(|candidate| candidate.ln_p + candidate.ln_cost < MAX_PART_P.ln());
    singles.sort_by(|a, b| a.ln_p.total_cmp(&b.ln_p));
    singles.truncate(SECONDS);
    let mut pairs: Vec<Pair> = Vec::new();
    for first in singles.iter().take(FIRSTS) {
        let met = meeting(table, rows, first);
        // All that a second condition could do is to leave out every fast row.
        let most = Counts { slow_matched: met.slow, slow: rows.slow, fast_matched: 0, fast: rows.fast };
        if table.explained(most) < least {
            continue;
        }
        for second in &singles {
            let pair = paired(table, rows, first, &met, second.column);
            pairs.extend(pair.filter(|pair| pair.explained >= least));
        }
    }
    pairs.sort_by(|a, b| b.explained.total_cmp(&a.explained));
    pairs.truncate(JUDGED);
    let mut passed: Vec<(Finding, bool)> = pairs
        .into_iter()
        .map(|pair| refined(table, rows, pair))
        .filter_map(|pair| {
            let about_two = subject(table, &pair.first) != subject(table, &pair.second);
            Some((judged(table, rows, &pair, ln_prior)?, about_two))
        })
        .collect();
    let most = passed.iter().map(|(finding, _)| finding.merit).fold(0.0, f64::max);
    passed.retain(|(finding, _)| finding.merit >= (most - NEARLY).max(least));
    passed.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.merit.total_cmp(&a.0.merit)));
    passed.into_iter().next().map(|(finding, _)| finding)
}

fn subject(table: &Table, candidate: &Candidate) -> Option<crate::why::Subject> {
    table.columns.get(candidate.column).map(|column| column.attribute.subject)
}

fn meeting(table: &Table, rows: &Subset, candidate: &Candidate) -> Subset {
    let column = table.columns.get(candidate.column);
    rows.filter(|row| column.is_some_and(|column| candidate.chosen.contains(column.at(row))))
}

/// The first with the best condition that another column has among the rows that meet the first.
fn paired(table: &Table, rows: &Subset, first: &Candidate, met: &Subset, column: usize) -> Option<Pair> {
    let other = table.columns.get(column)?;
    if column == first.column || is_effect(other.attribute) {
        return None;
    }
    let second = best(column, other, met, &table.factorials)?;
    let counts = Counts {
        slow_matched: second.counts.slow_matched,
        slow: rows.slow,
        fast_matched: second.counts.fast_matched,
        fast: rows.fast,
    };
    Some(Pair { first: first.clone(), second, explained: table.explained(counts) })
}

/// Each of both was found without knowing the other, or one of them: finds them again, each among the rows that meet
/// the other.
fn refined(table: &Table, rows: &Subset, pair: Pair) -> Pair {
    let second = pair.second.clone();
    let again = paired(table, rows, &second, &meeting(table, rows, &second), pair.first.column)
        .map(|turned| turned.second)
        .and_then(|first| paired(table, rows, &first, &meeting(table, rows, &first), second.column));
    match again {
        Some(again) if again.explained > pair.explained => again,
        _ => pair,
    }
}

/// Both conditions must count, each among the rows that meet the other: else one of them would do.
fn judged(table: &Table, rows: &Subset, pair: &Pair, ln_prior: f64) -> Option<Finding> {
    let ln_first = table.ln_share(&pair.first);
    let ln_second = table.ln_share(&pair.second);
    let met_first = meeting(table, rows, &pair.first);
    let met_second = meeting(table, rows, &pair.second);
    let mut first = pair.first.clone();
    let met_both = meeting(table, &met_second, &first);
    first.counts = Counts {
        slow_matched: met_both.slow,
        slow: met_second.slow,
        fast_matched: met_both.fast,
        fast: met_second.fast,
    };
    first.ln_p = table.factorials.ln_upper_tail(first.counts);
    let ln_p = f64::max(
        table.ln_corrected(&pair.second, &met_first, ln_prior + ln_first),
        table.ln_corrected(&first, &met_second, ln_prior + ln_second),
    );
    let parts = [&pair.first, &pair.second].map(|part| (part.column, part.chosen.clone()));
    let mut finding =
        Finding { parts: parts.to_vec(), ln_p, ln_share: ln_first + ln_second, ..Finding::default() };
    let counts = finding.counts(table, rows);
    finding.explained = table.explained(counts);
    finding.merit = table.merit(counts, pair.first.ln_cost + pair.second.ln_cost);
    // In the order of the columns: by position, then the request.
    finding.parts.sort_by_key(|(column, _)| *column);
    (ln_p < MAX_P.ln() && table.is_worth(counts)).then_some(finding)
}
