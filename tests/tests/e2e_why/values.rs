//! Causes in the values of a statement: bind parameters in binary and as text, and literals.

use serde_json::{Value, json};

use crate::finding::{check, check_matched, values_of_first};
use crate::plan::{Plan, Random, Request, Style};
use crate::run::{JSON, Outcome, Sent, watch, watch_all};
use crate::server::shared;

fn id(random: &mut Random) -> u64 {
    1 + random.below(1_000_000)
}

fn last_digit_is(sent: &Sent, digits: &[u64]) -> bool {
    digits.contains(&(sent.request.parameters[0].as_u64().unwrap() % 10))
}

#[track_caller]
fn last_digit(style: Style) {
    let _shared = shared();
    let plan = Plan::of(style, |random| {
        let id = id(random);
        Request::new("SELECT by_digit($1)", [json!(id)], matches!(id % 10, 3 | 7))
    });
    check(&watch(&plan, &[], |_| ()), ("$1", "last_digit", &["3", "7"]));
}

#[test]
fn last_digit_of_a_binary_parameter() {
    last_digit(Style::Binary);
}

#[test]
fn last_digit_of_a_text_parameter() {
    last_digit(Style::Text);
}

#[test]
fn last_digit_of_a_literal() {
    last_digit(Style::Literals);
}

#[test]
fn last_digit_that_is_slow_most_of_the_time() {
    let _shared = shared();
    let plan = Plan::of(Style::Binary, |random| {
        Request::new("SELECT often_by_digit($1)", [json!(id(random))], false).unknown()
    });
    let outcome = watch(&plan, &[], |_| ());
    let expected = ("$1", "last_digit", &["3", "7"][..]);
    check_matched(&outcome, &[expected], |sent| last_digit_is(sent, &[3, 7]));
}

#[track_caller]
fn range(style: Style) {
    let _shared = shared();
    // A power of two, which the coarse scale of sizes knows exactly; and some of the slow ones lie close to it.
    let plan = Plan::of(style, |random| {
        let id = match random.below(16) {
            0 => 524_288 + random.below(1_000),
            1..4 => 524_288 + random.below(400_000),
            _ => random.below(524_288),
        };
        Request::new("SELECT by_size($1)", [json!(id)], id >= 524_288)
    });
    // The second of two captures at the same time may show more.
    let showing = [JSON, &["--show-values"]].concat();
    let (ended, sent) = watch_all(&plan, &[JSON, &showing], |_| ());
    for (ended, value) in ended.into_iter().zip([">= 500000", ">= 524000"]) {
        check(&Outcome { ended, sent: sent.clone() }, ("$1", "magnitude", &[value]));
    }
}

#[test]
fn range_of_a_binary_parameter() {
    range(Style::Binary);
}

#[test]
fn range_of_a_literal() {
    range(Style::Literals);
}

#[track_caller]
fn null(style: Style) {
    let _shared = shared();
    let plan = Plan::of(style, |random| {
        let value = if random.once_in(6) { Value::Null } else { json!(id(random)) };
        let slow = value.is_null();
        Request::new("SELECT by_null($1)", [value], slow)
    });
    check(&watch(&plan, &[], |_| ()), ("$1", "is_null", &["true"]));
}

#[test]
fn null_as_a_binary_parameter() {
    null(Style::Binary);
}

#[test]
fn null_as_a_literal() {
    null(Style::Literals);
}

#[test]
fn prefix_of_a_text() {
    let _shared = shared();
    // Neither the first two characters nor the length tell them apart.
    let plan = Plan::of(Style::Text, |random| {
        let tail = "x".repeat(usize::try_from(random.below(12)).unwrap());
        let start =
            ["vip-", "visa", "vipe", "basic-", "gold-", "vi"][usize::try_from(random.below(6)).unwrap()];
        let name = format!("{start}{}{tail}", id(random));
        let slow = name.starts_with("vip-");
        Request::new("SELECT by_prefix($1)", [json!(name)], slow)
    });
    let outcome = watch(&plan, &[], |_| ());
    let values = values_of_first(&outcome);
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    check(&outcome, ("$1", "prefix_4", &values));
    // One beginning, and not itself.
    assert!(values.len() == 1 && values[0].starts_with("hash:"), "{values:?}");
    assert!(!outcome.ended.text().contains("vip-"), "{}", outcome.ended.text());
}

/// Between 1 and 40 different ids; those of some lists are short and those of others long, so that the size of the
/// statement does not tell what their number tells.
fn ids(random: &mut Random) -> Vec<u64> {
    let count = match random.below(24) {
        0 => 17,
        1..4 => 17 + random.below(24),
        _ => 1 + random.below(16),
    };
    let first = if random.once_in(2) { 1 } else { 1_000 };
    (first..first + count).collect()
}

#[track_caller]
fn length_of_a_list(style: Style) {
    let _shared = shared();
    let plan = Plan::of(style, |random| {
        let ids = ids(random);
        let places: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
        let sql = format!("SELECT by_count(count(*)) FROM items WHERE id IN ({})", places.join(", "));
        let slow = ids.len() > 16;
        Request::new(sql, ids.into_iter().map(Value::from).collect::<Vec<_>>(), slow)
    });
    check(&watch(&plan, &[], |_| ()), ("$1", "elements", &[">= 17"]));
}

#[test]
fn length_of_a_list_of_literals() {
    length_of_a_list(Style::Literals);
}

#[test]
fn length_of_a_list_of_parameters() {
    length_of_a_list(Style::Binary);
}

#[test]
fn length_of_an_array() {
    let _shared = shared();
    let plan = Plan::of(Style::Binary, |random| {
        let ids = ids(random);
        let slow = ids.len() > 16;
        Request::new("SELECT by_count(count(*)) FROM items WHERE id = ANY($1)", [json!(ids)], slow)
    });
    check(&watch(&plan, &[], |_| ()), ("$1", "elements", &[">= 17"]));
}

#[test]
fn two_parameters_together_one_of_them_null() {
    let _shared = shared();
    let plan = Plan::of(Style::Binary, |random| {
        let id = if random.once_in(3) { 10 * random.below(100_000) + 3 } else { id(random) };
        let note =
            if random.once_in(2) { Value::Null } else { json!(format!("note {}", random.below(1_000))) };
        let slow = id % 10 == 3 && note.is_null();
        Request::new("SELECT by_null_pair($1, $2)", [json!(id), note], slow)
    });
    let conditions: [(&str, &str, &[&str]); 2] = [("$1", "last_digit", &["3"]), ("$2", "is_null", &["true"])];
    check_matched(&watch(&plan, &[], |_| ()), &conditions, |sent| sent.slow);
}

#[test]
fn two_parameters_together_one_of_them_true() {
    let _shared = shared();
    let plan = Plan::of(Style::Text, |random| {
        let id = if random.once_in(3) { 10 * random.below(100_000) + 3 } else { id(random) };
        let urgent = random.once_in(2);
        Request::new("SELECT by_true_pair($1, $2)", [json!(id), json!(urgent)], id % 10 == 3 && urgent)
    });
    let conditions: [(&str, &str, &[&str]); 2] = [("$1", "last_digit", &["3"]), ("$2", "boolean", &["true"])];
    check_matched(&watch(&plan, &[], |_| ()), &conditions, |sent| sent.slow);
}
