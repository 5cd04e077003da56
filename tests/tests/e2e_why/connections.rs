//! Causes in where a request goes: the server, the connection, and how new the connection is.

use serde_json::{Value, json};

use crate::finding::check;
use crate::plan::{Lane, Plan, Random, Request, Style};
use crate::run::watch;
use crate::server::{shared, start};

fn by_setting(random: &mut Random, slow: bool) -> Request {
    Request::new("SELECT by_setting($1)", [json!(random.below(1_000_000))], slow)
}

/// The servers' addresses.
fn peers(report: &Value) -> Vec<&str> {
    report["connections"].as_array().unwrap().iter().map(|one| one["peer"].as_str().unwrap()).collect()
}

#[test]
fn one_of_two_servers() {
    let _shared = shared();
    let slow_server = start(&[("app.slow", "on")]);
    let mut plan = Plan::new(Style::Binary, 8);
    for lane in &mut plan.lanes[6..] {
        lane.conninfo = slow_server.conninfo();
    }
    // As long as the slow ones go on, so do the others: a window of time is no cause.
    let plan = plan.uneven_phase(&[0, 0, 0, 0, 0, 0, 10, 10], 60, |random| by_setting(random, true));
    let mut others = Plan::new(Style::Binary, 6).phase(105, 60, |random| by_setting(random, false));
    let plan = together(plan, others.phases.remove(0));
    let outcome = watch(&plan, &[], |_| ());
    let address = format!("127.0.0.1:{}", slow_server.port());
    assert!(peers(&outcome.report()).contains(&&*address));
    check(&outcome, ("server", "address", &[&address]));
}

/// Fills the lanes of the first phase that have nothing to send.
fn together(mut plan: Plan, others: Vec<Vec<Request>>) -> Plan {
    let empty = plan.phases[0].iter_mut().filter(|requests| requests.is_empty());
    for (lane, requests) in empty.zip(others) {
        *lane = requests;
    }
    plan
}

#[test]
fn one_bad_connection() {
    let _shared = shared();
    let mut plan = Plan::new(Style::Binary, 8);
    plan.lanes[5] = Lane { setup: Some("SET app.slow = 'on'".into()), ..plan.lanes[5].clone() };
    let plan = plan.uneven_phase(&[0, 0, 0, 0, 0, 10, 0, 0], 60, |random| by_setting(random, true));
    let mut others = Plan::new(Style::Binary, 7).phase(105, 60, |random| by_setting(random, false));
    let plan = together(plan, others.phases.remove(0));
    let outcome = watch(&plan, &[], |_| ());
    let report = outcome.report();
    // The one on which there were ten requests.
    let connections = report["connections"].as_array().unwrap();
    let bad: Vec<&Value> = connections.iter().filter(|connection| connection["requests"] == 10).collect();
    let [bad] = &*bad else { panic!("{connections:?}") };
    check(&outcome, ("connection", "id", &[bad["id"].as_str().unwrap()]));
}

#[test]
fn first_use_of_a_connection() {
    let _shared = shared();
    let mut plan = Plan::new(Style::Text, 8)
        .phase(48, 4, |random| Request::new("SELECT by_first($1)", [json!(random.below(1_000_000))], false));
    // Six on each connection.
    for requests in &mut plan.phases[0] {
        for request in requests.iter_mut().step_by(6) {
            (request.reconnect, request.slow) = (true, Some(true));
        }
    }
    let outcome = watch(&plan, &[], |_| ());
    assert_eq!(outcome.count(|sent| sent.slow), 8 * 8);
    check(&outcome, ("request", "first_on_connection", &["true"]));
}
