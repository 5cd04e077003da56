//! Few rows, odd rows, samples, hostile values.

use proptest::prelude::*;
use tracer::value::Value;
use tracer::why::search::{Totals, explain};
use tracer::why::{Row, Values};

use crate::synthetic::{Capture, Traffic, capture};

/// Slow by the last digit 7, always.
fn by_digit(requests: u32) -> Capture {
    capture(&Traffic::new(3, requests), |_, drawn| drawn.raw[0].integer() % 10 == 7)
}

#[test]
fn too_few_rows_tell_nothing() {
    assert_eq!(explain(&[], Totals::default(), 0).found, []);
    for requests in [1, 2, 3, 10] {
        let explained = by_digit(requests).explain();
        assert_eq!((explained.found, explained.effects), (vec![], vec![]), "{requests}");
    }
    for all in [true, false] {
        let explained = capture(&Traffic::new(3, 200), |_, _| all).explain();
        assert_eq!((explained.found, explained.effects, explained.no_difference), (vec![], vec![], vec![]));
    }
}

#[test]
fn two_slow_requests_are_an_anecdote() {
    let mut capture = by_digit(1000);
    let mut left = 2;
    for slow in &mut capture.slow {
        *slow = *slow && left > 0;
        left -= i32::from(*slow);
    }
    assert_eq!(capture.explain().found, []);
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    let capture = by_digit(500);
    let mut rows = capture.rows();
    let before = explain(&rows, capture.totals(), 20);
    assert_eq!(before.found.len(), 1);
    rows.reverse();
    assert_eq!(explain(&rows, capture.totals(), 20), before);
}

#[test]
fn more_statements_need_more_evidence() {
    let capture = by_digit(500);
    let p = |statements| explain(&capture.rows(), capture.totals(), statements).found[0].p_value;
    assert!((p(200) / p(1) / 200.0 - 1.0).abs() < 1e-6);
    assert_eq!(p(0), p(1));
}

#[test]
fn a_sample_of_the_fast_ones_tells_what_all_would() {
    // One in ten fast requests is in the sample. Half of the requests with digit 7 are slow, and one in 50 others:
    // too much of all to be explained by the digit, but not so in the sample taken as it is.
    let whole = capture(&Traffic::new(5, 8000), |random, drawn| {
        random.chance(if drawn.raw[0].integer() % 10 == 7 { 0.5 } else { 0.02 })
    });
    let mut fast = 0;
    let sample: Vec<Row<'_>> = whole
        .rows()
        .into_iter()
        .filter(|row| {
            fast += u32::from(!row.slow);
            row.slow || fast % 10 == 0
        })
        .collect();
    let explained = |rows: &[Row<'_>]| explain(rows, whole.totals(), 20).found[0].clone();
    let (of_all, of_sample) = (explained(&whole.rows()), explained(&sample));
    assert_eq!(of_all.conditions, of_sample.conditions);
    assert_eq!(of_all.slow_matched, of_sample.slow_matched);
    assert!(
        (of_all.explained - of_sample.explained).abs() < 0.05,
        "{} {}",
        of_all.explained,
        of_sample.explained
    );
    assert!(of_all.p_value <= of_sample.p_value);
}

#[test]
fn values_that_are_missing_or_too_many() {
    let mut capture = by_digit(500);
    for (row, values) in capture.values.iter_mut().enumerate() {
        match row % 4 {
            0 => values.truncate(1),
            1 => values.resize(3000, Value::NULL),
            2 => values[1] = Value::UNSEEN,
            _ => {}
        }
    }
    let found = capture.explain().found;
    assert_eq!(found[0].conditions[0].values, Values::OneOf(vec![7]));
    for values in &mut capture.values {
        values.clear();
    }
    assert_eq!(capture.explain().found, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Marks, times and numbers at the limits: no panic, and counts that can be.
    #[test]
    fn anything_goes(rows in prop::collection::vec((any::<bool>(), any::<[u64; 4]>(), 0_u8..4), 0..60)) {
        let mut capture = capture(&Traffic::new(1, 60), |_, _| false);
        prop_assert_eq!(capture.slow.len(), 60);
        for (row, (slow, numbers, sort)) in rows.iter().enumerate() {
            let extreme = |n: u64| if *sort == 0 { n } else { [0, 1, u64::MAX][n as usize % 3] };
            let facts = &mut capture.facts[row];
            facts.started_at.0 = extreme(numbers[0]);
            facts.latency.0 = extreme(numbers[1]);
            facts.request_bytes = extreme(numbers[2]);
            facts.connection = numbers[3] as u32;
            capture.slow[row] = *slow;
        }
        capture.slow.truncate(rows.len());
        let explained = capture.explain();
        for found in explained.found.iter().chain(&explained.effects) {
            prop_assert!(found.slow_matched <= found.slow_total && found.fast_matched <= found.fast_total);
            prop_assert!(found.p_value > 0.0 && found.p_value < 0.001);
            prop_assert!((0.1..=1.0).contains(&found.explained));
        }
    }
}
