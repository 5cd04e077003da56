//! What watching costs a busy process: `pgbench -S` with nothing, dbtap, and other tools that do the nearest thing, in
//! turn. Also dbtap's memory over a long run, and the time until it is attached.
//!
//! Prints one JSON object. Run as root; `cargo xtask bench` does.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tests::{dbtap::Dbtap, postgres::PostgresServer};

/// Rounds; in each, every tool has its turn.
const ROUNDS: usize = 3;
/// Seconds of pgbench in each turn, and how many at its beginning are left out while the tool attaches.
const SECONDS: u64 = 8;
const LEFT_OUT: usize = 3;
/// Seconds of pgbench over which memory is watched.
const LONG_SECONDS: u64 = 60;
const STARTS: usize = 11;

/// Tools in the order of their turns. `None` watches nothing.
const TOOLS: &[&str] = &["none", "dbtap", "bpftrace", "perf trace", "strace"];

fn main() -> Result<()> {
    let server = PostgresServer::start(&[("max_connections", "50")])?;
    let status = server.command("pgbench").args(["-i", "-q", "-s", "5"]).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "pgbench -i failed");

    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); TOOLS.len()];
    let mut bare = Vec::new();
    for _ in 0..ROUNDS {
        let mut none = 0.0;
        for (tool, ratios) in TOOLS.iter().zip(&mut ratios) {
            let tps = turn(&server, tool)?;
            if *tool == "none" {
                none = tps;
                bare.push(tps);
            }
            ratios.push(tps / none);
        }
    }
    let ratios: serde_json::Map<String, serde_json::Value> = TOOLS
        .iter()
        .zip(&mut ratios)
        .map(|(tool, ratios)| ((*tool).to_owned(), median(ratios).into()))
        .collect();
    let (peak_kib, lost, requests) = long_run(&server)?;
    let report = serde_json::json!({
        "tps_without": median(&mut bare),
        "ratio": ratios,
        "peak_rss_kib": peak_kib,
        "events_lost": lost,
        "requests": requests,
        "attach_ms": median(&mut attach_times()?),
    });
    println!("{report:#}");
    Ok(())
}

fn pgbench(server: &PostgresServer, seconds: u64) -> Result<Child> {
    let seconds = seconds.to_string();
    let mut command = server.command("pgbench");
    command.args(["-S", "-n", "-c", "2", "-j", "2", "-P", "1", "-T", &seconds]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("pgbench did not start")
}

/// Transactions a second of one turn, from pgbench's own progress lines.
fn turn(server: &PostgresServer, tool: &str) -> Result<f64> {
    let mut load = pgbench(server, SECONDS)?;
    let stderr = load.stderr.take().context("no progress of pgbench")?;
    let watcher = start(tool, load.id())?;
    let mut rates = Vec::new();
    for line in BufReader::new(stderr).lines() {
        // progress: 1.0 s, 23456.7 tps, lat 0.085 ms stddev 0.012, 0 failed
        let line = line?;
        let rate = line.split(',').find_map(|part| part.trim().strip_suffix(" tps")?.parse::<f64>().ok());
        rates.extend(rate);
    }
    load.wait()?;
    if let Some(mut watcher) = watcher {
        // The tools end with their target or are ended; what they printed is thrown away.
        let pid = watcher.id().to_string();
        Command::new("kill").args(["-INT", &pid]).stderr(Stdio::null()).status()?;
        watcher.wait()?;
    }
    let mut counted: Vec<f64> = rates.into_iter().skip(LEFT_OUT).collect();
    ensure!(!counted.is_empty(), "pgbench told no rates beside {tool}");
    Ok(median(&mut counted))
}

fn start(tool: &str, pid: u32) -> Result<Option<Child>> {
    let pid = pid.to_string();
    let mut command = match tool {
        "none" => return Ok(None),
        "dbtap" => {
            let mut command = Command::new(tests::dbtap::binary()?);
            command.args(["attach", &pid, "--duration", "60s"]);
            command
        }
        // Two syscall probes, a map and a histogram: latency of each send until the next receive of the thread.
        "bpftrace" => {
            let mut command = Command::new("bpftrace");
            command.arg("-e").arg(format!(
                "tracepoint:syscalls:sys_enter_sendto /pid == {pid}/ {{ @s[tid] = nsecs; }} \
                 tracepoint:syscalls:sys_exit_recvfrom /pid == {pid} && @s[tid]/ {{ @ns = hist(nsecs - @s[tid]); delete(@s[tid]); }}"
            ));
            command
        }
        "perf trace" => {
            let mut command = Command::new("perf");
            command.args(["trace", "-p", &pid, "-e", "sendto,recvfrom", "-o", "/dev/null"]);
            command
        }
        _ => {
            let mut command = Command::new("strace");
            command.args(["-f", "-p", &pid, "-e", "trace=sendto,recvfrom", "-o", "/dev/null"]);
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().with_context(|| format!("{tool} did not start")).map(Some)
}

/// Peak memory of dbtap in KiB, events lost, requests seen.
fn long_run(server: &PostgresServer) -> Result<(u64, u64, u64)> {
    let mut load = pgbench(server, LONG_SECONDS)?;
    let running = Dbtap::attach(load.id())?.start()?;
    let mut peak = 0;
    let end = Instant::now() + Duration::from_secs(LONG_SECONDS - 2);
    while Instant::now() < end {
        sleep(Duration::from_millis(500));
        peak = peak.max(peak_rss_kib(running.pid()).unwrap_or(0));
    }
    let report = running.interrupt()?.report()?;
    load.kill()?;
    load.wait()?;
    ensure!(peak > 0, "no memory figure of dbtap was read");
    Ok((peak, report.coverage.events_lost, report.coverage.requests))
}

fn peak_rss_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// From starting dbtap to its line that says `attached`, in ms.
fn attach_times() -> Result<Vec<f64>> {
    let mut target = Command::new("sleep").arg("600").spawn()?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        let mut dbtap = Command::new(tests::dbtap::binary()?)
            .args(["attach", &target.id().to_string(), "--duration", "100ms"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(dbtap.stderr.take().context("no stderr")?).read_line(&mut line)?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(line.starts_with("attached"), "dbtap did not attach: {line}");
        dbtap.wait()?;
    }
    target.kill()?;
    target.wait()?;
    Ok(times)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
