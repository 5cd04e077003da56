//! The bodies of the fuzz targets, apart from libFuzzer: plain functions from bytes to nothing, which panic where an
//! invariant is broken. `tracer/tests/fuzz_regressions.rs` includes this file and replays every committed input.

mod bind;
mod btf;
mod decode;
mod http;
mod memcached;
pub mod mysql;
mod normalize;
pub mod observer;
pub mod postgres;
mod recording;
#[path = "../../tracer/tests/records/mod.rs"]
pub mod records;
pub mod redis;
pub mod seeds;

/// A target: its name, what it does with an input, and inputs to begin with.
pub struct Target {
    /// Name of the program in `fuzz_targets` and of the folders with its inputs.
    pub name: &'static str,
    /// The protocol of the registry that it feeds, where it feeds one alone.
    pub protocol: Option<&'static str>,
    /// Reads one input.
    pub run: fn(&[u8]),
    /// Small inputs that lead into the interesting places.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "decode", protocol: None, run: decode::run, seeds: seeds::records },
    Target {
        name: "postgres_client",
        protocol: Some("postgresql"),
        run: postgres::client,
        seeds: seeds::postgres_client,
    },
    Target {
        name: "postgres_server",
        protocol: Some("postgresql"),
        run: postgres::server,
        seeds: seeds::postgres_server,
    },
    Target { name: "mysql_client", protocol: Some("mysql"), run: mysql::client, seeds: mysql::client_seeds },
    Target { name: "mysql_server", protocol: Some("mysql"), run: mysql::server, seeds: mysql::server_seeds },
    Target {
        name: "memcached_client",
        protocol: Some("memcached"),
        run: memcached::client,
        seeds: memcached::client_seeds,
    },
    Target {
        name: "memcached_server",
        protocol: Some("memcached"),
        run: memcached::server,
        seeds: memcached::server_seeds,
    },
    http::ELASTICSEARCH_CLIENT,
    http::ELASTICSEARCH_SERVER,
    http::OPENSEARCH_CLIENT,
    http::OPENSEARCH_SERVER,
    http::CLICKHOUSE_CLIENT,
    http::CLICKHOUSE_SERVER,
    http::HTTP_CLIENT,
    http::HTTP_SERVER,
    Target { name: "redis_client", protocol: Some("redis"), run: redis::client, seeds: redis::client_seeds },
    Target { name: "redis_server", protocol: Some("redis"), run: redis::server, seeds: redis::server_seeds },
    Target { name: "bind", protocol: None, run: bind::run, seeds: bind::seeds },
    Target { name: "normalize", protocol: None, run: normalize::run, seeds: seeds::statements },
    Target { name: "recording", protocol: None, run: recording::run, seeds: seeds::recordings },
    Target { name: "btf", protocol: None, run: btf::run, seeds: seeds::btf },
];

/// Runs one input on a target. An unknown name does nothing.
pub fn run(name: &str, data: &[u8]) {
    if let Some(target) = TARGETS.iter().find(|target| target.name == name) {
        (target.run)(data);
    }
}
