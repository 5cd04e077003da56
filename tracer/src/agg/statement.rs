//! The groups as the report shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};

use super::Aggregator;
use super::group::Group;
use super::histogram::{self, Histogram};
use crate::report::address;
use crate::report::model::{Distribution, ErrorCount, Statement};
use crate::sql::{Text, Texts};

impl Aggregator {
    /// One entry for each group, by total time, the most first; equal ones by their identity, so that two reports
    /// of the same traffic are equal. Groups that have no finished request come last.
    pub fn statements(&self, texts: &Texts) -> Vec<Statement> {
        let mut scratch = histogram::hdr();
        let mut groups: Vec<&Group> = self.groups.iter().filter(|g| g.folded_into.is_none()).collect();
        groups.sort_by(|a, b| {
            let identity =
                |g: &Group| (g.key.text, g.key.protocol, g.key.database.clone(), g.key.peer.clone());
            (b.latency.sum_ns().cmp(&a.latency.sum_ns()))
                .then_with(|| b.latency.count().cmp(&a.latency.count()))
                .then_with(|| identity(a).cmp(&identity(b)))
        });
        groups
            .into_iter()
            .map(|group| statement(group, texts.get(group.key.text), scratch.as_mut()))
            .collect()
    }
}

/// The report's id of a text: the same on every host.
///
/// FNV-1a of 64 bits (offset basis and prime as in draft-eastlake-fnv) over the normalised text.
pub(super) fn statement_id(text: &Text) -> u64 {
    text.text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn statement(group: &Group, text: &Text, mut hdr: Option<&mut hdrhistogram::Histogram<u64>>) -> Statement {
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
        latency: distribution(&group.latency, hdr.as_deref_mut()),
        first_byte: distribution(&group.first_byte, hdr),
        slow_count: group.slow_count,
    }
}

/// Percentiles come from the HDR histogram, everything else from the exact values.
pub(super) fn distribution(
    histogram: &Histogram,
    hdr: Option<&mut hdrhistogram::Histogram<u64>>,
) -> Distribution {
    let mut shown = Distribution {
        min_ns: histogram.min_ns(),
        mean_ns: histogram.mean_ns(),
        max_ns: histogram.max_ns(),
        sum_ns: u64::try_from(histogram.sum_ns()).unwrap_or(u64::MAX),
        buckets: histogram.quarter_octaves(),
        ..Distribution::default()
    };
    let Some(hdr) = hdr else { return shown };
    histogram.copy_to(hdr);
    // HDR answers with the upper end of a bucket, which may lie above the largest value that was really seen.
    let at = |quantile| hdr.value_at_quantile(quantile).clamp(shown.min_ns, shown.max_ns);
    (shown.p50_ns, shown.p90_ns, shown.p95_ns) = (at(0.5), at(0.9), at(0.95));
    (shown.p99_ns, shown.p999_ns) = (at(0.99), at(0.999));
    let mut encoded = Vec::new();
    if V2DeflateSerializer::new().serialize(hdr, &mut encoded).is_ok() {
        shown.hdr = STANDARD.encode(&encoded);
    }
    shown
}
