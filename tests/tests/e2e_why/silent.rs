//! No cause: chance, uniform slowness, and load alone. There may be slow requests, and no finding may name a cause.

use serde_json::json;

use crate::finding::check_silent;
use crate::plan::{Plan, Random, Request, Style};
use crate::run::{JSON, Outcome, watch, watch_once};
use crate::server::alone;

/// Whatever the machine does: that is nobody's cause either.
fn once(plan: &Plan) -> Outcome {
    let (mut ended, sent) = watch_once(plan, &[JSON], |_| ());
    Outcome { ended: ended.remove(0), sent }
}

fn request(function: &str) -> impl FnMut(&mut Random) -> Request {
    let sql = format!("SELECT {function}($1)");
    move |random| Request::new(&*sql, [json!(random.below(1_000_000))], false).unknown()
}

#[test]
fn chance() {
    let _alone = alone();
    let outcome = watch(&Plan::new(Style::Binary, 12).phase(50, 4, request("at_random")), &[], |_| ());
    let slow = outcome.count(|sent| sent.slow);
    assert!((10..=60).contains(&slow), "{slow} of 600, with a probability of 1 in 20");
    check_silent(&outcome);
}

#[test]
fn uniform_slowness() {
    let _alone = alone();
    check_silent(&once(&Plan::new(Style::Text, 6).phase(50, 4, request("always"))));
}

#[test]
fn load_alone() {
    let _alone = alone();
    check_silent(&once(&Plan::new(Style::Binary, 6).phase(120, 0, request("computes"))));
}
