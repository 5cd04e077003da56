//! A cluster of two: redirections are answers with an error, counted by code as the servers count them.

use std::process::Command;
use std::time::{Duration, Instant};

use tests::daemon::free_port;
use tests::redis::RedisServer;
use tests::whole::{Gaps, complete, lines, watch};

use crate::expected::Expected;
use crate::shared;

/// The slots of `hello` and `foo` (CRC16 of the key, modulo 16384): one on each server.
const HELLO_SLOT: &str = "866";

struct Node {
    server: RedisServer,
    id: String,
    bus: u16,
}

fn node(epoch: &str, first: &str, last: &str) -> Node {
    let bus = free_port().unwrap();
    let server =
        RedisServer::start(&["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()]).unwrap();
    server.cli(["CLUSTER", "SET-CONFIG-EPOCH", epoch]).unwrap();
    server.cli(["CLUSTER", "ADDSLOTSRANGE", first, last]).unwrap();
    let id = server.cli(["CLUSTER", "MYID"]).unwrap().trim().to_owned();
    Node { server, id, bus }
}

/// Two servers that know each other.
fn cluster() -> [Node; 2] {
    let nodes = [node("1", "0", "8191"), node("2", "8192", "16383")];
    let [one, other] = &nodes;
    let (port, bus) = (other.server.port().to_string(), other.bus.to_string());
    one.server.cli(["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    for node in &nodes {
        while !node.server.cli(["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok") {
            assert!(Instant::now() < deadline, "the servers do not find each other");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    nodes
}

#[test]
fn redirections_are_counted_as_the_servers_count_them() {
    let _shared = shared();
    let nodes = cluster();
    let [one, other] = &nodes;
    one.server.cli(["CLUSTER", "SETSLOT", HELLO_SLOT, "MIGRATING", &other.id]).unwrap();
    other.server.cli(["CLUSTER", "SETSLOT", HELLO_SLOT, "IMPORTING", &one.id]).unwrap();
    nodes.iter().for_each(|node| node.server.forget().unwrap());
    // SET foo: MOVED to the other one. GET hello, asked there: MOVED back, then ASK, which it has not got either.
    let script = format!(
        "printf 'SET foo 1\\nGET hello\\nGET foo\\n' | redis-cli -c -h 127.0.0.1 -p {}",
        one.server.port()
    );
    let (ended, output) = watch(Command::new("sh").args(["-c", &script])).unwrap();
    output.success().unwrap();
    let expected = nodes.iter().map(|node| Expected::of_server(&node.server)).reduce(Expected::with).unwrap();
    let report = complete(&ended, Gaps::default()).unwrap();
    assert_eq!(Expected::of_report(&report), expected, "left: report, right: servers; {:#?}", lines(&report));
    assert_eq!((expected.error("MOVED"), expected.error("ASK")), (2, 1), "{expected:?}");
    assert_eq!((expected.count("asking"), expected.count("get"), expected.count("set")), (1, 4, 2));
}
