//! The kernel as a source: loads the programs, attaches them, and drains the ring buffer.
//!
//! Never changes a target; everything here ends with this process, also when it is killed: programs and maps are held by
//! file descriptors only and nothing is pinned.

mod cost;
mod self_test;
mod settings;
mod targets;

use std::{
    os::fd::{AsFd, AsRawFd},
    path::Path,
};

use aya::{
    Ebpf, EbpfLoader, VerifierLogLevel,
    maps::{Array, MapData, PerCpuArray, RingBuf},
    programs::BtfTracePoint,
};
use tracer_ebpf::{Settings, counter};

pub use cost::{Cost, ProgramCost, statistics};
pub use targets::TargetTable;

use super::{Losses, Source, SourceError};
use crate::host::btf::{Btf, BtfError, KERNEL_BTF};

/// The kernel object, built by this crate's build script.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/dbtap-socket.o"));

/// Size of the ring buffer. About 25,000 small records: half a second of a busy process without a reader.
const RING_BYTES: u32 = 8 << 20;

/// The programs and their tracepoints, in the order of attaching: the target table is kept true before traffic is seen.
const PROGRAMS: &[(&str, &str)] = &[
    ("fork", "sched_process_fork"),
    ("exec", "sched_process_exec"),
    ("exit", "sched_process_exit"),
    ("tcp_state", "inet_sock_set_state"),
    ("send", "sock_send_length"),
    ("receive", "sock_recv_length"),
];

/// Why the kernel side could not be set up. Each says the remedy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Type information is missing.
    #[error("{0}")]
    Btf(#[from] BtfError),
    /// The socket tracepoints are missing.
    #[error("this kernel has no tracepoint {0}; dbtap needs Linux 6.3 or newer (see `dbtap doctor`)")]
    NoTracepoint(&'static str),
    /// Root is needed.
    #[error("the kernel refused dbtap ({0}); run it as root, for instance with sudo")]
    Refused(String),
    /// Anything else.
    #[error("the kernel did not take dbtap's programs: {0}; run `dbtap doctor` for what this host allows")]
    Kernel(String),
    /// The programs are attached and do not see what they must.
    #[error(
        "the probes are in place, but they did not see dbtap's own test message; its numbers could not be trusted: {0}"
    )]
    SelfTest(String),
    /// A `/proc` or memory operation failed.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        error: std::io::Error,
    },
}

impl LoadError {
    fn kernel(error: impl std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        let mut refused = false;
        while let Some(cause) = source {
            refused |= cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|cause| cause.kind() == std::io::ErrorKind::PermissionDenied);
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        if refused { Self::Refused(text) } else { Self::Kernel(text) }
    }
}

/// Limits of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes copied in one direction of a connection until the direction turns.
    pub capture_bytes: u64,
    /// Most processes followed at once.
    pub max_targets: u32,
}

/// The attached programs.
pub struct Kernel {
    ebpf: Ebpf,
    ring: RingBuf<MapData>,
    counters: PerCpuArray<MapData, u64>,
    /// Which processes are traced.
    pub targets: TargetTable,
    /// What the programs cost.
    pub cost: Cost,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").finish_non_exhaustive()
    }
}

impl Kernel {
    /// Loads and attaches everything, and proves with a message of its own that it sees traffic. No process is traced yet.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn attach(limits: Limits) -> Result<Self, LoadError> {
        let own_btf = Btf::load(Path::new(KERNEL_BTF))?;
        for (_, tracepoint) in PROGRAMS {
            if !own_btf.has_typedef(&format!("btf_trace_{tracepoint}")) {
                return Err(LoadError::NoTracepoint(tracepoint));
            }
        }
        let settings = settings::read(&own_btf, limits)?;
        drop(own_btf);
        // Parsing it is the longest part of starting, so once is enough.
        let btf = aya::Btf::from_sys_fs().map_err(LoadError::kernel)?;
        let mut ebpf = load(settings, &btf)?;
        let ring = RingBuf::try_from(take(&mut ebpf, "RECORDS")?).map_err(LoadError::kernel)?;
        let counters = PerCpuArray::try_from(take(&mut ebpf, "COUNTERS")?).map_err(LoadError::kernel)?;
        let count = Array::try_from(take(&mut ebpf, "TARGET_COUNT")?).map_err(LoadError::kernel)?;
        let table = take(&mut ebpf, "TARGETS")?;
        let targets = TargetTable::map(table, count, limits.max_targets)?;
        let cost = Cost::default();
        let mut kernel = Self { ebpf, ring, counters, targets, cost };
        kernel.attach_programs(&btf)?;
        drop(btf);
        self_test::run(&mut kernel)?;
        Ok(kernel)
    }

    fn attach_programs(&mut self, btf: &aya::Btf) -> Result<(), LoadError> {
        for (name, tracepoint) in PROGRAMS {
            let program: &mut BtfTracePoint = self
                .ebpf
                .program_mut(name)
                .ok_or_else(|| LoadError::Kernel(format!("the kernel object lacks the program {name}")))?
                .try_into()
                .map_err(LoadError::kernel)?;
            program.load(tracepoint, btf).map_err(LoadError::kernel)?;
            program.attach().map_err(LoadError::kernel)?;
        }
        Ok(())
    }

    /// What each program has cost while the kernel's statistics were on.
    pub fn cost_by_program(&self) -> Vec<ProgramCost> {
        cost::by_program(&self.ebpf).collect()
    }

    /// Takes a sample of what the programs cost; call it a few times a second.
    pub fn sample_cost(&mut self) {
        self.cost.sample(&self.ebpf);
    }

    /// Runs that the kernel left out because the same program was already running on that CPU: `recursion_misses` of
    /// `/proc/self/fdinfo` (kernel/bpf/syscall.c, `bpf_prog_show_fdinfo`). Each may be a transfer that was not seen.
    fn runs_left_out(&self) -> u64 {
        self.ebpf.programs().filter_map(|(_, program)| recursion_misses(program)).sum()
    }

    fn counter(&self, index: u32) -> u64 {
        self.counters.get(&index, 0).map_or(0, |values| values.iter().sum())
    }
}

impl Source for Kernel {
    fn drain(&mut self, most: usize, sink: &mut dyn FnMut(&[u8])) -> Result<usize, SourceError> {
        let mut count = 0;
        while count < most {
            let Some(record) = self.ring.next() else { break };
            sink(&record);
            count += 1;
        }
        Ok(count)
    }

    fn losses(&self) -> Losses {
        Losses {
            records: self.counter(counter::LOST_RECORDS).saturating_add(self.runs_left_out()),
            bytes: self.counter(counter::LOST_BYTES),
            targets_refused: self.counter(counter::TARGETS_REFUSED),
            sockets_refused: self.counter(counter::SOCKETS_REFUSED),
        }
    }
}

/// [`Settings`] as the loader wants it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct SettingsBytes(Settings);

// SAFETY: `Settings` is repr(C) without padding (asserted beside it) and holds integers only.
unsafe impl aya::Pod for SettingsBytes {}

fn load(settings: Settings, btf: &aya::Btf) -> Result<Ebpf, LoadError> {
    EbpfLoader::new()
        .btf(Some(btf))
        .verifier_log_level(VerifierLogLevel::STATS)
        .map_max_entries("RECORDS", RING_BYTES)
        .map_max_entries("TARGETS", targets::entries()?)
        .override_global("SETTINGS", &SettingsBytes(settings), true)
        .load(OBJECT)
        .map_err(LoadError::kernel)
}

fn recursion_misses(program: &aya::programs::Program) -> Option<u64> {
    let aya::programs::Program::BtfTracePoint(program) = program else { return None };
    let descriptor = program.fd().ok()?.as_fd().as_raw_fd();
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("recursion_misses:")?.trim().parse().ok())
}

fn take(ebpf: &mut Ebpf, name: &str) -> Result<aya::maps::Map, LoadError> {
    ebpf.take_map(name).ok_or_else(|| LoadError::Kernel(format!("the kernel object lacks the map {name}")))
}
