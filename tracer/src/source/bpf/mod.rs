//! The kernel as a source: loads the programs, attaches them, and drains the ring buffer.
//!
//! Never changes a target; everything here ends with this process, also when it is killed: programs and maps are held by
//! file descriptors only and nothing is pinned.

mod attach;
mod cost;
mod error;
mod hooks;
mod memory_lock;
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
pub use error::LoadError;
pub use targets::TargetTable;

use hooks::Parts;

use super::{Backend, Losses, Source, SourceError};
use crate::host::{
    btf::{Btf, KERNEL_BTF},
    kernel::Kernel as Host,
};

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
        let start = Start::read(limits)?;
        let mut refusals = Vec::new();
        for backend in Backend::ALL.into_iter().filter(|backend| only.is_none_or(|only| only == *backend)) {
            match start.attach(backend) {
                Ok(kernel) => return Ok(kernel),
                Err(error) if only.is_some() || error.concerns_all() => return Err(error),
                Err(error) => refusals.push((backend, error.reason())),
            }
        }
        Err(LoadError::NoBackend(refusals))
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

/// What every backend needs before its programs are loaded.
struct Start {
    own_btf: Btf,
    btf: aya::Btf,
    settings: Settings,
    limits: Limits,
}

impl Start {
    fn read(limits: Limits) -> Result<Self, LoadError> {
        let own_btf = Btf::load(Path::new(KERNEL_BTF))?;
        let settings = settings::read(&own_btf, limits)?;
        // Parsing it is the longest part of starting, so once is enough.
        let btf = aya::Btf::from_sys_fs().map_err(LoadError::kernel)?;
        Ok(Self { own_btf, btf, settings, limits })
    }

    fn attach(&self, backend: Backend) -> Result<Kernel, LoadError> {
        let parts = Parts::of(backend, &self.own_btf);
        attach::check(parts, &self.own_btf)?;
        memory_lock::raise();
        self.load_and_attach(backend, parts).map_err(|error| error.explained(&Host::read()))
    }

    fn load_and_attach(&self, backend: Backend, parts: Parts) -> Result<Kernel, LoadError> {
        let mut ebpf = attach::load(parts, self.settings, &self.btf)?;
        let ring = RingBuf::try_from(take(&mut ebpf, "RECORDS")?).map_err(LoadError::kernel)?;
        let counters = PerCpuArray::try_from(take(&mut ebpf, "COUNTERS")?).map_err(LoadError::kernel)?;
        let count = Array::try_from(take(&mut ebpf, "TARGET_COUNT")?).map_err(LoadError::kernel)?;
        let table = take(&mut ebpf, "TARGETS")?;
        let targets = TargetTable::map(table, count, self.limits.max_targets)?;
        let cost = Cost::default();
        let mut kernel = Kernel { backend, ebpf, ring, counters, targets, cost };
        attach::attach(parts, &mut kernel.ebpf, &self.btf, &self.own_btf)?;
        self_test::run(&mut kernel)?;
        Ok(kernel)
    }
}

/// A backend, and whether it attached and saw its own message.
pub type Attempt = (Backend, Result<(), LoadError>);

/// What comes of each backend when it is loaded, attached and tested. Nothing of it stays in the kernel.
///
/// # Errors
/// [`LoadError`]: nothing could be tried.
pub fn try_each(limits: Limits) -> Result<Vec<Attempt>, LoadError> {
    let start = Start::read(limits)?;
    Ok(Backend::ALL.into_iter().map(|backend| (backend, start.attach(backend).map(drop))).collect())
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
            calls_unseen: self.counter(counter::CALLS_UNSEEN),
        }
    }
}

fn recursion_misses(program: &aya::programs::Program) -> Option<u64> {
    let descriptor = attach::descriptor(program)?.as_fd().as_raw_fd();
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("recursion_misses:")?.trim().parse().ok())
}

fn take(ebpf: &mut Ebpf, name: &str) -> Result<aya::maps::Map, LoadError> {
    ebpf.take_map(name).ok_or_else(|| LoadError::Kernel(format!("the kernel object lacks the map {name}")))
}
