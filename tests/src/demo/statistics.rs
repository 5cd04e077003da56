//! What the application itself measured: count, errors and latency of every statement.
//!
//! Exact, from the calls' own begin and end; tests compare a report from outside with it.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Measurements by statement text.
#[derive(Debug, Default)]
pub struct Statistics {
    statements: BTreeMap<&'static str, Measured>,
}

#[derive(Debug, Default)]
struct Measured {
    latencies_ns: Vec<u64>,
    errors: BTreeMap<String, u64>,
}

impl Statistics {
    /// Adds one finished call. `error` is its SQLSTATE, or `none` where the connection itself failed.
    pub fn add(&mut self, statement: &'static str, latency: Duration, error: Option<String>) {
        let measured = self.statements.entry(statement).or_default();
        measured.latencies_ns.push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        if let Some(code) = error {
            *measured.errors.entry(code).or_default() += 1;
        }
    }

    /// Number of finished calls of all statements.
    pub fn count(&self) -> usize {
        self.statements.values().map(|measured| measured.latencies_ns.len()).sum()
    }

    /// One object: `{"statements": [{text, count, errors, slow, latency}]}`; durations end in `_ns`. Slow are those that took
    /// a second or longer.
    pub fn to_json(&self) -> Value {
        let statements: Vec<Value> = self
            .statements
            .iter()
            .map(|(text, measured)| {
                let mut sorted = measured.latencies_ns.clone();
                sorted.sort_unstable();
                json!({
                    "text": text,
                    "count": sorted.len(),
                    "errors": measured.errors,
                    "slow": sorted.iter().filter(|ns| **ns >= 1_000_000_000).count(),
                    "latency": {
                        "min_ns": quantile(&sorted, 0),
                        "p50_ns": quantile(&sorted, 50),
                        "p90_ns": quantile(&sorted, 90),
                        "p95_ns": quantile(&sorted, 95),
                        "p99_ns": quantile(&sorted, 99),
                        "max_ns": quantile(&sorted, 100),
                        "sum_ns": sorted.iter().fold(0_u64, |sum, ns| sum.saturating_add(*ns)),
                    },
                })
            })
            .collect();
        json!({ "statements": statements })
    }
}

/// The smallest value that at least `percent` of the values do not exceed (nearest rank); 0 without values.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_rank_and_errors_count_by_code() {
        let mut statistics = Statistics::default();
        for ms in (1..=200).rev() {
            let error = (ms == 3).then(|| "23505".to_owned());
            statistics.add("SELECT 1", Duration::from_millis(ms), error);
        }
        let json = statistics.to_json();
        let statement = &json["statements"][0];
        assert_eq!(statement["text"], "SELECT 1");
        assert_eq!(statement["count"], 200);
        assert_eq!(statement["errors"], json!({"23505": 1}));
        let expected = [("min_ns", 1), ("p50_ns", 100), ("p95_ns", 190), ("p99_ns", 198), ("max_ns", 200)];
        for (name, ms) in expected {
            assert_eq!(statement["latency"][name], json!(ms * 1_000_000), "{name}");
        }
        assert_eq!(quantile(&[], 50), 0);
    }
}
