//! Against exact values: from the literature, and rational numbers computed here with whole numbers only.

use proptest::prelude::*;

use super::{Correlation, Counts, LnFactorials, Weights, explained, inflation, share_ratio};

/// Of `slow` and `fast` rows so many meet the condition.
fn counts(slow_matched: u32, slow: u32, fast_matched: u32, fast: u32) -> Counts {
    Counts { slow_matched, slow, fast_matched, fast }
}

fn choose(n: u32, k: u32) -> u128 {
    if k > n {
        return 0;
    }
    (0..k.min(n - k)).fold(1, |product, i| product * u128::from(n - i) / u128::from(i + 1))
}

/// Numerator and denominator of the upper tail.
fn exact(counts: Counts) -> (u128, u128) {
    let Counts { slow_matched, slow, fast_matched, fast } = counts;
    let matched = slow_matched + fast_matched;
    let ways = |x: u32| choose(slow, x) * choose(fast, matched - x);
    ((slow_matched..=slow.min(matched)).map(ways).sum(), choose(slow + fast, matched))
}

fn p(counts: Counts) -> f64 {
    let rows = usize::try_from(counts.slow + counts.fast).unwrap();
    LnFactorials::up_to(rows).ln_upper_tail(counts).exp()
}

#[track_caller]
fn check(counts: Counts, expected: f64) {
    let found = p(counts);
    assert!((found / expected - 1.0).abs() < 1e-10, "{counts:?}: {found} and not {expected}");
}

#[test]
fn the_lady_tasting_tea() {
    // R. A. Fisher, The Design of Experiments (1935), chapter II: eight cups, four of each sort.
    assert_eq!(exact(counts(4, 4, 0, 4)), (1, 70));
    assert_eq!(exact(counts(3, 4, 1, 4)), (17, 70));
    check(counts(4, 4, 0, 4), 1.0 / 70.0);
    check(counts(3, 4, 1, 4), 17.0 / 70.0);
    check(counts(2, 4, 2, 4), 53.0 / 70.0);
    check(counts(1, 4, 3, 4), 69.0 / 70.0);
    check(counts(0, 4, 4, 4), 1.0);
}

#[test]
fn convictions_of_twins_of_criminals() {
    // R. A. Fisher, The Logic of Inductive Inference (1935): 10 of 13 identical and 2 of 17 other twins.
    let table = counts(10, 13, 2, 17);
    // (C(13,10) C(17,2) + C(13,11) C(17,1) + C(13,12)) / C(30,12) = 40235 / 86493225 before it is reduced.
    assert_eq!(exact(table), (286 * 136 + 78 * 17 + 13, 86_493_225));
    check(table, 0.000_465_180_943_362_905_25);
    // The same table turned around.
    check(counts(10, 12, 3, 18), 0.000_465_180_943_362_905_25);
}

#[test]
fn larger_tables_as_rationals() {
    for table in [
        counts(5, 10, 1, 20),
        counts(12, 12, 0, 30),
        counts(7, 20, 11, 40),
        counts(1, 30, 2, 60),
        counts(19, 25, 31, 75),
        counts(3, 3, 2, 97),
        counts(0, 9, 0, 9),
        counts(9, 9, 9, 9),
        counts(40, 60, 15, 60),
    ] {
        let (ways, all) = exact(table);
        #[expect(clippy::cast_precision_loss, reason = "16 digits are enough")]
        check(table, ways as f64 / all as f64);
    }
}

#[test]
fn very_small_probabilities_keep_their_size() {
    // One way of C(4000, 1000): far below the smallest double.
    let factorials = LnFactorials::up_to(4000);
    let ln_p = factorials.ln_upper_tail(counts(1000, 1000, 0, 3000));
    assert!((ln_p + factorials.ln_choose(4000, 1000)).abs() < 1e-9, "{ln_p}");
    // ln C(4000, 1000), by Stirling's series to the fourth term.
    let stirling = |n: f64| {
        n * n.ln() - n + (2.0 * std::f64::consts::PI * n).ln() / 2.0 + 1.0 / (12.0 * n)
            - 1.0 / (360.0 * n.powi(3))
    };
    let expected = stirling(4000.0) - stirling(1000.0) - stirling(3000.0);
    assert!((ln_p / -expected - 1.0).abs() < 1e-13, "{ln_p} {expected}");
}

#[test]
fn what_explains_how_much() {
    let one = Weights { slow: 1.0, fast: 1.0 };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} and not {b}");
    near(explained(counts(10, 10, 0, 90), one), 1.0);
    near(explained(counts(0, 10, 90, 90), one), 1.0);
    near(explained(counts(5, 10, 45, 90), one), 0.0);
    near(explained(counts(0, 0, 45, 90), one), 0.0);
    // Half of a fair question: the matched half is all slow, of the others one third.
    let third = (3.0_f64.log2()) - 2.0 / 3.0;
    near(explained(counts(5, 10, 0, 10), one), 1.0 - 0.75 * third);
    // A sample of the fast ones tells what all of them would.
    let tenth = Weights { slow: 1.0, fast: 10.0 };
    near(explained(counts(8, 10, 2, 90), tenth), explained(counts(8, 10, 20, 900), one));
    near(share_ratio(counts(8, 10, 2, 90), tenth), share_ratio(counts(8, 10, 20, 900), one));
    near(share_ratio(counts(5, 10, 10, 40), one), 7.0 / 3.0);
    assert_eq!(share_ratio(counts(3, 3, 1, 9), one), f64::INFINITY);
}

#[test]
fn heaps_on_heaps_count_as_few() {
    let series = |is_one: fn(u32) -> bool| Correlation::of(&(0..1000).map(is_one).collect::<Vec<_>>());
    let heap = series(|i| (400..500).contains(&i));
    let late = series(|i| i >= 600);
    // Multiplying by an odd number and taking high bits spreads well enough.
    let spread = series(|i| i.wrapping_mul(2_654_435_761) >> 29 == 3);
    let turns = series(|i| i % 8 == 3);
    let none = series(|_| true);
    assert!(inflation(&heap, &heap) > 40.0);
    assert!(inflation(&heap, &late) > 40.0);
    for other in [&spread, &turns, &none] {
        assert!(inflation(&heap, other) < 1.6, "{other:?}");
    }
    assert_eq!(inflation(&none, &none), 1.0);
}

fn tables() -> impl Strategy<Value = Counts> {
    (0_u32..200, 0_u32..200)
        .prop_flat_map(|(slow, fast)| (0..=slow, Just(slow), 0..=fast, Just(fast)))
        .prop_map(|(slow_matched, slow, fast_matched, fast)| counts(slow_matched, slow, fast_matched, fast))
}

proptest! {
    #[test]
    fn it_is_a_probability_and_falls_with_the_matches(table in tables()) {
        let one = p(table);
        prop_assert!(one > 0.0 && one <= 1.0, "{one}");
        // One more slow row in place of a fast one.
        if table.slow_matched < table.slow && table.fast_matched > 0 {
            let more = counts(table.slow_matched + 1, table.slow, table.fast_matched - 1, table.fast);
            let can_tell = (1e-300..1.0 - 1e-9).contains(&one);
            prop_assert!(p(more) < one || !can_tell, "{one}");
        }
    }

    #[test]
    fn rows_and_columns_may_be_exchanged(table in tables()) {
        let Counts { slow_matched, slow, fast_matched, fast } = table;
        let turned =
            counts(slow_matched, slow_matched + fast_matched, slow - slow_matched, slow + fast - slow_matched - fast_matched);
        let opposite = counts(fast - fast_matched, fast, slow - slow_matched, slow);
        prop_assert!((p(table) / p(turned) - 1.0).abs() < 1e-9);
        prop_assert!((p(table) / p(opposite) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn both_tails_and_the_point_between_sum_to_one(table in tables()) {
        let Counts { slow_matched, slow, fast_matched, fast } = table;
        // At least so many of the slow ones, or at most one less: then more of the fast ones.
        let below = if slow_matched == 0 || fast_matched == fast {
            0.0
        } else {
            p(counts(fast_matched + 1, fast, slow_matched - 1, slow))
        };
        prop_assert!((p(table) + below - 1.0).abs() < 1e-9, "{} {below}", p(table));
    }

    #[test]
    fn the_probabilities_of_all_outcomes_sum_to_one(slow in 1_u32..60, fast in 1_u32..60, part in 0.0..1.0) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the rows")]
        let matched = (f64::from(slow + fast) * part) as u32;
        let lowest = matched.saturating_sub(fast);
        let highest = matched.min(slow);
        // Differences of neighbouring tails are the probabilities of single outcomes.
        let tail = |x: u32| if x > highest { 0.0 } else { p(counts(x, slow, matched - x, fast)) };
        let factorials = LnFactorials::up_to(200);
        let mut sum = 0.0;
        for x in lowest..=highest {
            let point = (factorials.ln_choose(slow, x) + factorials.ln_choose(fast, matched - x)
                - factorials.ln_choose(slow + fast, matched)).exp();
            prop_assert!((tail(x) - tail(x + 1) - point).abs() < 1e-9);
            sum += point;
        }
        prop_assert!((sum - 1.0).abs() < 1e-9);
    }
}
