//! redis-benchmark: as much as the server can, without a loss, and counted exactly.

use std::process::Command;

use tests::redis::RedisServer;
use tests::whole::watch;

use crate::expected::{Expected, check};

fn benchmark(server: &RedisServer, options: &[&str]) -> Command {
    let mut command = server.command("redis-benchmark");
    command.args(["-q", "-r", "100000"]).args(options);
    command
}

#[test]
fn every_request_of_a_benchmark_is_counted() {
    let server = RedisServer::start(&[]).unwrap();
    for (options, requests) in [
        (&["-n", "50000", "-c", "50", "-P", "1", "-t", "set,get"][..], 100_000),
        (&["-n", "200000", "-c", "50", "-P", "16", "-t", "set,get"][..], 400_000),
        (&["-n", "200000", "-c", "4", "-P", "500", "-t", "set,get"][..], 400_000),
        (
            &[
                "-n",
                "20000",
                "-c",
                "10",
                "-P",
                "4",
                "-t",
                "ping_inline,ping_mbulk,incr,lpush,hset,mset,lrange_100",
            ][..],
            160_000,
        ),
    ] {
        println!("redis-benchmark {options:?}");
        server.forget().unwrap();
        let (ended, output) = watch(&benchmark(&server, options)).unwrap();
        println!("{}", output.success().unwrap());
        let expected = Expected::of_server(&server);
        let report = check(&ended, &expected);
        let own = expected.count("config") + expected.count("command");
        assert_eq!(report.coverage.requests - own, requests, "{expected:?}");
        println!("{:?} {:?}", report.coverage, report.cost);
    }
}
