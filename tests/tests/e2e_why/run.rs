//! Runs a plan under `dbtap` and brings both accounts of it together: the client's and the report's.

use std::time::Duration;

use serde_json::Value;
use tests::dbtap::{Dbtap, Ended};
use tests::drivers::Driver;

use crate::plan::{Plan, Request};

/// A fast request takes 5 ms in the database. One that the client saw take longer than this may lie beyond a split between
/// 5 and 200 ms.
const MOST_OF_A_FAST_ONE: Duration = Duration::from_millis(25);

/// How often a test is made anew on a machine that stalls.
const ATTEMPTS: usize = 4;

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

    /// The client's clock and the report agree on how many requests took long. No test has one near the limit.
    #[track_caller]
    fn assert_same_humps(&self) {
        let report = self.report();
        let buckets = (report["statements"].as_array().unwrap().iter())
            .flat_map(|statement| statement["latency"]["buckets"].as_array().unwrap())
            .map(|bucket| (bucket[0].as_u64().unwrap(), bucket[1].as_u64().unwrap()));
        let limit = Duration::from_millis(125);
        let long: u64 = buckets
            .filter(|(upper_ns, _)| Duration::from_nanos(*upper_ns) > limit)
            .map(|(_, count)| count)
            .sum();
        assert_eq!(long, self.count(|sent| sent.took > limit), "requests above {limit:?}");
    }

    /// The JSON report as it stands.
    pub fn report(&self) -> Value {
        serde_json::from_slice(&self.ended.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", self.ended))
    }
}

/// Runs the plan from beginning to end; `between` is called before each phase with its number. Made anew while the
/// client saw a fast request take long.
#[track_caller]
pub fn watch(plan: &Plan, options: &[&str], mut between: impl FnMut(usize)) -> Outcome {
    for _ in 0..ATTEMPTS {
        let outcome = watch_once(plan, options, &mut between);
        let fast = outcome.sent.iter().filter(|sent| !sent.slow);
        let longest = fast.map(|sent| sent.took).max().unwrap_or_default();
        println!("fast requests took up to {longest:?} for the client");
        if longest <= MOST_OF_A_FAST_ONE {
            return outcome;
        }
    }
    panic!(
        "fast requests took too long for the client in each of {ATTEMPTS} attempts: the machine is too busy"
    );
}

/// As [`watch`], once, whatever the client saw.
#[track_caller]
pub fn watch_once(plan: &Plan, options: &[&str], mut between: impl FnMut(usize)) -> Outcome {
    let (mut command, _file) = plan.client();
    let mut client = Driver::start(&mut command).unwrap();
    client.hear_line("ready").unwrap();
    let dbtap = options.iter().fold(Dbtap::attach(client.pid()).unwrap(), Dbtap::arg).start().unwrap();
    let mut sent = Vec::new();
    for number in 0..plan.phases.len() {
        between(number);
        client.say("go").unwrap();
        sent.extend(heard(plan, number, &client.hear().unwrap()));
    }
    let ended = dbtap.interrupt().unwrap();
    client.say("end").unwrap();
    client.end().unwrap();
    let outcome = Outcome { ended, sent };
    outcome.assert_same_humps();
    outcome
}

/// What the client says of a phase, put beside the plan: all was sent, and what the plan knows to be slow was slow.
pub fn heard(plan: &Plan, phase: usize, line: &str) -> Vec<Sent> {
    let said: Vec<(usize, usize, u64, Option<bool>)> = serde_json::from_str(line).unwrap();
    let planned: usize = plan.phases[phase].iter().map(Vec::len).sum();
    assert_eq!(said.len(), planned, "the client did not send all");
    let one = |(lane, at, ns, answer): (usize, usize, u64, Option<bool>)| {
        let request = plan.phases[phase][lane][at].clone();
        let slow = answer.unwrap_or_default();
        assert!(request.slow.is_none_or(|expected| expected == slow), "the server says {slow}: {request:?}");
        Sent { request, took: Duration::from_nanos(ns), slow }
    };
    said.into_iter().map(one).collect()
}
