//! The kernel's clocks, and the wall-clock time of a moment on them.

use crate::time::Nanos;
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many times the clocks are read to find a pair of readings that lie close together.
const SAMPLES: u32 = 5;

/// Where the wall clock stood against the kernel's clocks when this was made. A wall clock that is set later does not
/// change it: the times of one report then stay in order.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Wall clock at the zero of `CLOCK_MONOTONIC`.
    monotonic_zero: Duration,
    /// Wall clock at the zero of `CLOCK_BOOTTIME`, from which process start times count.
    boottime_zero: Duration,
}

/// `CLOCK_MONOTONIC` now: the clock of every time in the captured data.
pub fn monotonic() -> Nanos {
    Nanos(u64::try_from(read(ClockId::Monotonic).as_nanos()).unwrap_or(u64::MAX))
}

impl Clock {
    /// Reads the clocks.
    pub fn read() -> Self {
        Self { monotonic_zero: zero_of(ClockId::Monotonic), boottime_zero: zero_of(ClockId::Boottime) }
    }

    /// Microseconds from 1970-01-01 UTC to the zero of `CLOCK_MONOTONIC`.
    pub fn epoch_micros(&self) -> i64 {
        i64::try_from(self.monotonic_zero.as_micros()).unwrap_or(i64::MAX)
    }

    /// A moment on `CLOCK_MONOTONIC` as RFC 3339 text in UTC, to the microsecond.
    pub fn rfc3339(&self, at: Nanos) -> String {
        format(self.monotonic_zero.saturating_add(Duration::from_nanos(at.0)))
    }

    /// A process's start time (ticks since boot, `/proc/PID/stat`) as RFC 3339 text in UTC. A tick is usually 10 ms.
    pub fn process_start(&self, start_time_ticks: u64) -> String {
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        let (seconds, ticks) = (start_time_ticks / per_second, start_time_ticks % per_second);
        let since_boot =
            Duration::new(seconds, 0) + Duration::from_millis(ticks.saturating_mul(1000) / per_second);
        format(self.boottime_zero.saturating_add(since_boot))
    }
}

fn format(since_epoch: Duration) -> String {
    // The year 9999 is the last that RFC 3339 can write.
    let last = Duration::from_secs(253_402_300_799);
    let at: SystemTime = UNIX_EPOCH + since_epoch.min(last);
    humantime::format_rfc3339_micros(at).to_string()
}

/// Wall clock at the zero of another clock, from the closest of a few pairs of readings.
fn zero_of(clock: ClockId) -> Duration {
    let pair = |_| {
        let before = read(clock);
        let wall = read(ClockId::Realtime);
        let apart = read(clock).saturating_sub(before);
        (apart, wall.saturating_sub(before + apart / 2))
    };
    (0..SAMPLES).map(pair).min().map(|(_, zero)| zero).unwrap_or_default()
}

/// Every clock read here counts up from zero.
fn read(clock: ClockId) -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    Duration::new(u64::try_from(tv_sec).unwrap_or(0), u32::try_from(tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::process::Process;

    fn since_epoch(text: &str) -> Duration {
        humantime::parse_rfc3339(text).unwrap().duration_since(UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_moment_has_its_wall_time() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let at = monotonic();
        let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let shown = since_epoch(&Clock::read().rfc3339(at));
        // The two clocks are read at different moments, and the text ends at microseconds.
        let slack = Duration::from_millis(5);
        assert!(before <= shown + slack && shown <= after + slack, "{before:?} {shown:?} {after:?}");
    }

    #[test]
    fn fixed_clock() {
        let clock =
            Clock { monotonic_zero: Duration::from_secs(1_000_000_000), boottime_zero: Duration::ZERO };
        assert_eq!(clock.rfc3339(Nanos(1_234_567_891)), "2001-09-09T01:46:41.234567Z");
        assert_eq!(clock.rfc3339(Nanos(u64::MAX)), "2586-03-30T01:21:13.709551Z");
        let second = rustix::param::clock_ticks_per_second();
        assert_eq!(clock.process_start(second * 86_400), "1970-01-02T00:00:00.000000Z");
        assert_eq!(clock.process_start(u64::MAX), format(Duration::MAX));
    }

    #[test]
    fn own_start_is_in_the_past() {
        let process = Process::read(std::process::id()).unwrap();
        let started = since_epoch(&Clock::read().process_start(process.start_time_ticks));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(started < now && now - started < Duration::from_secs(3600), "{started:?} {now:?}");
    }
}
