//! The groups as the report shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Aggregator;
use super::group::Group;
use super::histogram::Histogram;
use crate::report::address;
use crate::report::model::{Distribution, ErrorCount, Statement};
use crate::sql::{Text, Texts};

impl Aggregator {
    /// One entry for each group, by total time, the most first; equal ones by their identity, so that two reports
    /// of the same traffic are equal. Groups that have no finished request come last.
    pub fn statements(&self, texts: &Texts) -> Vec<Statement> {
        let mut groups: Vec<&Group> = self.groups.iter().filter(|g| g.folded_into.is_none()).collect();
        groups.sort_by(|a, b| {
            let identity =
                |g: &Group| (g.key.text, g.key.protocol, g.key.database.clone(), g.key.peer.clone());
            (b.latency.sum_ns().cmp(&a.latency.sum_ns()))
                .then_with(|| b.latency.count().cmp(&a.latency.count()))
                .then_with(|| identity(a).cmp(&identity(b)))
        });
        groups.into_iter().map(|group| statement(group, texts.get(group.key.text))).collect()
    }
}

/// The report's id of a text: the same on every host.
pub(super) fn statement_id(text: &Text) -> u64 {
    text.id
}

fn statement(group: &Group, text: &Text) -> Statement {
    let mut errors: Vec<ErrorCount> = group
        .errors
        .iter()
        .map(|(code, count)| ErrorCount { code: code.as_str().to_owned(), count: *count })
        .collect();
    errors.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    Statement {
        id: format!("{:016x}", statement_id(text)),
        protocol: group.key.protocol.to_owned(),
        operation: text.operation.clone(),
        text: text.text.clone(),
        peer: group.key.peer.as_ref().map(address::text).unwrap_or_default(),
        database: group.key.database.as_deref().map(str::to_owned),
        count: group.latency.count(),
        errors,
        rows: group.rows,
        request_bytes: group.request_bytes,
        answer_bytes: group.answer_bytes,
        latency: distribution(&group.latency),
        first_byte: distribution(&group.first_byte),
        slow_count: group.slow_count,
        cancelled: group.cancelled,
        waits_by_design: text.waits_by_design,
    }
}

/// Percentiles come from the buckets, everything else from the exact values.
fn distribution(histogram: &Histogram) -> Distribution {
    let [p50_ns, p90_ns, p95_ns, p99_ns, p999_ns] = histogram.quantiles([500, 900, 950, 990, 999]);
    Distribution {
        min_ns: histogram.min_ns(),
        mean_ns: histogram.mean_ns(),
        p50_ns,
        p90_ns,
        p95_ns,
        p99_ns,
        p999_ns,
        max_ns: histogram.max_ns(),
        sum_ns: u64::try_from(histogram.sum_ns()).unwrap_or(u64::MAX),
        buckets: histogram.quarter_octaves(),
        hdr: STANDARD.encode(histogram.encode()),
    }
}
