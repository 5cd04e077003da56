//! Puts what was found for a statement into sentences, and into the report's form.
//!
//! Says what goes together, never what causes what: a capture cannot know. Never sees a value but through
//! [`Names::shown_value`], which has one only with `--show-values`; without it, numbers are told by one digit and their
//! magnitude.

mod condition;
mod number;
mod range;
mod slow;
#[cfg(test)]
pub(crate) mod tests;
mod unseen;

pub use unseen::Unseen;

use super::split::{Sides, Split};
use super::{Attribute, Condition, Feature, Found, Subject};
use crate::report::model;
use crate::report::units::count;
use crate::sql::{Position, TextId};
use crate::time::Nanos;
use crate::value::PREFIX_BYTES;
use condition::Told;

/// Conditions on other subjects that one sentence names; the rest is in the list beside it.
const SAME_NAMED: usize = 3;

/// What a value is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number behind `$`.
    pub number: u16,
    /// A literal: it is the n-th `?` of the text, from 1.
    pub literal: Option<u16>,
}

impl Place {
    /// What stands at a position of a text with these positions. Texts that are not known have none; position n is then
    /// parameter n + 1.
    pub fn of(positions: &[Position], position: u16) -> Self {
        let upto = positions.get(..=usize::from(position)).unwrap_or_default();
        let Some(this) = upto.last() else {
            return Self { number: position.saturating_add(1), literal: None };
        };
        let literals = upto.iter().filter(|position| position.literal).count();
        Self {
            number: this.number,
            literal: this.literal.then(|| u16::try_from(literals).unwrap_or(u16::MAX)),
        }
    }
}

/// Looks up what codes mean. Text from the target may be raw: outputs make it safe.
pub trait Names {
    /// The place of a value position of the statement.
    fn place(&self, position: u16) -> Place;
    /// A server's address.
    fn server(&self, number: u32) -> String;
    /// A database's name.
    fn database(&self, number: u32) -> String;
    /// A connection's id in the report.
    fn connection(&self, number: u32) -> String;
    /// The id of a statement in the report.
    fn statement_id(&self, text: TextId) -> String;
    /// The text of a statement; it will be shortened.
    fn statement(&self, text: TextId) -> String;
    /// A point in time as RFC 3339 in UTC.
    fn time(&self, at: Nanos) -> String;
    /// The hash that may be shown for a hash.
    fn shown_hash(&self, hash: u64) -> u64;
    /// `--show-values`: the value with this hash, if it was kept.
    fn shown_value(&self, hash: u64) -> Option<&str>;
    /// `--show-values`: the beginning with this code of [`Feature::Prefix`], if a value that has it was kept.
    fn shown_prefix(&self, index: u8, code: i64) -> Option<&str>;
    /// `--show-values`: numbers are shown as exactly as they were kept.
    fn shows_values(&self) -> bool;
}

/// What is known of one statement with a slow group.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Its id in the report.
    pub statement: &'a str,
    /// Where its slow requests begin.
    pub split: Split,
    /// How many are on both sides, of all requests.
    pub sides: Sides,
    /// Slow and fast requests that were compared.
    pub sampled: (u64, u64),
    /// What sets the slow ones apart, the best first.
    pub found: &'a [Found],
    /// What their answers have in common.
    pub effects: &'a [Found],
    /// Subjects that were compared, without any difference. Values are not among them.
    pub no_difference: &'a [Subject],
    /// Subjects that were compared: those that are not the same for all executions.
    pub tried: &'a [Subject],
    /// What could not be compared.
    pub unseen: &'a [Unseen],
    /// `--show-values`: values of slow and of fast requests.
    pub examples: (&'a [String], &'a [String]),
}

/// The part of the report about one statement.
pub fn tell(case: &Case<'_>, names: &dyn Names) -> (Vec<model::Finding>, model::Slow) {
    let causes = case.found.iter().map(|found| finding(case, found, false, names));
    let effects = case.effects.iter().map(|found| finding(case, found, true, names));
    let findings = causes.chain(effects).collect();
    let subjects = |subjects: &[Subject]| {
        let mut list: Vec<String> = subjects.iter().map(|subject| subject_name(*subject, names)).collect();
        list.dedup();
        list
    };
    let slow = model::Slow {
        statement: case.statement.to_owned(),
        summary: slow::summary(case),
        split_ns: case.split.at.0,
        split_by: case.split.by.into(),
        slow: case.sides.slow,
        fast: case.sides.fast,
        in_flight: case.sides.in_flight,
        slow_sampled: case.sampled.0,
        fast_sampled: case.sampled.1,
        fast_p99_ns: case.sides.fast_p99.0,
        slow_p50_ns: case.sides.slow_p50.0,
        explained: !case.found.is_empty(),
        tried: subjects(case.tried),
        no_difference: subjects(case.no_difference),
        not_seen: case.unseen.iter().map(Unseen::sentence).collect(),
        slow_examples: case.examples.0.to_vec(),
        fast_examples: case.examples.1.to_vec(),
    };
    (findings, slow)
}

fn finding(case: &Case<'_>, found: &Found, effect: bool, names: &dyn Names) -> model::Finding {
    let told: Vec<Told> =
        found.conditions.iter().map(|condition| condition::tell(condition, names)).collect();
    let clauses: Vec<&str> = told.iter().map(|told| told.clause.as_str()).collect();
    let counts = format!(
        "{} of {} slow, {} of {} fast",
        count(found.slow_matched),
        count(found.slow_total),
        count(found.fast_matched),
        count(found.fast_total)
    );
    let mut summary = if effect {
        format!("With it went: {} ({counts}).", clauses.join(", and "))
    } else {
        format!("{}: {counts}.", capital(&clauses.join(", and ")))
    };
    if !effect && names_values(found) {
        let all = found.slow_matched.saturating_add(found.fast_matched);
        summary += &format!(" {} of these {} were slow.", count(found.slow_matched), count(all));
    }
    summary += &same(&found.same_rows, names);
    let mut attributes =
        found.conditions.iter().zip(told).map(|(condition, told)| attribute(condition, told, names));
    model::Finding {
        kind: match (effect, found.conditions.len()) {
            (true, _) => "effect",
            (false, 2..) => "pair",
            (false, _) => "attribute",
        }
        .to_owned(),
        statement: case.statement.to_owned(),
        summary,
        attribute: attributes.next().unwrap_or_default(),
        and: attributes.next(),
        slow_matched: found.slow_matched,
        slow_total: found.slow_total,
        fast_matched: found.fast_matched,
        fast_total: found.fast_total,
        p_value: found.p_value,
        explained: found.explained,
        same_requests: found
            .same_rows
            .iter()
            .map(|condition| attribute(condition, condition::tell(condition, names), names))
            .collect(),
    }
}

/// Whether it is about single values: then how many of their executions were slow says more than the totals.
fn names_values(found: &Found) -> bool {
    found.conditions.iter().all(|condition| condition.attribute.feature == Feature::ValueHash)
}

/// The sentence on what else the very same requests have in common.
fn same(conditions: &[Condition], names: &dyn Names) -> String {
    if conditions.is_empty() {
        return String::new();
    }
    let clauses: Vec<String> = conditions
        .iter()
        .take(SAME_NAMED)
        .map(|condition| condition::tell(condition, names).clause)
        .collect();
    let more = match conditions.len().saturating_sub(SAME_NAMED) {
        0 => String::new(),
        n => format!("; and {n} more"),
    };
    format!(" Or, of the very same executions: {}{more}.", clauses.join("; "))
}

fn attribute(condition: &Condition, told: Told, names: &dyn Names) -> model::Attribute {
    model::Attribute {
        subject: subject_name(condition.attribute.subject, names),
        feature: feature_name(condition.attribute),
        values: told.values,
    }
}

/// The report's name of a subject.
fn subject_name(subject: Subject, names: &dyn Names) -> String {
    let name = match subject {
        Subject::Value(position) => return format!("${}", names.place(position).number),
        Subject::Server => "server",
        Subject::Database => "database",
        Subject::Connection => "connection",
        Subject::Process => "process",
        Subject::Thread => "thread",
        Subject::Time => "time",
        Subject::Transaction => "transaction",
        Subject::Request => "request",
        Subject::Load => "load",
        Subject::Answer => "answer",
    };
    name.to_owned()
}

/// The report's name of a feature.
fn feature_name(attribute: Attribute) -> String {
    let name = match attribute.feature {
        Feature::Remainder(divisor) => return format!("remainder_{divisor}"),
        Feature::Prefix(index) => {
            return format!("prefix_{}", PREFIX_BYTES.get(usize::from(index)).unwrap_or(&0));
        }
        Feature::IsNull => "is_null",
        Feature::Kind => "kind",
        Feature::Boolean => "boolean",
        Feature::Sign => "sign",
        Feature::IsZero => "is_zero",
        Feature::Parity => "parity",
        Feature::LastDigit => "last_digit",
        Feature::Magnitude => "magnitude",
        Feature::IsEmpty => "is_empty",
        Feature::Length => "length",
        Feature::FirstCharacter => "first_character",
        Feature::HasNonAscii => "non_ascii",
        Feature::UuidVersion => "uuid_version",
        Feature::DistanceFromNow => "distance_from_now",
        Feature::Elements => "elements",
        Feature::ValueHash => "value_hash",
        Feature::Identity => match attribute.subject {
            Subject::Server => "address",
            Subject::Database => "name",
            _ => "id",
        },
        Feature::FirstOnConnection => "first_on_connection",
        Feature::OpenedBefore => "opened_before",
        Feature::IdleBefore => "idle_before",
        Feature::Status => "status",
        Feature::Position => "position",
        Feature::Bytes => "bytes",
        Feature::Previous => "previous",
        Feature::InFlight => "in_flight",
        Feature::Window => "window",
        Feature::Rows => "rows",
        Feature::Error => "error",
    };
    name.to_owned()
}

/// With a capital letter at the beginning.
fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
