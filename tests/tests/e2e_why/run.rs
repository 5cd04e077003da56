//! Runs a plan under `dbtap` and brings both accounts of it together: the client's and the report's.

use std::time::Duration;

use serde_json::Value;
use tests::dbtap::{Dbtap, Ended};
use tests::drivers::Driver;

use crate::plan::{Plan, Request};

/// A fast request takes 10 ms in the database. While the client sees none take longer than this, the division of slow
/// from fast has no excuse: slow ones take 400 ms.
const MOST_OF_A_FAST_ONE: Duration = Duration::from_millis(40);

/// No test has requests near this: beside it lie all fast ones on one side, and all slow ones on the other.
const BETWEEN: Duration = Duration::from_millis(150);

/// How often a test is made anew on a machine that stalls.
const ATTEMPTS: usize = 8;

/// Options of a capture with a JSON report.
pub const JSON: &[&str] = &["--format", "json"];

/// A capture that ended, and what the client says that it sent during it.
pub struct Outcome {
    pub ended: Ended,
    pub sent: Vec<Sent>,
}

/// One request that was answered.
#[derive(Clone, Debug)]
pub struct Sent {
    pub request: Request,
    /// By the client's clock.
    pub took: Duration,
    /// The server's answer: whether it took its time.
    pub slow: bool,
}

impl Outcome {
    /// How many of the requests meet a condition.
    pub fn count(&self, condition: impl Fn(&Sent) -> bool) -> u64 {
        self.sent.iter().filter(|sent| condition(sent)).count() as u64
    }

    /// The JSON report as it stands.
    pub fn report(&self) -> Value {
        serde_json::from_slice(&self.ended.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", self.ended))
    }

    /// No fast request was held up so long that it was slow in truth. Where the client saw one take long, the report's own
    /// division of slow from fast must lie beyond it.
    fn is_undisturbed(&self) -> bool {
        let fast = self.sent.iter().filter(|sent| !sent.slow);
        let longest = fast.map(|sent| sent.took).max().unwrap_or_default();
        println!("fast requests took up to {longest:?} for the client");
        let report = self.report();
        let mut splits = (report["slow"].as_array().unwrap().iter())
            .map(|slow| Duration::from_nanos(slow["split_ns"].as_u64().unwrap()));
        longest <= MOST_OF_A_FAST_ONE || longest < BETWEEN && splits.all(|split| longest < split)
    }

    /// The client's clock and the report agree on how many requests took long.
    #[track_caller]
    fn assert_same_humps(&self) {
        let report = self.report();
        let buckets = (report["statements"].as_array().unwrap().iter())
            .flat_map(|statement| statement["latency"]["buckets"].as_array().unwrap())
            .map(|bucket| (Duration::from_nanos(bucket[0].as_u64().unwrap()), bucket[1].as_u64().unwrap()));
        let long: u64 = buckets.filter(|(upper, _)| *upper > BETWEEN).map(|(_, count)| count).sum();
        assert_eq!(long, self.count(|sent| sent.took > BETWEEN), "requests above {BETWEEN:?}");
    }
}

/// Runs the plan under one capture with a JSON report; see [`watch_all`].
#[track_caller]
pub fn watch(plan: &Plan, options: &[&str], between: impl FnMut(usize)) -> Outcome {
    let (mut ended, sent) = watch_all(plan, &[&[JSON, options].concat()], between);
    Outcome { ended: ended.remove(0), sent }
}

/// Runs the plan from beginning to end under captures with these options, all at the same time. `between` is called
/// before each phase with its number, and once more where the last one hangs. Made anew while the client saw a fast
/// request take long. The first capture must have a JSON report.
#[track_caller]
pub fn watch_all(
    plan: &Plan,
    captures: &[&[&str]],
    mut between: impl FnMut(usize),
) -> (Vec<Ended>, Vec<Sent>) {
    for _ in 0..ATTEMPTS {
        let (mut ended, sent) = watch_once(plan, captures, &mut between);
        let outcome = Outcome { ended: ended.remove(0), sent };
        if outcome.is_undisturbed() {
            outcome.assert_same_humps();
            ended.insert(0, outcome.ended);
            return (ended, outcome.sent);
        }
    }
    panic!("fast requests took long for the client in each of {ATTEMPTS} attempts: the machine is too busy");
}

/// As [`watch_all`], once, whatever the client saw.
#[track_caller]
pub fn watch_once(
    plan: &Plan,
    captures: &[&[&str]],
    mut between: impl FnMut(usize),
) -> (Vec<Ended>, Vec<Sent>) {
    let (mut command, _file) = plan.client();
    let mut client = Driver::start(&mut command).unwrap();
    client.hear_line("ready").unwrap();
    let pid = client.pid().to_string();
    let start = |options: &&[&str]| {
        let dbtap = Dbtap::with(["attach", &pid, "--duration", "10m"]).unwrap();
        options.iter().fold(dbtap, Dbtap::arg).start().unwrap()
    };
    let running: Vec<_> = captures.iter().map(start).collect();
    let mut sent = Vec::new();
    for number in 0..plan.phases.len() {
        between(number);
        client.say("go").unwrap();
        if plan.hangs && number + 1 == plan.phases.len() {
            between(number + 1);
        } else {
            sent.extend(heard(plan, number, &client.hear().unwrap()));
        }
    }
    let ended = running.into_iter().map(|running| running.interrupt().unwrap()).collect();
    if !plan.hangs {
        client.say("end").unwrap();
        client.end().unwrap();
    }
    (ended, sent)
}

/// What the client says of a phase, put beside the plan: all was sent, and what the plan knows to be slow was slow.
#[track_caller]
fn heard(plan: &Plan, phase: usize, line: &str) -> Vec<Sent> {
    let said: Vec<(usize, usize, u64, Option<bool>)> = serde_json::from_str(line).unwrap();
    let planned: usize = plan.phases[phase].iter().map(Vec::len).sum();
    assert_eq!(said.len(), planned, "the client did not send all");
    let one = |(lane, at, ns, answer): (usize, usize, u64, Option<bool>)| {
        let request = plan.phases[phase][lane][at].clone();
        // A statement without rows says nothing.
        let slow = answer.or(request.slow).unwrap();
        assert!(request.slow.is_none_or(|expected| expected == slow), "the server says {slow}: {request:?}");
        Sent { request, took: Duration::from_nanos(ns), slow }
    };
    said.into_iter().map(one).collect()
}
