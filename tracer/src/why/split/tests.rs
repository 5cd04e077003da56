//! Latencies in, "by what, how many slow" out. All draws come from fixed seeds.

use super::*;
use crate::random::SplitMix64;
use proptest::prelude::*;

const US: f64 = 1e3;
const MS: f64 = 1e6;
const S: f64 = 1e9;

/// The same numbers in every run.
struct Draw(u64);

impl Draw {
    fn bits(&mut self) -> u64 {
        let mut random = SplitMix64(self.0);
        let bits = random.next_bits();
        self.0 = random.0;
        bits
    }
    /// Above 0, below 1.
    fn uniform(&mut self) -> f64 {
        (float(self.bits() >> 12) + 0.5) / float(1 << 52)
    }
    fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }
    fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
    fn log_normal(&mut self, sigma: f64) -> f64 {
        (sigma * self.normal()).exp()
    }
    /// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; shape 1 or more.
    fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "test data in range")]
fn ns(value: f64) -> u64 {
    value as u64
}

/// Through the histogram of the aggregator, as in a capture.
fn buckets(values: impl IntoIterator<Item = f64>) -> Vec<(u64, u64)> {
    let mut histogram = crate::agg::histogram::Histogram::default();
    for value in values {
        histogram.record(Nanos(ns(value)));
    }
    histogram.buckets()
}

fn describe(latencies: &[(u64, u64)], ages: &[Nanos], given: Option<Nanos>) -> String {
    match split(latencies, ages, given) {
        None => "none".to_owned(),
        Some(split) => {
            let sides = split.sides(latencies, ages);
            format!("{:?} {} of {}", split.by, sides.slow, sides.slow + sides.fast)
        }
    }
}

/// `humps`: (count, middle in ns, sigma of the logarithm).
fn mixture(seed: u64, humps: &[(u64, f64, f64)]) -> Vec<(u64, u64)> {
    let mut draw = Draw(seed);
    let one = |&(count, middle, sigma): &(u64, f64, f64)| {
        (0..count).map(|_| middle * draw.log_normal(sigma)).collect::<Vec<_>>()
    };
    buckets(humps.iter().flat_map(one))
}

#[test]
fn two_humps_are_split_between_them() {
    for (humps, expected) in [
        // The night at 02:00.
        (&[(772, 2.0 * MS, 0.3), (231, 30.0 * S, 0.01)][..], "TwoHumps 231 of 1003"),
        (&[(995, 2.0 * MS, 0.3), (5, 2.0 * S, 0.02)], "TwoHumps 5 of 1000"),
        (&[(9_950, 2.0 * MS, 0.3), (50, 40.0 * MS, 0.2)], "TwoHumps 50 of 10000"),
        (&[(400, MS, 0.2), (600, 8.0 * MS, 0.2)], "TwoHumps 600 of 1000"),
        (&[(15, 500.0 * US, 0.3), (6, 1.0 * S, 0.05)], "TwoHumps 6 of 21"),
        (&[(2_000, MS, 0.12), (500, 3.0 * MS, 0.12)], "TwoHumps 500 of 2500"),
        (&[(700, 90.0 * US, 0.2), (300, 40.0 * MS, 0.01)], "TwoHumps 300 of 1000"),
        // Three: split at the widest gap.
        (&[(600, 2.0 * MS, 0.2), (300, 50.0 * MS, 0.2), (100, 30.0 * S, 0.05)], "TwoHumps 100 of 1000"),
        (&[(600, MS, 0.2), (300, 2.0 * S, 0.1), (100, 9.0 * S, 0.1)], "TwoHumps 400 of 1000"),
        // Fewer than 5 slow ones are no group, and few fast ones do not make the rest slow.
        (&[(996, 2.0 * MS, 0.3), (4, 2.0 * S, 0.02)], "none"),
        (&[(50, 20.0 * US, 0.2), (950, 5.0 * MS, 0.2)], "none"),
        (&[(10, 2.0 * MS, 0.3), (9, 2.0 * S, 0.02)], "none"),
        // Less than a factor of two is not worth a search.
        (&[(500, MS, 0.02), (500, 1.8 * MS, 0.02)], "none"),
    ] {
        assert_eq!(describe(&mixture(7, humps), &[], None), expected, "{humps:?}");
    }
}

#[test]
fn a_tail_is_what_the_bulk_does_not_let_expect() {
    let mut draw = Draw(3);
    let pareto = buckets((0..2_000).map(|_| MS / draw.uniform()));
    assert!(describe(&pareto, &[], None).starts_with("Tail "), "{}", describe(&pareto, &[], None));
    // Slow ones from 5 to 500 ms without a hump of their own.
    let smeared = (0..60).map(|i| 5.0 * MS * 100_f64.powf(f64::from(i) / 60.0));
    let mixed = buckets((0..940).map(|_| MS * draw.log_normal(0.3)).chain(smeared));
    let text = describe(&mixed, &[], None);
    assert!(text == "Tail 60 of 1000" || text.starts_with("TwoHumps 6"), "{text}");
}

/// Draws one latency.
type Distribution = fn(&mut Draw) -> f64;

/// None of these has a slow group: (name, distribution around 1).
fn one_hump() -> Vec<(&'static str, Distribution)> {
    vec![
        ("log-normal 0.1", |d| d.log_normal(0.1)),
        ("log-normal 0.3", |d| d.log_normal(0.3)),
        ("log-normal 0.6", |d| d.log_normal(0.6)),
        ("exponential", |d| d.exponential()),
        ("shifted exponential", |d| 0.3 + d.exponential()),
        ("gamma 2.5", |d| d.gamma(2.5)),
        ("Erlang 4", |d| d.gamma(4.0)),
        ("uniform", |d| d.uniform()),
        ("ticks of 1", |d| (2.0 * d.log_normal(0.6)).ceil()),
        ("ticks of 1, exponential", |d| (1.5 * d.exponential()).ceil()),
        ("ticks of 4", |d| 4.0 * (d.gamma(2.0) / 2.0).ceil()),
        ("equal", |_| 1.0),
    ]
}

/// 600 distributions with one hump, each of few and of many requests: none is split. (Of 40,000 others, up to 3,000
/// requests each, 3 were.)
#[test]
fn one_hump_is_left_alone() {
    let mut draw = Draw(11);
    let mut split_by = Vec::new();
    let kinds = one_hump();
    for (round, n) in (0..600_u32).zip([50_u64, 200, 1_000, 5_000, 20_000].into_iter().cycle()) {
        let (name, distribution) = kinds[usize::try_from(round).unwrap() / 5 % kinds.len()];
        let scale = MS * 10_f64.powf(4.0 * draw.uniform());
        let values = buckets((0..n).map(|_| scale * distribution(&mut draw)));
        if let Some(split) = split(&values, &[], None) {
            split_by.push(format!("{name} n={n}: {split:?}"));
        }
    }
    assert!(split_by.is_empty(), "{split_by:#?}");
}

#[test]
fn given_is_taken_as_it_is() {
    let latencies = mixture(5, &[(100, MS, 0.2), (3, 600.0 * MS, 0.01)]);
    let given = |ms: u64| describe(&latencies, &[Nanos::from_secs(1)], Some(Nanos::from_millis(ms)));
    assert_eq!(given(500), "Given 4 of 104", "the one in flight too");
    assert_eq!(given(0), "Given 104 of 104");
    assert_eq!(given(2_000), "none", "nothing took so long");
    assert_eq!(describe(&[], &[], Some(Nanos(1))), "none");
}

/// Case 66: the requests that are hunted may never be answered before the capture ends.
#[test]
fn requests_in_flight_count_when_their_age_says_something() {
    let fast = mixture(9, &[(772, 2.0 * MS, 0.3)]);
    // Time-outs of 30 s in a capture of 30 s: none is finished, their ages are spread evenly.
    let ages: Vec<Nanos> = (1..=30).map(|i| Nanos::from_millis(i * 990)).collect();
    assert_eq!(describe(&fast, &ages, None), "TwoHumps 30 of 802");
    // The ages of ordinary requests say nothing.
    let young: Vec<Nanos> = (1..=30).map(|i| Nanos(i * 100_000)).collect();
    assert_eq!(describe(&fast, &young, None), "none");
    // Slow ones finished and in flight; young ones are not counted as fast.
    let both = mixture(9, &[(772, 2.0 * MS, 0.3), (40, 2.0 * S, 0.01)]);
    let ages: Vec<Nanos> = (1..=62).map(|i| Nanos::from_millis(i * 32)).chain(young).collect();
    let split = split(&both, &ages, None).unwrap();
    let sides = split.sides(&both, &ages);
    assert!(split.at > Nanos::from_millis(6) && split.at < Nanos::from_millis(32), "{split:?}");
    assert_eq!((sides.slow - sides.in_flight, sides.fast), (40, 772));
    assert_eq!(sides.in_flight, 62, "all that waited longer than any fast one took");
    assert!(sides.fast_p99 < Nanos::from_millis(6) && sides.slow_p50 > Nanos::from_millis(900), "{sides:?}");
    // Nothing finished: nothing to compare with.
    assert_eq!(describe(&[], &ages, None), "none");
}

#[test]
fn the_split_lies_inside_the_valley() {
    let at = |humps: &[(u64, f64, f64)]| split(&mixture(1, humps), &[], None).unwrap().at.0;
    let between = at(&[(700, 2.0 * MS, 0.2), (300, 30.0 * S, 0.01)]);
    assert!((100_000_000..1_000_000_000).contains(&between), "{between}");
    let full = at(&[(7_000, MS, 0.4), (3_000, 8.0 * MS, 0.3)]);
    assert!((2_500_000..4_500_000).contains(&full), "{full}: dense valleys have a lowest place too");
}

proptest! {
    #[test]
    fn hostile_numbers_do_no_harm(
        latencies in prop::collection::vec((any::<u64>(), any::<u64>()), 0..40),
        small in prop::collection::vec((0..5_000_000_000_u64, 0..100_u64), 0..200),
        ages in prop::collection::vec(any::<u64>(), 0..20),
    ) {
        let ages: Vec<Nanos> = ages.into_iter().map(Nanos).collect();
        for list in [&latencies, &small] {
            if let Some(split) = split(list, &ages, None) {
                let sides = split.sides(list, &ages);
                prop_assert!(sides.slow >= 5 && sides.fast >= 5, "{split:?} {sides:?}");
                prop_assert!(sides.slow >= sides.in_flight && sides.fast_p99 < split.at && sides.slow_p50 >= split.at);
            }
        }
    }
}
