//! Finds the conditions that the slow requests of a statement meet and its fast ones do not. Silent where there are
//! none.
//!
//! `column` codes each attribute once; `pick` finds the best condition of one attribute; `judge` says whether it counts;
//! `single` and `pair` choose among all attributes; `also` tells what else the same rows have in common, and what makes
//! no difference. Then the rows that the finding explains are put aside and the rest is searched again.

mod also;
mod column;
mod judge;
mod pair;
mod pick;
mod single;
mod table;

use super::statistics::Counts;
use super::{Condition, Found, Row, Subject};
use column::Chosen;
use judge::is_effect;
use table::{Subset, Table};

/// At most so many findings for a statement.
const MAX_FOUND: usize = 3;
/// The share of each step in the error probability. Most of it is for the first one.
const STEP_SHARES: [f64; MAX_FOUND] = [0.75, 0.1, 0.1];
/// The share of the effects.
const EFFECTS_SHARE: f64 = 0.05;
/// A further finding is met by at least this part of all slow rows.
const MIN_FURTHER_SHARE: f64 = 0.05;

/// How many requests of a statement were slow and fast, whether all of them are among the rows or a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Slow requests.
    pub slow: u64,
    /// Fast requests.
    pub fast: u64,
}

/// What was found, and what was tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explained {
    /// What sets the slow rows apart, best first. The counts of each are of all rows. The probability of a further one is
    /// that among the rows which meet none of those before.
    pub found: Vec<Found>,
    /// What sets the answers of the slow rows apart: never a cause.
    pub effects: Vec<Found>,
    /// Subjects that differed between rows, so that something could have been found.
    pub tried: Vec<Subject>,
    /// Those of them, values and answers left out, that do not differ between slow and fast rows: none of their
    /// conditions has a probability below 0.05, corrected for the conditions of that attribute.
    pub no_difference: Vec<Subject>,
}

/// Explains why the slow rows of one statement are slow. `statements`: how many statements of the capture are
/// examined; the probabilities are corrected for all of them.
pub fn explain(rows: &[Row<'_>], totals: Totals, statements: u64) -> Explained {
    let table = Table::new(rows, totals);
    let all = table.all();
    let statements = u32::try_from(statements.max(1)).map_or(f64::from(u32::MAX), f64::from);
    let ln_statements = statements.ln();
    let mut explained = Explained {
        tried: also::tried(&table),
        no_difference: also::no_difference(&table, &all),
        ..Explained::default()
    };
    let mut ln_prior = ln_statements;
    let mut rest = all.filter(|_| true);
    let mut used = Vec::new();
    for share in STEP_SHARES {
        let Some(finding) = pair::best_of_both(&table, &rest, ln_prior - share.ln(), &used) else { break };
        let Some(found) = found(&table, &all, &rest, &finding, explained.found.is_empty()) else { break };
        explained.found.push(found);
        ln_prior += finding.ln_share;
        rest = rest.filter(|row| !finding.matches(&table, row));
        used.extend(finding.parts.iter().map(|(column, _)| *column));
    }
    explained.effects = single::effects(&table, &all, ln_statements - EFFECTS_SHARE.ln())
        .iter()
        .filter_map(|finding| found(&table, &all, &all, finding, true))
        .collect();
    explained
}

/// Conditions that passed.
#[derive(Clone, Debug, Default)]
struct Finding {
    /// One or two columns with their codes.
    parts: Vec<(usize, Chosen)>,
    /// In the rows it was found in.
    explained: f64,
    /// That, less what its intricacy could explain by chance.
    merit: f64,
    /// Corrected.
    ln_p: f64,
    /// ln of one over its share of the error probability.
    ln_share: f64,
}

impl Finding {
    fn matches(&self, table: &Table, row: usize) -> bool {
        self.parts.iter().all(|(place, chosen)| {
            table.columns.get(*place).is_some_and(|column| chosen.contains(column.at(row)))
        })
    }

    fn counts(&self, table: &Table, rows: &Subset) -> Counts {
        let matched = rows.filter(|row| self.matches(table, row));
        Counts { slow_matched: matched.slow, slow: rows.slow, fast_matched: matched.fast, fast: rows.fast }
    }
}

/// `None`: a further finding that is about too few of the slow rows.
fn found(table: &Table, all: &Subset, rest: &Subset, finding: &Finding, is_first: bool) -> Option<Found> {
    let in_rest = finding.counts(table, rest);
    if !is_first && f64::from(in_rest.slow_matched) < MIN_FURTHER_SHARE * f64::from(all.slow) {
        return None;
    }
    let counts = finding.counts(table, all);
    let conditions: Vec<Condition> = finding
        .parts
        .iter()
        .filter_map(|(place, chosen)| Some(table.columns.get(*place)?.condition(chosen)))
        .collect();
    let same_rows = if conditions.iter().any(|condition| is_effect(condition.attribute)) {
        Vec::new()
    } else {
        also::same_rows(table, all, finding)
    };
    Some(Found {
        conditions,
        slow_matched: counts.slow_matched.into(),
        slow_total: counts.slow.into(),
        fast_matched: counts.fast_matched.into(),
        fast_total: counts.fast.into(),
        // Never shown as zero.
        p_value: finding.ln_p.exp().max(f64::MIN_POSITIVE),
        explained: table.explained(counts),
        same_rows,
    })
}
