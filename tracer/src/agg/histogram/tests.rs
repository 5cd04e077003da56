//! Histogram values against the hdrhistogram crate and against exact ranks.

use super::*;
use hdrhistogram::Histogram as Hdr;
use hdrhistogram::serialization::Deserializer;
use proptest::prelude::*;

const S: u64 = 1_000_000_000;

fn of(values: &[u64]) -> Histogram {
    let mut histogram = Histogram::default();
    for value in values {
        histogram.record(Nanos(*value));
    }
    histogram
}

fn hdr() -> Hdr<u64> {
    Hdr::new_with_bounds(1, HIGHEST_NS, SIGNIFICANT_DIGITS).unwrap()
}

/// An HDR histogram that recorded the values itself.
fn reference(values: &[u64]) -> Hdr<u64> {
    let mut reference = hdr();
    for value in values {
        reference.saturating_record((*value).min(HIGHEST_NS));
    }
    reference
}

/// What an HdrHistogram library reads from the encoded form.
fn decoded(histogram: &Histogram) -> Hdr<u64> {
    Deserializer::new().deserialize(&mut histogram.encode().as_slice()).unwrap()
}

/// The same content, paged from the start.
fn paged(values: &[u64]) -> Histogram {
    let mut histogram = Histogram { buckets: Buckets::Paged(Paged::default()), ..Histogram::default() };
    for value in values {
        histogram.record(Nanos(*value));
    }
    histogram
}

#[test]
fn buckets_are_those_of_hdr() {
    let reference = hdr();
    let mut value: u64 = 1;
    while value <= HIGHEST_NS {
        for value in [value - 1, value, value + 1] {
            let bucket = bucket_of(value);
            if value <= HIGHEST_NS {
                assert_eq!(lowest_of(bucket), reference.lowest_equivalent(value), "{value}");
                assert_eq!(highest_of(bucket), reference.highest_equivalent(value), "{value}");
            }
        }
        value += value / 97 + 1;
    }
    assert_eq!(at(bucket_of(u64::MAX)), BUCKETS - 1);
}

/// Case 80: no value is clipped below one hour, and above it nothing is lost.
#[test]
fn thirty_seconds_read_as_thirty_seconds() {
    for ns in [1_000, 2_000_000, 30 * S, 600 * S, HIGHEST_NS] {
        let [p50] = of(&[ns, ns, 10 * HIGHEST_NS]).quantiles([500]);
        assert!(p50.abs_diff(ns) <= ns / 1_000, "{ns} reads as {p50}");
    }
    let beyond = of(&[2 * HIGHEST_NS, u64::MAX]);
    assert_eq!(beyond.count(), 2);
    assert_eq!((beyond.min_ns(), beyond.max_ns()), (2 * HIGHEST_NS, u64::MAX));
    assert_eq!(beyond.sum_ns(), u128::from(u64::MAX) + u128::from(2 * HIGHEST_NS));
    assert_eq!(decoded(&beyond).len(), 2);
}

#[test]
fn an_empty_one_is_all_zero_and_takes_no_heap() {
    let empty = Histogram::default();
    assert_eq!((empty.count(), empty.min_ns(), empty.max_ns(), empty.mean_ns()), (0, 0, 0, 0));
    assert_eq!((empty.sum_ns(), empty.bytes()), (0, 0));
    assert_eq!(empty.quantiles([0, 500, 1_000]), [0, 0, 0]);
    assert!(empty.quarter_octaves().is_empty());
    assert_eq!(decoded(&empty).len(), 0);
}

#[test]
fn a_full_one_stays_below_its_bound() {
    let mut histogram = Histogram::default();
    for bucket in 0..u64::try_from(BUCKETS).unwrap() {
        histogram.record(Nanos(lowest_of(bucket)));
    }
    assert!(matches!(histogram.buckets, Buckets::Paged(_)));
    assert!(histogram.bytes() < 80 << 10, "{}", histogram.bytes());
    assert_eq!(decoded(&histogram).distinct_values(), hdr().distinct_values());
    assert_eq!(histogram.counts().len(), BUCKETS);
    assert!(histogram.quarter_octaves().len() < 140);
}

#[test]
fn an_ordinary_one_is_small() {
    // 100,000 requests, 2 ms to 4 ms: every bucket of an octave in use.
    let busy = of(&(0..100_000).map(|i| 2_000_000 + i * 20).collect::<Vec<_>>());
    assert!(busy.counts().len() > 900 && busy.bytes() < 8 << 10, "{}", busy.bytes());
    let rare = of(&(1..=100).map(|i| i * 1_000_000).collect::<Vec<_>>());
    assert!(rare.bytes() <= 2 << 10, "{}", rare.bytes());
}

/// Counts that do not fit into the paged form's 16 bits are not lost.
#[test]
fn counts_beyond_16_bits_are_kept() {
    let mut histogram = paged(&[]);
    for n in [u64::from(u16::MAX), 1, 1, u64::from(u16::MAX), 5, u64::MAX / 2] {
        histogram.add(bucket_of(2_000_000), n);
    }
    histogram.add(bucket_of(S), 3);
    let expected = 2 * u64::from(u16::MAX) + 7 + u64::MAX / 2;
    let encoded = decoded(&histogram);
    assert_eq!(
        (encoded.count_at(2_000_000), encoded.count_at(S)),
        (u64::MAX / 2, 3),
        "as much as the encoding holds"
    );
    assert_eq!(histogram.counts(), [(bucket_of(2_000_000), expected), (bucket_of(S), 3)]);
}

/// Latencies as they come: any order of magnitude, often equal, some without end.
fn latencies() -> impl Strategy<Value = Vec<u64>> {
    let one = prop_oneof![
        0..5_000_u64,
        (0..42_u32, 1..1_000_u64).prop_map(|(e, m)| m << (e - e / 5)),
        any::<u64>()
    ];
    prop_oneof![prop::collection::vec(one.clone(), 0..100), prop::collection::vec(one, 0..3_000)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn equals_an_hdr_histogram_of_the_same_values(values in latencies()) {
        let histogram = of(&values);
        prop_assert_eq!(decoded(&histogram), reference(&values));
        prop_assert_eq!(histogram.count(), values.len() as u64);
        prop_assert_eq!(histogram.sum_ns(), values.iter().map(|v| u128::from(*v)).sum::<u128>());
        prop_assert_eq!(histogram.min_ns(), values.iter().copied().min().unwrap_or(0));
        prop_assert_eq!(histogram.max_ns(), values.iter().copied().max().unwrap_or(0));
        let coarse = histogram.quarter_octaves();
        prop_assert_eq!(coarse.iter().map(|(_, n)| n).sum::<u64>(), values.len() as u64);
        let mut below = 0;
        for (upper_ns, count) in coarse {
            below += count;
            let within = values.iter().filter(|v| (**v).min(HIGHEST_NS) <= upper_ns).count() as u64;
            prop_assert_eq!(below, within);
        }
    }

    #[test]
    fn sparse_and_paged_agree(values in latencies()) {
        let (grown, paged) = (of(&values), paged(&values));
        prop_assert_eq!(grown.counts(), paged.counts());
        prop_assert_eq!(grown.quarter_octaves(), paged.quarter_octaves());
    }

    #[test]
    fn merging_is_recording_both(one in latencies(), two in latencies()) {
        let mut merged = of(&one);
        merged.merge(&of(&two));
        let both: Vec<u64> = one.into_iter().chain(two).collect();
        let all = of(&both);
        prop_assert_eq!(merged.counts(), all.counts());
        prop_assert_eq!((merged.min_ns, merged.max_ns, merged.sum_ns, merged.count),
            (all.min_ns, all.max_ns, all.sum_ns, all.count));
    }

    /// Case 80, and the bound of 0.1 % that the report promises.
    #[test]
    fn percentiles_are_within_a_thousandth(mut values in prop::collection::vec(1_000..2 * HIGHEST_NS, 1..500)) {
        let histogram = of(&values);
        let per_mille = [1, 500, 900, 950, 990, 999, 1_000];
        let shown = histogram.quantiles(per_mille);
        values.sort_unstable();
        for (per_mille, shown) in per_mille.into_iter().zip(shown) {
            // The smallest value with at least this share at or below it.
            let rank = (values.len() * usize::try_from(per_mille).unwrap()).div_ceil(1_000).max(1);
            let exact = values[rank - 1];
            let within = exact.min(HIGHEST_NS).max(values[0]);
            prop_assert!(shown.abs_diff(within) <= within / 1_000, "p{}: {} instead of {}", per_mille, shown, exact);
        }
    }
}

#[test]
fn buckets_are_within_a_thousandth() {
    let values = [1_u64, 1, 2_000_000, 2_000_100, 30 * S, HIGHEST_NS + 1];
    let buckets = of(&values).buckets();
    assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 6);
    assert!(buckets.is_sorted());
    for value in &values[..5] {
        assert!(buckets.iter().any(|(upper, _)| upper >= value && upper - value <= value / 1_000), "{value}");
    }
}
