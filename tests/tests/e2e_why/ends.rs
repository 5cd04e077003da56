//! What lies beyond the capture's ends, and what a person asks for: requests in flight, statements prepared before,
//! the threshold of slowness.

use std::time::{Duration, Instant};

use crate::finding::{Counts, check, check_counts};
use crate::plan::{Plan, Random, Request, Style};
use crate::run::{JSON, Outcome, Sent, watch, watch_all};
use crate::server::{server, shared};
use serde_json::json;

/// The ids have six digits: psycopg takes other types for short numbers, and prepares anew for each type.
fn request(random: &mut Random, function: &str, slow_digits: &[u64]) -> Request {
    let id = 100_000 + random.below(900_000);
    Request::new(format!("SELECT {function}($1)"), [json!(id)], slow_digits.contains(&(id % 10)))
}

/// Case 66.
#[test]
fn requests_that_hang_at_the_end_count_as_slow() {
    let _shared = shared();
    let hanging = |random: &mut Random| {
        Request::new("SELECT by_patience($1)", [json!(10 * random.below(100_000) + 7)], true)
    };
    let mut plan =
        Plan::of(Style::Binary, |random| request(random, "by_patience", &[3, 7])).phase(1, 0, hanging);
    plan.hangs = true;
    let outcome = watch(&plan, &[], |phase| match phase {
        0 => {
            // Those of an attempt before do not know yet that their client has gone.
            server().psql(&format!("SELECT pg_terminate_backend(pid) {HANGING}")).unwrap();
            server().psql("UPDATE patience SET seconds = 0.4").unwrap();
        }
        1 => drop(server().psql("UPDATE patience SET seconds = 600").unwrap()),
        _ => wait_until_all_hang(),
    });
    let slow = outcome.count(|sent| sent.slow) + 12;
    let counts = Counts { slow_matched: slow, slow_total: slow, fast_matched: 0, fast_total: 372 - slow };
    check_counts(&outcome, &[("$1", "last_digit", &["3", "7"])], counts);
    assert_eq!(outcome.report()["coverage"]["in_flight"], 12);
}

const HANGING: &str =
    "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE 'SELECT by_patience%'";

/// For longer than any split between fast and slow.
fn wait_until_all_hang() {
    let sql = format!("SELECT count(*) {HANGING}");
    let deadline = Instant::now() + Duration::from_secs(20);
    while server().psql(&sql).unwrap() != "12\n" {
        assert!(Instant::now() < deadline, "they do not hang");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(700));
}

#[test]
fn the_threshold_that_a_person_gave_divides_slow_from_fast() {
    let _shared = shared();
    // Three classes: 10 ms, 300 ms, and one in ten 1 s. Whatever the distribution says, two thresholds differ.
    let plan = Plan::new(Style::Binary, 12)
        .phase(20, 4, |random| request(random, "in_three_classes", &[3, 4, 5, 7]));
    let thresholds = [(50, &["3", "4", "5", "7"][..]), (500, &["7"][..])];
    let options = thresholds.map(|(ms, _)| format!("--slow={ms}ms"));
    let captures = options.each_ref().map(|option| [JSON, &[option]].concat());
    let is_met = |sent: &Sent, digits: &[&str]| {
        let id = sent.request.parameters[0].as_u64().unwrap();
        digits.contains(&&*(id % 10).to_string())
    };
    // As the client saw it, a machine that stalls may put one of 300 ms beyond 500 ms.
    let as_planned = |sent: &Sent| {
        thresholds.iter().all(|(ms, digits)| (sent.took.as_millis() >= *ms) == is_met(sent, digits))
    };
    let mut attempts =
        std::iter::repeat_with(|| watch_all(&plan, &captures.each_ref().map(Vec::as_slice), |_| ()));
    let (ended, sent) = attempts.by_ref().take(4).find(|(_, sent)| sent.iter().all(as_planned)).unwrap();
    for (ended, (ms, digits)) in ended.into_iter().zip(thresholds) {
        let sent = sent.iter().map(|sent| Sent { slow: is_met(sent, digits), ..sent.clone() }).collect();
        let outcome = Outcome { ended, sent };
        check(&outcome, ("$1", "last_digit", digits));
        let slow = &outcome.report()["slow"][0];
        assert_eq!((&slow["split_by"], &slow["split_ns"]), (&json!("given"), &json!(ms * 1_000_000)));
        let said = slow["summary"].as_str().unwrap();
        assert!(said.contains(&format!("{ms}")) && said.contains("--slow"), "{said}");
    }
}

/// Case 9.
#[track_caller]
fn prepared_before(style: Style) {
    let _shared = shared();
    let mut plan = Plan::of(style, |random| request(random, "by_digit", &[3, 7]));
    plan.prepared_before = true;
    let outcome = watch(&plan, &[], |_| ());
    let finding = check(&outcome, ("$1", "last_digit", &["3", "7"]));
    let report = outcome.report();
    let statements = report["statements"].as_array().unwrap();
    let text = statements.iter().find(|statement| statement["id"] == finding["statement"]).unwrap();
    assert!(text["text"].as_str().unwrap().starts_with("(prepared before capture)"), "{text}");
}

#[test]
fn text_parameters_of_a_statement_prepared_before_the_capture_explain_it() {
    prepared_before(Style::Text);
}

/// Their types are not known, only their lengths.
#[test]
fn binary_parameters_of_a_statement_prepared_before_the_capture_explain_it() {
    prepared_before(Style::PsycopgBinary);
}
