//! Findings of a report, as JSON, and what they must say.

use serde_json::Value;

use crate::run::{Outcome, Sent};

/// Kinds of finding that name a cause.
const CAUSES: [&str; 2] = ["attribute", "pair"];

/// Largest probability of chance of anything that is shown.
const MOST_PROBABLE: f64 = 0.001;

/// What a condition of a finding must say: subject, feature, values.
pub type Condition<'a> = (&'a str, &'a str, &'a [&'a str]);

/// The findings that name a cause.
pub fn causes(report: &Value) -> Vec<Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter(|finding| CAUSES.iter().any(|kind| finding["kind"] == *kind)).cloned().collect()
}

/// The values that the first cause names, where a test can say less than which they are.
pub fn values_of_first(outcome: &Outcome) -> Vec<String> {
    let causes = causes(&outcome.report());
    causes.first().map(|finding| condition(&finding["attribute"]).2).unwrap_or_default()
}

/// A capture that ended well and has exactly this one cause, which all slow requests meet and no fast one.
#[track_caller]
pub fn check(outcome: &Outcome, expected: Condition<'_>) -> Value {
    check_matched(outcome, &[expected], |sent| sent.slow)
}

/// A capture that ended well and has exactly this one cause, of one condition or two, which those requests meet for
/// which `matched` holds.
#[track_caller]
pub fn check_matched(
    outcome: &Outcome,
    expected: &[Condition<'_>],
    matched: impl Fn(&Sent) -> bool,
) -> Value {
    let counts = Counts {
        slow_matched: outcome.count(|sent| sent.slow && matched(sent)),
        slow_total: outcome.count(|sent| sent.slow),
        fast_matched: outcome.count(|sent| !sent.slow && matched(sent)),
        fast_total: outcome.count(|sent| !sent.slow),
    };
    check_counts(outcome, expected, counts)
}

/// The four numbers of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub slow_matched: u64,
    pub slow_total: u64,
    pub fast_matched: u64,
    pub fast_total: u64,
}

impl Counts {
    pub fn of(finding: &Value) -> Self {
        let number = |name: &str| finding[name].as_u64().unwrap_or_else(|| panic!("{name}: {finding}"));
        Self {
            slow_matched: number("slow_matched"),
            slow_total: number("slow_total"),
            fast_matched: number("fast_matched"),
            fast_total: number("fast_total"),
        }
    }
}

/// As [`check_matched`], with the counts.
#[track_caller]
pub fn check_counts(outcome: &Outcome, expected: &[Condition<'_>], counts: Counts) -> Value {
    let report = outcome.report();
    let shown = serde_json::to_string_pretty(&report["findings"]).unwrap();
    println!("{} {}", report["findings"], report["slow"]);
    assert_eq!(outcome.ended.code, Some(0), "{} {}", report["coverage"], outcome.ended.stderr);
    let found = causes(&report);
    let [finding] = &*found else { panic!("{} causes instead of one, {counts:?}: {shown}", found.len()) };
    let mut conditions = vec![condition(&finding["attribute"])];
    if finding["and"].is_object() {
        conditions.push(condition(&finding["and"]));
    }
    // Which of two conditions comes first is nobody's business.
    conditions.sort();
    let owned = |(subject, feature, values): &Condition<'_>| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        ((*subject).to_owned(), (*feature).to_owned(), values)
    };
    let mut wanted: Vec<(String, String, Vec<String>)> = expected.iter().map(owned).collect();
    wanted.sort();
    assert_eq!(conditions, wanted, "{counts:?}: {shown}");
    assert_eq!(Counts::of(finding), counts, "{shown}");
    let p_value = finding["p_value"].as_f64().unwrap();
    assert!((0.0..MOST_PROBABLE).contains(&p_value), "{shown}");
    let Counts { slow_matched, slow_total, fast_matched, fast_total } = counts;
    let said = format!("{slow_matched} of {slow_total} slow, {fast_matched} of {fast_total} fast");
    assert!(finding["summary"].as_str().unwrap().contains(&said), "{said}: {shown}");
    let statements = report["statements"].as_array().unwrap();
    assert!(statements.iter().any(|statement| statement["id"] == finding["statement"]), "{shown}");
    finding.clone()
}

/// A capture that ended well and names no cause.
#[track_caller]
pub fn check_silent(outcome: &Outcome) {
    let report = outcome.report();
    assert_eq!(outcome.ended.code, Some(0), "{} {}", report["coverage"], outcome.ended.stderr);
    let found = causes(&report);
    assert!(found.is_empty(), "{}", serde_json::to_string_pretty(&found).unwrap());
    let seen = report["coverage"]["requests"].as_u64();
    assert_eq!(seen, Some(outcome.sent.len() as u64), "there was something to look at");
}

fn condition(attribute: &Value) -> (String, String, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{attribute}")).to_owned();
    let values = attribute["values"].as_array().unwrap().iter().map(text).collect();
    (text(&attribute["subject"]), text(&attribute["feature"]), values)
}
