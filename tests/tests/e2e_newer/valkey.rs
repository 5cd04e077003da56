//! Valkey 8 with its own client and benchmark.

use std::collections::BTreeMap;

use tests::redis::RedisServer;
use tests::whole::{Gaps, complete, lines, watch};
use tracer::report::model::Report;

use crate::one_at_a_time;

/// Requests by command, in lower case.
fn found(report: &Report) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for statement in &report.statements {
        let name = statement.text.split(' ').next().unwrap_or_default().to_lowercase();
        *found.entry(name).or_default() += statement.count;
    }
    found
}

/// What the server counted, without the test's own question.
fn counted(server: &RedisServer) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for (name, stats) in server.command_stats().unwrap() {
        let name = name.split('|').next().unwrap_or_default().to_owned();
        *counted.entry(name).or_default() += stats.calls + stats.rejected;
    }
    let own = counted.get_mut("config").unwrap();
    *own -= 1;
    counted.retain(|_, count| *count > 0);
    counted
}

#[test]
fn the_benchmark_and_the_client_count_as_the_server_counts() {
    let _one = one_at_a_time();
    let server = RedisServer::start_valkey(&[]).unwrap();
    println!("{}", server.cli(["INFO", "server"]).unwrap().lines().take(3).collect::<String>());
    let mut benchmark = server.command("redis-benchmark");
    benchmark.args([
        "-q",
        "-n",
        "50000",
        "-c",
        "20",
        "-P",
        "16",
        "-r",
        "10000",
        "-t",
        "set,get,incr,lpush,hset",
    ]);
    let mut client = server.command("redis-cli");
    client.args(["-3", "-r", "300", "GET", "key:000000000001"]);
    for (client, least) in [(benchmark, 250_000), (client, 300)] {
        server.forget().unwrap();
        let (ended, output) = watch(&client).unwrap();
        output.success().unwrap();
        let report = ended.report().unwrap();
        complete(&ended, Gaps::default()).unwrap();
        assert_eq!(found(&report), counted(&server), "left: report, right: server; {:#?}", lines(&report));
        assert!(report.coverage.requests >= least);
    }
}
