//! Latencies of a report against those that the client measured itself.

use tracer::report::model::Statement;

/// The statement's latencies are those of the client's calls, in ns: none is longer than the client waited, and of the middle
/// one the client itself may have taken so much.
#[track_caller]
pub fn assert_as_measured(statement: &Statement, mut times: Vec<u64>, own_work_ns: u64) {
    times.sort_unstable();
    let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    let sum: u64 = times.iter().sum();
    let ours = &statement.latency;
    let what = format!(
        "{}: client {min} {median} {max} sum {sum}, dbtap {} {} {} sum {}",
        statement.text, ours.min_ns, ours.p50_ns, ours.max_ns, ours.sum_ns
    );
    println!("{what}");
    assert_eq!(statement.count, times.len() as u64, "{what}");
    // Never more than the client waited. The percentile is exact within 0.1 %.
    assert!(ours.min_ns <= min && ours.max_ns <= max && ours.sum_ns <= sum, "{what}");
    assert!(ours.p50_ns <= median + median / 1_000, "{what}");
    assert!(ours.p50_ns + own_work_ns + median / 10 >= median, "{what}");
}
