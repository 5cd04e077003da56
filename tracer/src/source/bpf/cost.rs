//! What the kernel programs cost, from the kernel's own run-time statistics.
//!
//! The statistics add two clock readings to every run of every BPF program on the host, so they are on for a part of the
//! time only and scaled up to the whole of it.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    sys::{Stats, enable_stats},
};

/// Statistics are on for this long ...
const ON: Duration = Duration::from_millis(100);
/// ... of every such period; the first part of a capture is always measured.
const PERIOD: Duration = Duration::from_secs(1);

/// Run count and run time of all programs.
#[derive(Debug, Default)]
pub struct Cost {
    switch: Option<OwnedFd>,
    switched_at: Option<Instant>,
    began_at: Option<Instant>,
    measured: Duration,
    base: (u64, u64),
    last: (u64, u64),
}

impl Cost {
    pub(super) fn sample(&mut self, ebpf: &Ebpf) {
        let now = Instant::now();
        let since = now.duration_since(*self.began_at.get_or_insert(now));
        let want =
            Duration::from_nanos(u64::try_from(since.as_nanos() % PERIOD.as_nanos()).unwrap_or(0)) < ON;
        match (want, self.switch.is_some()) {
            (true, false) => {
                if self.switched_at.is_none() {
                    self.base = totals(ebpf);
                }
                self.switch = enable_stats(Stats::RunTime).ok();
                self.switched_at = Some(now);
            }
            (_, true) => {
                self.last = totals(ebpf);
                if let Some(at) = self.switched_at {
                    self.measured += now.duration_since(at);
                }
                self.switched_at = Some(now);
                if !want {
                    self.switch = None;
                }
            }
            (false, false) => {}
        }
    }

    /// Runs and nanoseconds in programs over the whole capture, scaled up from the measured part. Zero when the kernel
    /// gives no statistics.
    pub fn estimate(&self) -> (u64, u64) {
        let whole = self.began_at.map_or(Duration::ZERO, |at| at.elapsed()).as_nanos();
        let measured = self.measured.as_nanos();
        let scale = |value: u64| match measured {
            0 => 0,
            _ => u64::try_from(u128::from(value) * whole / measured).unwrap_or(u64::MAX),
        };
        (scale(self.last.0.saturating_sub(self.base.0)), scale(self.last.1.saturating_sub(self.base.1)))
    }
}

fn totals(ebpf: &Ebpf) -> (u64, u64) {
    by_program(ebpf).fold((0, 0), |(runs, ns), program| (runs + program.runs, ns + program.run_ns))
}

/// What one program has cost while the kernel's statistics were on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramCost {
    /// Its name in the kernel object.
    pub name: String,
    /// How often it ran.
    pub runs: u64,
    /// How long in all, in ns.
    pub run_ns: u64,
}

pub(super) fn by_program(ebpf: &Ebpf) -> impl Iterator<Item = ProgramCost> {
    ebpf.programs().filter_map(|(name, program)| {
        let info = program.info().ok()?;
        let run_ns = u64::try_from(info.run_time().as_nanos()).unwrap_or(u64::MAX);
        Some(ProgramCost { name: name.to_owned(), runs: info.run_count(), run_ns })
    })
}

/// Turns the kernel's statistics on until the descriptor is dropped. For measurements of dbtap itself.
///
/// # Errors
/// The kernel's refusal.
pub fn statistics() -> std::io::Result<OwnedFd> {
    enable_stats(Stats::RunTime).map_err(std::io::Error::other)
}
