//! Grouping, counting, and the bounds of memory.

use super::*;
use crate::report::model::{ErrorCount, Statement};
use crate::report::testdata::{MS, S, request};

fn peer(text: &str) -> Address {
    Address::Inet(text.parse().unwrap())
}

fn check_accounts(aggregator: &Aggregator) {
    assert_eq!(
        aggregator.histogram_bytes,
        aggregator.groups.iter().map(Group::histogram_bytes).sum::<usize>()
    );
}

fn total(statements: &[Statement]) -> u64 {
    statements.iter().map(|s| s.count).sum()
}

#[test]
fn a_group_is_a_text_a_protocol_a_database_and_a_server() {
    let mut texts = Texts::new(10);
    let mut aggregator = Aggregator::new(Limits::default(), None);
    let (one, two) = (texts.intern_sql(b"SELECT a", false), texts.intern_sql(b"SELECT b", false));
    let (here, there) = (peer("10.0.0.1:5432"), peer("10.0.0.2:5432"));
    let ids = [
        aggregator.group(one, "postgresql", Some("a"), &here),
        aggregator.group(two, "postgresql", Some("a"), &here),
        aggregator.group(one, "mysql", Some("a"), &here),
        aggregator.group(one, "postgresql", Some("b"), &here),
        aggregator.group(one, "postgresql", None, &here),
        aggregator.group(one, "postgresql", Some("a"), &there),
    ];
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{n}");
    }
    assert_eq!(aggregator.group(one, "postgresql", Some("a"), &here), ids[0]);
    let statements = aggregator.statements(&texts);
    assert_eq!(statements.len(), ids.len(), "also those without a finished request");
    let same_text: Vec<&str> =
        statements.iter().filter(|s| s.text == "SELECT a").map(|s| s.id.as_str()).collect();
    assert_eq!(same_text.len(), 5);
    assert!(same_text.iter().all(|id| *id == same_text[0] && id.len() == 16));
    assert_eq!(same_text[0], format!("{:016x}", aggregator.statement_id(ids[0], &texts)));
}

#[test]
fn everything_is_counted_and_the_most_time_comes_first() {
    let mut texts = Texts::new(10);
    let mut aggregator = Aggregator::new(Limits::default(), Some(Nanos(S)));
    let fast = texts.intern_sql(b"SELECT a", false);
    let slow = texts.intern_sql(b"SELECT pg_sleep($1)", false);
    let here = peer("10.0.0.1:5432");
    let fast = aggregator.group(fast, "postgresql", Some("a"), &here);
    let slow = aggregator.group(slow, "postgresql", None, &here);
    for i in 1..=1_000 {
        aggregator.record(fast, &request(i * 1_000, (i % 100 == 0).then_some(b"23505")));
    }
    aggregator.record(fast, &request(999, Some(b"40001")));
    aggregator.record(slow, &request(30 * S, Some(b"57014")));
    aggregator.record(slow, &request(S, None));
    aggregator.record(slow, &request(S - 1, None));

    let statements = aggregator.statements(&texts);
    let [slow, fast] = statements.as_slice() else { panic!("{statements:?}") };
    assert_eq!(slow.text, "SELECT pg_sleep($1)");
    assert_eq!((slow.count, slow.slow_count, slow.rows), (3, 2, 3));
    assert_eq!((slow.request_bytes, slow.answer_bytes), (180, 600));
    assert_eq!(slow.latency.sum_ns, 32 * S - 1);
    assert_eq!((slow.latency.min_ns, slow.latency.max_ns), (S - 1, 30 * S));
    assert_eq!(slow.latency.mean_ns, (32 * S - 1) / 3);
    assert_eq!(slow.latency.p99_ns, 30 * S, "never above the largest value");
    assert_eq!(slow.first_byte.max_ns, 15 * S);
    let error = |code: &str, count| ErrorCount { code: code.into(), count };
    assert_eq!(slow.errors, [error("57014", 1)]);
    assert_eq!(fast.errors, [error("23505", 10), error("40001", 1)]);
    assert_eq!((fast.count, fast.slow_count), (1_001, 0));
    assert!(fast.latency.p50_ns.abs_diff(500_000) <= 500, "{}", fast.latency.p50_ns);
    assert!(fast.latency.p99_ns.abs_diff(990_000) <= 990, "{}", fast.latency.p99_ns);
    assert_eq!(aggregator.grouped_as_other(), 0);
}

/// The field `hdr` is what other HdrHistogram libraries read: V2 compressed.
#[test]
fn the_encoded_histogram_holds_every_value() {
    use base64::Engine as _;
    let mut aggregator = Aggregator::new(Limits::default(), None);
    let group = aggregator.group(Texts::OTHER, "postgresql", None, &peer("[::1]:5432"));
    let values = [2 * MS, 2 * MS, 30 * S, 2 * histogram::HIGHEST_NS];
    for ns in values {
        aggregator.record(group, &request(ns, None));
    }
    let statements = aggregator.statements(&Texts::new(1));
    let encoded = &statements[0].latency.hdr;
    assert!(encoded.starts_with("HISTFAAA"), "{encoded}");
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    let hdr: hdrhistogram::Histogram<u64> =
        hdrhistogram::serialization::Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
    assert_eq!(hdr.len(), 4);
    assert_eq!(hdr.count_at(2 * MS), 2);
    assert_eq!(hdr.count_at(30 * S), 1);
    assert_eq!(hdr.count_at(histogram::HIGHEST_NS), 1);
}

/// `n` different statements, every tenth of another protocol, three requests each.
fn many_statements(n: u64, limits: Limits, texts: &mut Texts) -> Aggregator {
    let mut aggregator = Aggregator::new(limits, None);
    let here = peer("10.0.0.1:5432");
    for i in 0..n {
        let text = texts.intern_sql(format!("SELECT c{i} FROM t").as_bytes(), false);
        let protocol = if i % 10 == 0 { "mysql" } else { "postgresql" };
        let group = aggregator.group(text, protocol, Some("payments"), &here);
        for n in 0..3 {
            aggregator.record(group, &request(MS + (i * 7_919 + n * 104_729) % (40 * MS), None));
        }
    }
    check_accounts(&aggregator);
    aggregator
}

/// 100,000 different statements: the first 10,000 keep their names. The bound is the one that `Limits` documents.
#[test]
fn memory_of_many_statements_is_bounded() {
    let aggregator = many_statements(100_000, Limits::default(), &mut Texts::new(200_000));
    assert_eq!(aggregator.len(), 10_002);
    assert_eq!(aggregator.grouped_as_other(), 270_000);
    println!("{} bytes for 10,000 groups of 3 requests", aggregator.bytes());
    assert!(aggregator.bytes() < 10 << 20, "{}", aggregator.bytes());
}

#[test]
fn statements_past_the_limit_are_counted_as_other() {
    let mut texts = Texts::new(2_000);
    let limits = Limits { groups: 100, ..Limits::default() };
    let aggregator = many_statements(1_000, limits, &mut texts);
    assert_eq!(aggregator.grouped_as_other(), 2_700);
    let statements = aggregator.statements(&texts);
    assert_eq!((statements.len(), total(&statements)), (102, 3_000));
    let others: Vec<&Statement> = statements.iter().filter(|s| s.text == "(other)").collect();
    assert_eq!(others.len(), 2, "one for each protocol");
    assert_eq!(others.iter().map(|s| s.count).sum::<u64>(), 2_700);
    assert!(others.iter().all(|s| s.peer.is_empty() && s.database.is_none()));
}

/// Latencies spread over many buckets: without a bound these histograms would take several times as much.
#[test]
fn memory_stays_below_the_bound_however_latencies_spread() {
    let limits = Limits { groups: 500, histogram_bytes: 4 << 20 };
    let mut aggregator = Aggregator::new(limits, None);
    let mut texts = Texts::new(1_000);
    let here = peer("10.0.0.1:5432");
    let groups: Vec<GroupId> = (0..500)
        .map(|i| {
            let text = texts.intern_sql(format!("SELECT c{i}").as_bytes(), false);
            aggregator.group(text, "postgresql", None, &here)
        })
        .collect();
    let mut ns: u64 = 1;
    let mut recorded = 0;
    for round in 0..400 {
        for (i, group) in groups.iter().enumerate() {
            ns = ns.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // The first group takes most of the time, so it must keep its name.
            let latency =
                if i == 0 { 30 * S + round } else { 1_000 + (ns >> 20) % (1_u64 << (14 + ns % 20)) };
            aggregator.record(*group, &request(latency, (i == 7).then_some(b"40001")));
            recorded += 1;
            assert!(aggregator.histogram_bytes <= limits.histogram_bytes);
        }
    }
    check_accounts(&aggregator);
    assert!(aggregator.grouped_as_other() > 0 && aggregator.len() < 501);
    let statements = aggregator.statements(&texts);
    assert_eq!(total(&statements), recorded);
    let most = statements.iter().find(|s| s.text == "SELECT c0").expect("it has the most time of all");
    assert_eq!(most.count, 400);
    let errors: u64 = statements.iter().flat_map(|s| &s.errors).map(|e| e.count).sum();
    assert_eq!(errors, 400);
}

#[test]
fn hostile_names_and_codes_are_bounded() {
    let mut aggregator = Aggregator::new(Limits::default(), None);
    let long = "é".repeat(100_000);
    let group = aggregator.group(Texts::OTHER, "postgresql", Some(&long), &Address::Unix(vec![]));
    for i in 0..10_000 {
        aggregator.record(group, &request(MS, Some(format!("{i:05}").as_bytes())));
    }
    assert!(aggregator.bytes() < 16 << 10, "{}", aggregator.bytes());
    let statements = aggregator.statements(&Texts::new(1));
    assert_eq!(statements[0].errors.len(), 65);
    assert_eq!(statements[0].errors.iter().map(|e| e.count).sum::<u64>(), 10_000);
    assert!(statements[0].database.as_ref().is_some_and(|name| name.len() == 256));
    aggregator.record(GroupId(99), &request(MS, None));
    assert_eq!(total(&aggregator.statements(&Texts::new(1))), 10_000, "an id of another aggregator");
}

#[test]
fn the_order_is_the_same_whatever_came_first() {
    let order = |texts_in_order: &[&str]| {
        let mut texts = Texts::new(10);
        for text in ["SELECT a", "SELECT b", "SELECT c"] {
            texts.intern_sql(text.as_bytes(), false);
        }
        let mut aggregator = Aggregator::new(Limits::default(), None);
        for text in texts_in_order {
            let text = texts.intern_sql(text.as_bytes(), false);
            let group = aggregator.group(text, "postgresql", None, &peer("10.0.0.1:5432"));
            aggregator.record(group, &request(MS, None));
        }
        aggregator.statements(&texts).into_iter().map(|s| s.text).collect::<Vec<_>>()
    };
    assert_eq!(order(&["SELECT b", "SELECT c", "SELECT a"]), ["SELECT a", "SELECT b", "SELECT c"]);
}

#[test]
fn latencies_of_a_text_are_those_of_all_its_groups() {
    let mut texts = Texts::new(10);
    let mut aggregator = Aggregator::new(Limits::default(), Some(Nanos(10 * MS)));
    let (one, two) = (texts.intern_sql(b"SELECT a", false), texts.intern_sql(b"SELECT b", false));
    for (text, server, latency_ns) in
        [(one, "10.0.0.1:5432", MS), (one, "10.0.0.2:5432", 30 * MS), (two, "10.0.0.1:5432", 2 * MS)]
    {
        let group = aggregator.group(text, "postgresql", None, &peer(server));
        aggregator.record(group, &request(latency_ns, None));
    }
    let shown: Vec<_> = aggregator
        .latencies()
        .into_iter()
        .map(|entry| (entry.text, entry.latency.count(), entry.latency.max_ns(), entry.slow_count))
        .collect();
    assert_eq!(shown, [(one, 2, 30 * MS, 1), (two, 1, 2 * MS, 0)]);
}
