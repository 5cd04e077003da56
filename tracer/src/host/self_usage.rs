//! What dbtap itself takes of the host.

use super::process::{file, status_number};
use rustix::time::{ClockId, clock_gettime};

/// CPU and memory of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfUsage {
    /// CPU time of all its threads since it started, user and system.
    pub cpu_ns: u64,
    /// Memory resident now. 0: not known.
    pub rss_bytes: u64,
    /// Most memory that was ever resident. 0: not known.
    pub peak_rss_bytes: u64,
}

impl SelfUsage {
    /// Reads `CLOCK_PROCESS_CPUTIME_ID` and `/proc/self/status`.
    pub fn read() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u64::try_from(cpu.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(cpu.tv_nsec).unwrap_or(0);
        let status = file(std::process::id(), "status").unwrap_or_default();
        // The file's unit is always kB, which means KiB (proc_pid_status(5)).
        let bytes = |name| status_number(&status, name).unwrap_or(0).saturating_mul(1024);
        Self {
            cpu_ns: seconds.saturating_mul(1_000_000_000).saturating_add(nanos),
            rss_bytes: bytes("VmRSS"),
            peak_rss_bytes: bytes("VmHWM"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SelfUsage;

    #[test]
    fn grows_with_what_is_used() {
        let before = SelfUsage::read();
        assert!(before.rss_bytes > 1 << 20 && before.peak_rss_bytes >= before.rss_bytes / 2, "{before:?}");
        // 64 MiB, each page touched, then added up until some CPU time is gone.
        let memory = vec![1u8; 64 << 20];
        let held = SelfUsage::read();
        assert!(held.peak_rss_bytes >= 64 << 20, "{held:?}");
        let mut sum = 0u64;
        while SelfUsage::read().cpu_ns < held.cpu_ns + 20_000_000 {
            sum += memory.iter().step_by(4096).map(|byte| u64::from(*byte)).sum::<u64>();
        }
        assert!(sum > 0);
    }
}
