//! A live capture from beginning to end: targets, probes, time, and the report of what was seen.
//!
//! This is the shell around the pure pipeline: it alone reads clocks, `/proc` and signals. It never writes to a target.

mod assemble;
mod destination;
mod names;
mod progress;
mod signals;
mod targets;

use std::{
    collections::HashSet,
    net::ToSocketAddrs,
    time::{Duration, Instant},
};

use crate::{
    config::{AttachConfig, PeerHost},
    conn::{Filter, PeerFilter},
    host::{
        clock::{Clock, monotonic},
        target::{MAX_TARGETS, TargetError},
    },
    pipeline::{Pipeline, Settings},
    proto::REGISTRY,
    report::{self, model::EndedBy},
    source::{
        Source, SourceError,
        bpf::{Kernel, Limits, LoadError},
    },
    time::Nanos,
    value,
};
use destination::Output;
use progress::Progress;
use signals::Signals;
use targets::Targets;

/// The ring buffer is looked at this often. A wake-up for each record would cost more than all the rest of it.
const POLL: Duration = Duration::from_millis(5);
/// Records taken before the clock is looked at again.
const BATCH: usize = 16_384;
/// The ring buffer holds at most so many batches: 8 MiB of records of 56 bytes.
const RING_BATCHES: usize = 10;
/// Bookkeeping beside the records: cost, progress, targets that ended.
const HOUSEKEEPING: Duration = Duration::from_millis(50);

/// Why a capture could not be made: one sentence why, one what to do.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// No such process and the like.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Its sockets cannot be listed, so nobody would know which connections were open before.
    #[error(
        "process {pid} may not be looked at without {missing}; run dbtap as root, for instance with sudo, or give it what it lacks"
    )]
    Hidden {
        /// The process.
        pid: u32,
        /// Capabilities that dbtap lacks.
        missing: String,
    },
    /// The kernel side.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The records.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A host name of `--peer`.
    #[error("the name {0} of --peer has no address; give the address itself")]
    Peer(String),
    /// The target table is full.
    #[error(
        "more than {MAX_TARGETS} processes are meant; name fewer, or leave out children with --no-follow"
    )]
    TooManyTargets,
    /// All targets ended before the probes were in place.
    #[error("the process ended before the probes were in place; name one that runs")]
    Gone,
    /// The report could not be written.
    #[error("{0}; the report was not written, name another file with -o")]
    Write(String),
    /// Signals or clocks.
    #[error("{what}: {error}; try again")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        error: std::io::Error,
    },
}

/// How a capture ended, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The report holds everything.
    Complete,
    /// The report says what is missing.
    Incomplete,
}

/// Makes a capture and prints its report.
///
/// # Errors
/// [`CaptureError`]: no report was made.
pub fn run(config: &AttachConfig) -> Result<Finished, CaptureError> {
    let output = Output::open(&config.destination)?;
    let signals = Signals::watch()?;
    let filter = filter(config)?;
    let mut targets = Targets::resolve(config)?;
    targets.check_visible()?;
    let limits = Limits {
        capture_bytes: u64::from(config.capture_bytes),
        max_targets: u32::try_from(MAX_TARGETS).unwrap_or(u32::MAX),
    };
    let mut kernel = Kernel::attach(limits, config.backend)?;
    targets.install(&mut kernel.targets)?;
    let idle = targets.sockets();
    let open_before: HashSet<u64> = idle.iter().map(|socket| socket.facts.inode).collect();
    let clock = Clock::read();
    let mut pipeline = Pipeline::new(Settings {
        protocols: REGISTRY
            .iter()
            .filter(|entry| {
                config.protocols.is_empty() || config.protocols.iter().any(|name| name == entry.name)
            })
            .collect(),
        filter,
        open_before,
        slow: config.slow.map(nanos),
        values: value::Settings { epoch_micros: clock.epoch_micros(), show_values: config.show_values },
        explain: true,
    });
    let began = monotonic();
    let mut progress = Progress::begin(&targets.describe(), config.duration, kernel.backend());
    let ended_by = watch(config, &signals, &mut kernel, &mut pipeline, &mut targets, &mut progress)?;
    let ended = monotonic();
    pipeline.tick(Nanos(u64::MAX));
    progress.end();

    let report = assemble::report(assemble::Parts {
        config,
        pipeline: &mut pipeline,
        targets: &targets,
        kernel: &mut kernel,
        idle: &idle,
        ended_by,
        clock: &clock,
        began,
        ended,
    });
    drop(kernel);
    let complete = report.coverage.complete;
    let form = report::output(&config.format).unwrap_or(report::OUTPUTS[0]);
    output.write(&report, form)?;
    Ok(if complete { Finished::Complete } else { Finished::Incomplete })
}

/// Drains the kernel until the time is over, somebody interrupts, or no target is left.
fn watch(
    config: &AttachConfig,
    signals: &Signals,
    kernel: &mut Kernel,
    pipeline: &mut Pipeline,
    targets: &mut Targets,
    progress: &mut Progress,
) -> Result<EndedBy, CaptureError> {
    let deadline = Instant::now().checked_add(config.duration);
    let mut next_housekeeping = Instant::now();
    loop {
        let ended_by = if signals.interrupted() {
            Some(EndedBy::Interrupt)
        } else if !targets.any_left() {
            Some(EndedBy::TargetExit)
        } else if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some(EndedBy::Duration)
        } else {
            None
        };
        let taken = kernel.drain(BATCH, &mut |record| pipeline.record(record))?;
        for change in pipeline.process_changes() {
            targets.change(change);
        }
        if taken == BATCH && ended_by.is_none() {
            continue;
        }
        if let Some(ended_by) = ended_by {
            // What was in the ring when the end was seen belongs to the capture; of what comes later only so much is
            // taken that the reader can have caught up.
            for _ in 0..RING_BATCHES {
                if kernel.drain(BATCH, &mut |record| pipeline.record(record))? < BATCH {
                    break;
                }
            }
            return Ok(ended_by);
        }
        let now = Instant::now();
        if now >= next_housekeeping {
            next_housekeeping = now + HOUSEKEEPING;
            kernel.sample_cost();
            targets.check(&kernel.targets);
            pipeline.tick(monotonic());
            progress.show(pipeline.totals().0.requests, || kernel.losses().records);
        }
        std::thread::sleep(POLL);
    }
}

fn nanos(duration: Duration) -> Nanos {
    Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// Host names of `--peer` become addresses once, at the beginning.
fn filter(config: &AttachConfig) -> Result<Filter, CaptureError> {
    let mut peers = Vec::new();
    for peer in &config.peers {
        match &peer.host {
            PeerHost::Ip(ip) => peers.push(PeerFilter::Inet(*ip, peer.port)),
            PeerHost::Unix(path) => {
                peers.push(PeerFilter::Unix(path.as_os_str().as_encoded_bytes().to_vec()))
            }
            PeerHost::Name(name) => {
                let found =
                    (name.as_str(), 0).to_socket_addrs().map_err(|_| CaptureError::Peer(name.clone()))?;
                let before = peers.len();
                peers.extend(found.map(|address| PeerFilter::Inet(address.ip().to_canonical(), peer.port)));
                if peers.len() == before {
                    return Err(CaptureError::Peer(name.clone()));
                }
            }
        }
    }
    Ok(Filter { peers })
}
