//! Measures what the kernel programs cost, from the kernel's own run-time statistics and from the outside: a process
//! sends itself 100 bytes over a Unix socket pair, traced and not traced, in turn.
//!
//! Prints one JSON object; where the host does not allow the backend, an object that says so. Run as root; `cargo xtask bench`
//! does.

use std::{
    hint::black_box,
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use anyhow::{Context, Result, ensure};
use clap::Parser as _;
use tracer::source::{
    Backend, Source,
    bpf::{Kernel, Limits, ProgramCost, statistics},
};

/// Rounds, traced and not traced in turn; medians are reported.
const ROUNDS: usize = 15;
const TRIPS: u64 = 5_000;
const MESSAGE: [u8; 100] = [b'x'; 100];

#[derive(clap::Parser)]
struct Arguments {
    /// The backend to measure; the best one that works if none is named
    #[arg(long, value_parser = Backend::ALL.map(Backend::name))]
    backend: Option<String>,
}

fn main() -> Result<()> {
    let backend = Arguments::parse().backend.as_deref().and_then(Backend::named);
    let (mut here, mut there) = UnixStream::pair()?;
    let own = std::process::id();
    let untouched_syscall = median(&mut rounds(getppid_ns)?);
    let bare = median(&mut rounds(|| trips(&mut here, &mut there))?);

    let mut kernel = match Kernel::attach(Limits { capture_bytes: 1 << 20, max_targets: 16 }, backend) {
        Err(error) if backend.is_some() => {
            println!("{:#}", serde_json::json!({ "refused": error.to_string() }));
            return Ok(());
        }
        kernel => kernel?,
    };
    let attached_syscall = median(&mut rounds(getppid_ns)?);
    let mut bystander = Vec::new();
    let mut traced = Vec::new();
    for _ in 0..ROUNDS {
        // A fresh pair: the state of a socket that was a target's stays with it.
        let (mut a, mut b) = UnixStream::pair()?;
        bystander.push(trips(&mut a, &mut b)?);
        kernel.targets.insert(own, false);
        traced.push(trips(&mut here, &mut there)?);
        kernel.targets.remove(own);
        kernel.drain(usize::MAX, &mut |record| {
            black_box(record.len());
        })?;
    }
    let _on = statistics().context("the kernel gave no run-time statistics")?;
    let bystander_runs = by_statistics(&mut kernel, || {
        let (mut a, mut b) = UnixStream::pair()?;
        trips(&mut a, &mut b)
    })?;
    kernel.targets.insert(own, false);
    let traced_runs = by_statistics(&mut kernel, || trips(&mut here, &mut there))?;
    kernel.targets.remove(own);
    let lost = kernel.losses().records;

    let (bystander, traced) = (median(&mut bystander), median(&mut traced));
    let report = serde_json::json!({
        "backend": kernel.backend().name(),
        "trip_bare_ns": bare,
        "trip_bystander_ns": bystander,
        "trip_traced_ns": traced,
        "added_per_event_bystander_ns": (bystander - bare) / 2.0,
        "added_per_event_traced_ns": (traced - bare) / 2.0,
        "syscall_bare_ns": untouched_syscall,
        "syscall_attached_ns": attached_syscall,
        "program_bystander_ns": bystander_runs,
        "program_traced_ns": traced_runs,
        "records_lost": lost,
    });
    println!("{report:#}");
    Ok(())
}

fn rounds(mut round: impl FnMut() -> Result<f64>) -> Result<Vec<f64>> {
    (0..ROUNDS).map(|_| round()).collect()
}

/// ns for one message sent and received.
fn trips(here: &mut UnixStream, there: &mut UnixStream) -> Result<f64> {
    let mut answer = [0; MESSAGE.len()];
    let began_ns = cpu_ns()?;
    for _ in 0..TRIPS {
        here.write_all(&MESSAGE)?;
        there.read_exact(&mut answer)?;
    }
    black_box(answer);
    Ok(per_ns(cpu_ns()? - began_ns, TRIPS))
}

/// ns for a system call that touches no socket.
fn getppid_ns() -> Result<f64> {
    const CALLS: u64 = 500_000;
    let began_ns = cpu_ns()?;
    for _ in 0..CALLS {
        black_box(std::os::unix::process::parent_id());
    }
    Ok(per_ns(cpu_ns()? - began_ns, CALLS))
}

/// Time that this thread has had a CPU, in ns: other work on the machine is no part of it.
fn cpu_ns() -> Result<u64> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure outlives the call.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) };
    ensure!(status == 0, "no CPU time: {}", std::io::Error::last_os_error());
    Ok(u64::try_from(now.tv_sec)? * 1_000_000_000 + u64::try_from(now.tv_nsec)?)
}

/// ns a run of the programs that see transfers while `work` goes on, by the kernel's statistics.
fn by_statistics(kernel: &mut Kernel, mut work: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        let before = transfers(&kernel.cost_by_program());
        work()?;
        let after = transfers(&kernel.cost_by_program());
        all.push(per_ns(after.1.saturating_sub(before.1), after.0.saturating_sub(before.0)));
        kernel.drain(usize::MAX, &mut |record| {
            black_box(record.len());
        })?;
    }
    Ok(median(&mut all))
}

fn transfers(programs: &[ProgramCost]) -> (u64, u64) {
    programs
        .iter()
        .filter(|program| !matches!(program.name.as_str(), "fork" | "exec" | "exit" | "tcp_state"))
        .fold((0, 0), |(runs, ns), program| (runs + program.runs, ns + program.run_ns))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn per_ns(ns: u64, count: u64) -> f64 {
    ns as f64 / count.max(1) as f64
}
