//! How few slow requests suffice for a finding, and how long the search takes. Prints Markdown.
//!
//! Each cause in 200 captures from a fixed seed, with 1,000 fast requests, five parameters and 20 statements to correct
//! for. `cargo bench -p tracer --no-default-features --bench detection_power`.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a program of measurements on made-up numbers"
)]

use std::time::Instant;

use synthetic::{Capture, Drawn, Random, Raw, Source, Traffic, capture};
use tracer::why::{Feature, Subject};

#[path = "../tests/why/synthetic.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod synthetic;

const CAPTURES: u64 = 200;
const FAST: usize = 1000;
const MOST: usize = 40;
/// So many of the captures must make the finding.
const ENOUGH: usize = 190;

struct Cause {
    name: &'static str,
    /// The part of all requests that it holds for.
    share: f64,
    connections: u32,
    holds: fn(&Drawn<'_>) -> bool,
    /// What must be found.
    expected: &'static [(Subject, Feature)],
}

const ID: Subject = Subject::Value(0);
const TEXT: Subject = Subject::Value(2);

const CAUSES: &[Cause] = &[
    Cause {
        name: "a parameter is NULL (1 of 20)",
        share: 0.05,
        connections: 8,
        holds: |drawn| drawn.raw[2] == Raw::Null,
        expected: &[(TEXT, Feature::IsNull)],
    },
    Cause {
        name: "parity",
        share: 0.5,
        connections: 8,
        holds: |drawn| drawn.raw[0].integer() % 2 == 1,
        expected: &[(ID, Feature::Parity)],
    },
    Cause {
        name: "TRUE or FALSE",
        share: 0.5,
        connections: 8,
        holds: |drawn| drawn.raw[3] == Raw::Boolean(true),
        expected: &[(Subject::Value(3), Feature::Boolean)],
    },
    Cause {
        name: "last digit, 1 of 10",
        share: 0.1,
        connections: 8,
        holds: |drawn| drawn.raw[0].integer() % 10 == 7,
        expected: &[(ID, Feature::LastDigit)],
    },
    Cause {
        name: "last digit, 2 of 10",
        share: 0.2,
        connections: 8,
        holds: |drawn| [3, 7].contains(&(drawn.raw[0].integer() % 10)),
        expected: &[(ID, Feature::LastDigit)],
    },
    Cause {
        name: "remainder by 7, 1 of 7",
        share: 0.14,
        connections: 8,
        holds: |drawn| drawn.raw[0].integer() % 7 == 4,
        expected: &[(ID, Feature::Remainder(7))],
    },
    Cause {
        name: "a number in the largest tenth",
        share: 0.1,
        connections: 8,
        holds: |drawn| drawn.raw[0].integer() > 900_000,
        expected: &[(ID, Feature::Magnitude)],
    },
    Cause {
        name: "a list longer than 30 (of 1 to 40)",
        share: 0.25,
        connections: 8,
        holds: |drawn| matches!(drawn.raw[4], Raw::List(n) if n > 30),
        expected: &[(Subject::Value(4), Feature::Elements)],
    },
    Cause {
        name: "the beginning of a text, 1 of 50",
        share: 0.018,
        connections: 8,
        holds: |drawn| drawn.raw[2].text().starts_with(&synthetic::word(17)),
        expected: &[(TEXT, Feature::Prefix(1)), (TEXT, Feature::Prefix(2))],
    },
    Cause {
        name: "one value (1 of 50)",
        share: 0.03,
        connections: 8,
        holds: |drawn| drawn.raw[1].integer() == 11,
        expected: &[(Subject::Value(1), Feature::ValueHash)],
    },
    Cause {
        name: "one server of 2",
        share: 0.5,
        connections: 8,
        holds: |drawn| drawn.facts.server == 1,
        expected: &[(Subject::Server, Feature::Identity)],
    },
    Cause {
        name: "one connection of 8",
        share: 0.125,
        connections: 8,
        holds: |drawn| drawn.facts.connection == 5,
        expected: &[(Subject::Connection, Feature::Identity)],
    },
    Cause {
        name: "one connection of 64",
        share: 0.0156,
        connections: 64,
        holds: |drawn| drawn.facts.connection == 41,
        expected: &[(Subject::Connection, Feature::Identity)],
    },
    Cause {
        name: "a window of 3 s of 30 s",
        share: 0.1,
        connections: 8,
        holds: |drawn| (12.0..15.0).contains(&drawn.second),
        expected: &[(Subject::Time, Feature::Window)],
    },
    Cause {
        name: "last digit, 1 of 10, on one server of 2",
        share: 0.05,
        connections: 8,
        holds: |drawn| drawn.raw[0].integer() % 10 == 7 && drawn.facts.server == 1,
        expected: &[(ID, Feature::LastDigit), (Subject::Server, Feature::Identity)],
    },
];

/// `slow` of the slow and [`FAST`] of the fast requests.
fn part(all: &Capture, slow: usize) -> Capture {
    let mut part = Capture::default();
    let (mut left_slow, mut left_fast) = (slow, FAST);
    for row in &order(all) {
        let left = if all.slow[*row] { &mut left_slow } else { &mut left_fast };
        if *left > 0 {
            *left -= 1;
            part.facts.push(all.facts[*row].clone());
            part.values.push(all.values[*row].clone());
            part.slow.push(all.slow[*row]);
        }
    }
    assert_eq!((left_slow, left_fast), (0, 0), "too few requests were made");
    part
}

/// All rows in a random order.
fn order(all: &Capture) -> Vec<usize> {
    let mut random = Random(99);
    let mut order: Vec<usize> = (0..all.slow.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(u32::try_from(i + 1).unwrap()) as usize);
    }
    order
}

/// Captures in which requests that the cause holds for are slow with this chance, and no others.
fn captures(cause: &Cause, chance: f64) -> Vec<Capture> {
    let requests =
        (3.0 * (MOST as f64 / (cause.share * chance)).max(FAST as f64 / (1.0 - cause.share))) as u32;
    each(|seed| {
        let mut traffic = Traffic::new(1000 + seed, requests + 300);
        traffic.connections = cause.connections;
        traffic.churn = 0.0;
        traffic.slow_s = 0.2;
        let mut made = capture(&traffic, |random, drawn| (cause.holds)(drawn) && random.chance(chance));
        made.raw = Vec::new();
        made
    })
}

/// Runs for all seeds on all cores.
fn each<T: Send>(run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let run = &run;
    std::thread::scope(|scope| {
        let part = |part| move || (0..CAPTURES).filter(|n| n % threads == part).map(run).collect::<Vec<T>>();
        let parts: Vec<_> = (0..threads).map(|n| scope.spawn(part(n))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// How few slow requests suffice; `None`: [`MOST`] do not.
fn fewest(cause: &Cause, chance: f64) -> Option<usize> {
    let captures = captures(cause, chance);
    let suffices = |slow: usize| {
        let found = each(|n| {
            let explained = part(&captures[n as usize], slow).explain();
            explained.found.first().is_some_and(|found| {
                let attributes = found.conditions.iter().map(|c| (c.attribute.subject, c.attribute.feature));
                let is_pair = cause.name.contains("on one server");
                attributes.clone().all(|attribute| cause.expected.contains(&attribute))
                    && (attributes.count() == 2) == is_pair
            })
        });
        found.iter().filter(|found| **found).count() >= ENOUGH
    };
    let (mut too_few, mut enough) = (2, MOST);
    if !suffices(MOST) {
        return None;
    }
    while enough - too_few > 1 {
        let middle = (too_few + enough) / 2;
        if suffices(middle) { enough = middle } else { too_few = middle }
    }
    Some(enough)
}

fn main() {
    println!("| cause | every such request is slow | one in two is slow |\n|---|---|---|");
    for cause in CAUSES {
        let told = |fewest: Option<usize>| {
            fewest.map_or_else(|| format!("more than {MOST}"), |fewest| fewest.to_string())
        };
        println!("| {} | {} | {} |", cause.name, told(fewest(cause, 1.0)), told(fewest(cause, 0.5)));
    }
    println!("\n| rows | values | time |\n|---|---|---|");
    for (rows, values) in [(1000, 5), (2000, 5), (4000, 5), (4000, 32)] {
        let mut traffic = Traffic::new(1, rows);
        let sources = [Source::Id, Source::Tenant(50), Source::Text(500), Source::Growing, Source::Time];
        traffic.values = sources.iter().copied().cycle().take(values).collect();
        let capture = capture(&traffic, |random, _| random.chance(0.2));
        let begin = Instant::now();
        assert!(capture.explain().found.is_empty());
        println!("| {rows} | {values} | {} ms |", begin.elapsed().as_millis());
    }
}
