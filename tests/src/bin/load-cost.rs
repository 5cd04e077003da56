//! What watching costs programs that keep a MariaDB or Redis server busy: `sysbench` and `redis-benchmark`, with dbtap
//! and without in turn; and whether dbtap lost anything of 30 s of pipelines.
//!
//! Prints one JSON object. Run as root; `cargo xtask bench` does.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::{dbtap::Dbtap, mariadb::MariadbServer, redis::RedisServer};

/// Rounds; in each, every load runs once without dbtap and once with it.
const ROUNDS: usize = 3;
/// Seconds of each run.
const SECONDS: u64 = 8;
/// Seconds of pipelines over which losses are counted.
const LONG_SECONDS: u64 = 30;

/// A load, and how its rate is read from what it prints.
struct Load<'a> {
    name: &'static str,
    command: &'a dyn Fn() -> Command,
    rate: fn(&str) -> Option<f64>,
}

fn main() -> Result<()> {
    let mariadb = MariadbServer::start(&[])?;
    mariadb.sql("CREATE DATABASE sbtest")?;
    let sysbench = |command: &str| {
        let mut sysbench = Command::new("sysbench");
        sysbench.args(["oltp_read_write", "--db-driver=mysql", "--mysql-user=root", "--tables=2"]);
        sysbench.args(["--table-size=10000", "--threads=2", &format!("--time={SECONDS}")]);
        sysbench.arg(format!("--mysql-socket={}", mariadb.socket().display())).arg(command);
        sysbench
    };
    let prepared = sysbench("prepare").stdout(Stdio::null()).status()?;
    ensure!(prepared.success(), "sysbench prepare failed");
    let redis = RedisServer::start(&[])?;
    // More requests than any machine answers in the time: `timeout` ends it, and its last line of progress has the rate.
    let benchmark = |pipeline: &str, seconds: u64| {
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", &seconds.to_string(), "redis-benchmark", "-p"]);
        command.arg(redis.port().to_string());
        command.args(["-c", "8", "-P", pipeline, "-r", "100000", "-n", "1000000000", "-t", "get"]);
        command
    };
    let loads = [
        Load { name: "sysbench oltp_read_write", command: &|| sysbench("run"), rate: transactions },
        Load { name: "redis-benchmark -P 1", command: &|| benchmark("1", SECONDS), rate: overall },
        Load { name: "redis-benchmark -P 16", command: &|| benchmark("16", SECONDS), rate: overall },
    ];
    let mut report = serde_json::Map::new();
    for load in &loads {
        let (mut without, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let bare = run(load, false)?;
            ratios.push(run(load, true)? / bare);
            without.push(bare);
        }
        let numbers = serde_json::json!({ "without": median(&mut without), "ratio": median(&mut ratios) });
        report.insert(load.name.to_owned(), numbers);
    }
    let before = redis.command_stats()?["get"].calls;
    let mut child = spawn(&mut benchmark("16", LONG_SECONDS))?;
    let running = Dbtap::attach(child.id())?.start()?;
    child.wait()?;
    std::thread::sleep(Duration::from_millis(500));
    let found = running.interrupt()?.report()?;
    report.insert(
        "pipelines".to_owned(),
        serde_json::json!({
            "requests": found.coverage.requests,
            "events_lost": found.coverage.events_lost,
            "answers_unmatched": found.coverage.answers_unmatched,
            "commandstats": redis.command_stats()?["get"].calls - before,
            "peak_rss_kib": found.cost.dbtap_rss_bytes / 1024,
        }),
    );
    println!("{:#}", serde_json::Value::Object(report));
    Ok(())
}

fn spawn(command: &mut Command) -> Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().with_context(|| format!("{} did not start", command.get_program().to_string_lossy()))
}

/// The rate of one run.
fn run(load: &Load<'_>, watched: bool) -> Result<f64> {
    let child = spawn(&mut (load.command)())?;
    let dbtap = if watched { Some(Dbtap::attach(child.id())?.start()?) } else { None };
    let said = child.wait_with_output()?.stdout;
    if let Some(dbtap) = dbtap {
        let found = dbtap.interrupt()?.report()?;
        ensure!(found.coverage.requests > 0, "dbtap saw nothing of {}", load.name);
    }
    let said = String::from_utf8_lossy(&said);
    (load.rate)(&said).with_context(|| format!("{} told no rate: {said}", load.name))
}

/// `    transactions:                        12345  (1234.50 per sec.)`
fn transactions(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.trim_start().starts_with("transactions:"))?;
    line.split_once('(')?.1.split(' ').next()?.parse().ok()
}

/// `GET: rps=102345.6 (overall: 101234.5) avg_msec=0.1 (overall: 0.1)`, one after the other on the same line.
fn overall(said: &str) -> Option<f64> {
    let (_, last) = said.rsplit_once("rps=")?;
    last.split_once("overall: ")?.1.split(')').next()?.parse().ok()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
