//! Causes in when a request was sent: a window of time in which another session got in the way.

use std::time::Duration;

use serde_json::json;
use tests::drivers::Driver;

use crate::finding::{Counts, check_counts, values_of_first};
use crate::plan::{Plan, Random, Request, Style};
use crate::run::{Outcome, watch};
use crate::server::{server, shared};

/// All slow requests lie in one window of time, and no fast one does. The window itself is written as the report likes.
#[track_caller]
fn check_window(outcome: &Outcome, counts: Counts) {
    let values = values_of_first(outcome);
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    check_counts(outcome, &[("time", "window", &values)], counts);
}

#[test]
fn a_flag_that_was_set_for_a_while() {
    let _shared = shared();
    let plan = [(60, false), (6, true), (60, false)].into_iter().fold(
        Plan::new(Style::Text, 6),
        |plan, (count, slow)| {
            plan.phase(count, 20, |random| {
                Request::new("SELECT by_flag($1)", [json!(random.below(1_000_000))], slow)
            })
        },
    );
    let outcome = watch(&plan, &[], |phase| {
        server().psql(&format!("UPDATE flag SET slow = {}", phase == 1)).unwrap();
    });
    let counts = Counts { slow_matched: 6 * 6, slow_total: 6 * 6, fast_matched: 0, fast_total: 6 * 120 };
    check_window(&outcome, counts);
}

#[test]
fn a_lock_that_was_held_for_a_while() {
    let _shared = shared();
    let request =
        |random: &mut Random| Request::new("SELECT by_lock($1)", [json!(random.below(1_000_000))], false);
    let mut plan = Plan::new(Style::Binary, 12).phase(30, 20, request).phase(30, 20, request);
    // The first one of each connection waits for the lock.
    for requests in &mut plan.phases[1] {
        requests[0].slow = Some(true);
    }
    let mut holders = Vec::new();
    let outcome = watch(&plan, &[], |phase| {
        if phase == 1 {
            holders.push(hold_lock(Duration::from_millis(1_500)));
        }
    });
    check_window(&outcome, Counts { slow_matched: 12, slow_total: 12, fast_matched: 0, fast_total: 12 * 59 });
}

/// A session that has the table for itself, and gives it back after this time.
fn hold_lock(time: Duration) -> Driver {
    let sql = format!(
        "BEGIN; LOCK TABLE locked; \\echo locked\nSELECT pg_sleep({}); COMMIT;\n",
        time.as_secs_f64()
    );
    let mut holder = Driver::start(server().command("psql").args(["-XAtq"])).unwrap();
    holder.say(&sql).unwrap();
    holder.hear_line("locked").unwrap();
    holder
}
