//! What lies beyond the capture's ends, and what a person asks for: requests in flight, statements prepared before,
//! the threshold of slowness.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::dbtap::Dbtap;
use tests::drivers::Driver;

use crate::finding::{Counts, check, check_counts};
use crate::plan::{Plan, Random, Request, Style};
use crate::run::{Outcome, heard, watch};
use crate::server::{server, shared};

fn request(random: &mut Random, function: &str, slow_digits: &[u64]) -> Request {
    let id = 1 + random.below(1_000_000);
    Request::new(format!("SELECT {function}($1)"), [json!(id)], slow_digits.contains(&(id % 10)))
}

#[test]
fn requests_that_hang_at_the_end_count_as_slow() {
    let _shared = shared();
    let hanging = |random: &mut Random| {
        Request::new("SELECT by_patience($1)", [json!(10 * random.below(100_000) + 7)], true)
    };
    let plan = Plan::new(Style::Binary, 8)
        .phase(40, 4, |random| request(random, "by_patience", &[3, 7]))
        .phase(1, 0, hanging);
    server().psql("UPDATE patience SET seconds = 0.2").unwrap();
    let (mut command, _file) = plan.client();
    let mut client = Driver::start(&mut command).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = Dbtap::attach(client.pid()).unwrap().start().unwrap();
    client.say("go").unwrap();
    let sent = heard(&plan, 0, &client.hear().unwrap());
    server().psql("UPDATE patience SET seconds = 600").unwrap();
    client.say("go").unwrap();
    let hang =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%by_patience%'";
    let deadline = Instant::now() + Duration::from_secs(20);
    while server().psql(hang).unwrap() != "8\n" {
        assert!(Instant::now() < deadline, "{}", client.stderr());
        std::thread::sleep(Duration::from_millis(20));
    }
    // Past any split between 5 and 200 ms.
    std::thread::sleep(Duration::from_millis(500));
    let outcome = Outcome { ended: dbtap.interrupt().unwrap(), sent };
    drop(client);
    let slow = outcome.count(|sent| sent.slow) + 8;
    let counts = Counts { slow_matched: slow, slow_total: slow, fast_matched: 0, fast_total: 328 - slow };
    check_counts(&outcome, &[("$1", "last_digit", &["3", "7"])], counts);
    assert_eq!(outcome.report()["coverage"]["in_flight"], 8, "case 66");
}

#[test]
fn the_threshold_that_a_person_gave_divides_slow_from_fast() {
    let _shared = shared();
    // Three classes: 2 ms, 50 ms, and one in ten 800 ms. Only the threshold makes two of them one.
    let plan =
        Plan::new(Style::Binary, 8).phase(30, 4, |random| request(random, "in_three_classes", &[3, 4, 5, 7]));
    let outcome = watch(&plan, &["--slow", "20ms"], |_| ());
    let finding = check(&outcome, ("$1", "last_digit", &["3", "4", "5", "7"]));
    let said = finding["summary"].as_str().unwrap();
    assert!(said.contains("20 ms") || said.contains("20.0 ms"), "{said}");
}

/// Case 9.
#[test]
fn a_statement_prepared_before_the_capture_is_explained_by_its_values() {
    let _shared = shared();
    let mut plan = Plan::new(Style::Text, 8).phase(50, 4, |random| request(random, "by_digit", &[3, 7]));
    plan.prepared_before = true;
    let outcome = watch(&plan, &[], |_| ());
    let finding = check(&outcome, ("$1", "last_digit", &["3", "7"]));
    let report = outcome.report();
    let statements = report["statements"].as_array().unwrap();
    let text = statements.iter().find(|statement| statement["id"] == finding["statement"]).unwrap();
    assert!(text["text"].as_str().unwrap().starts_with("(prepared before capture)"), "{text}");
}
