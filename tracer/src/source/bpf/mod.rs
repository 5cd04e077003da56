//! The kernel as a source: loads the programs, attaches them, and drains the ring buffer.
//!
//! Never changes a target; everything here ends with this process, also when it is killed: programs and maps are held by
//! file descriptors only and nothing is pinned.

mod attach;
mod cost;
mod hooks;
mod self_test;
mod settings;
mod targets;

use std::{
    os::fd::{AsFd, AsRawFd},
    path::Path,
};

use aya::{
    Ebpf,
    maps::{Array, MapData, PerCpuArray, RingBuf},
};
use tracer_ebpf::{Settings, counter};

pub use cost::{Cost, ProgramCost, statistics};
pub use targets::TargetTable;

use hooks::Parts;

use super::{Backend, Losses, Source, SourceError};
use crate::host::btf::{Btf, BtfError, KERNEL_BTF};

/// Why the kernel side could not be set up. Each says the remedy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Type information is missing.
    #[error("{0}")]
    Btf(#[from] BtfError),
    /// A tracepoint is missing.
    #[error(
        "this kernel has no tracepoint {0}; choose another backend, or leave the choice to dbtap with --backend auto"
    )]
    NoTracepoint(&'static str),
    /// A kernel function is missing, or the compiler has put it into its callers.
    #[error(
        "programs cannot be attached to a function {0} on this kernel; choose another backend, or leave the choice to dbtap with --backend auto"
    )]
    NoFunction(&'static str),
    /// A kernel function is not the one that is known here.
    #[error(
        "this kernel's function {name} has {found} arguments and not {expected}; choose another backend, and report the kernel version to the dbtap project"
    )]
    OtherFunction {
        /// Its name.
        name: &'static str,
        /// Arguments in this kernel.
        found: u32,
        /// Arguments in the kernels that dbtap knows.
        expected: u32,
    },
    /// It would be dangerous.
    #[error(
        "this kernel can crash when a program is taken off a function that a thread waits in; update it to Linux 5.12 or a later 5.10, or choose another backend"
    )]
    UnsafeFunctions,
    /// No program on a function, whoever asks.
    #[error(
        "this kernel refuses programs on its functions ({0}); choose another backend, or leave the choice to dbtap with --backend auto"
    )]
    FunctionsRefused(String),
    /// Before Linux 5.11.
    #[error(
        "the kernel gave dbtap no memory for its tables ({reason}); the limit of locked memory is {bytes} bytes: raise it with `ulimit -l unlimited`, or give dbtap CAP_SYS_RESOURCE"
    )]
    LockedMemory {
        /// The limit.
        bytes: u64,
        /// The kernel's refusal.
        reason: String,
    },
    /// Each backend was refused.
    #[error(
        "this kernel allows none of dbtap's ways to see socket traffic ({0}); `dbtap doctor` says what is missing"
    )]
    NoBackend(String),
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
    backend: Backend,
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
    /// With `only` this backend or none, else the first that works.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn attach(limits: Limits, only: Option<Backend>) -> Result<Self, LoadError> {
        let own_btf = Btf::load(Path::new(KERNEL_BTF))?;
        let settings = settings::read(&own_btf, limits)?;
        // Parsing it is the longest part of starting, so once is enough.
        let btf = aya::Btf::from_sys_fs().map_err(LoadError::kernel)?;
        let mut refusals = Vec::new();
        for backend in Backend::ALL.into_iter().filter(|backend| only.is_none_or(|only| only == *backend)) {
            let parts = Parts::of(backend, &own_btf);
            let tried = attach::check(parts, &own_btf)
                .and_then(|()| Self::attach_backend((backend, parts), settings, limits, (&btf, &own_btf)));
            match tried {
                Ok(kernel) => return Ok(kernel),
                Err(error) if only.is_some() => return Err(error),
                // Without privileges every backend is refused, for the same reason.
                Err(error @ LoadError::Refused(_)) if !may_load() => return Err(error),
                Err(error) => refusals.push(format!("{}: {error}", backend.name())),
            }
        }
        Err(LoadError::NoBackend(refusals.join("; ")))
    }

    fn attach_backend(
        (backend, parts): (Backend, Parts),
        settings: Settings,
        limits: Limits,
        (btf, own_btf): (&aya::Btf, &Btf),
    ) -> Result<Self, LoadError> {
        let mut ebpf = attach::load(backend, parts, settings, btf)?;
        let ring = RingBuf::try_from(take(&mut ebpf, "RECORDS")?).map_err(LoadError::kernel)?;
        let counters = PerCpuArray::try_from(take(&mut ebpf, "COUNTERS")?).map_err(LoadError::kernel)?;
        let count = Array::try_from(take(&mut ebpf, "TARGET_COUNT")?).map_err(LoadError::kernel)?;
        let table = take(&mut ebpf, "TARGETS")?;
        let targets = TargetTable::map(table, count, limits.max_targets)?;
        let cost = Cost::default();
        let mut kernel = Self { backend, ebpf, ring, counters, targets, cost };
        attach::attach(parts, &mut kernel.ebpf, btf, own_btf)?;
        self_test::run(&mut kernel)?;
        Ok(kernel)
    }

    /// The way in which it sees traffic.
    pub fn backend(&self) -> Backend {
        self.backend
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

/// Root, or the capabilities that it takes, as far as loading goes.
fn may_load() -> bool {
    crate::host::kernel::Kernel::read().capabilities.has(crate::host::kernel::CAP_BPF)
}

fn recursion_misses(program: &aya::programs::Program) -> Option<u64> {
    let descriptor = attach::descriptor(program)?.as_fd().as_raw_fd();
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("recursion_misses:")?.trim().parse().ok())
}

fn take(ebpf: &mut Ebpf, name: &str) -> Result<aya::maps::Map, LoadError> {
    ebpf.take_map(name).ok_or_else(|| LoadError::Kernel(format!("the kernel object lacks the map {name}")))
}
