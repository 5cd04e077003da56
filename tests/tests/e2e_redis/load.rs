//! redis-benchmark: as much as the server can, without a loss, and counted exactly.

use std::process::Command;

use tests::redis::RedisServer;
use tests::whole::watch;

use crate::expected::{Expected, check};
use crate::{alone, shared};

fn benchmark(server: &RedisServer, options: &[&str]) -> Command {
    let mut command = server.command("redis-benchmark");
    command.args(["-q", "-r", "100000"]).args(options);
    command
}

#[test]
fn every_request_of_a_benchmark_is_counted() {
    let _alone = alone();
    let server = RedisServer::start(&[]).unwrap();
    for (options, requests) in [
        (&["-n", "50000", "-c", "50", "-P", "1", "-t", "set,get"][..], 100_000),
        (&["-n", "200000", "-c", "50", "-P", "16", "-t", "set,get"][..], 400_000),
        (&["-n", "200000", "-c", "4", "-P", "500", "-t", "set,get"][..], 400_000),
        (
            &["-n", "20000", "-c", "10", "-P", "4", "-t", "ping_mbulk,incr,lpush,hset,mset,lrange_100"][..],
            140_000,
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

/// Case 41: inline commands, and nothing else on the connection.
#[test]
fn inline_commands_alone_are_recognised() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) =
        watch(&benchmark(&server, &["-n", "5000", "-c", "5", "-t", "ping_inline"])).unwrap();
    output.success().unwrap();
    check(&ended, &Expected::of_server(&server));
}
