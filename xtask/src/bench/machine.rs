//! The machine that a number was measured on, and when: without it the number says nothing.

use crate::process;
use anyhow::Context as _;
use std::process::Command;

/// Facts that a reader needs to compare.
#[derive(Debug, Clone)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub rustc: String,
    /// Day of the measurement, UTC, as year-month-day.
    pub date: String,
    /// Work that ran beside it: the load of the last minute, as the kernel counts it.
    pub load: String,
}

/// Reads them from `/proc` and the tools.
pub fn read() -> anyhow::Result<Machine> {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").context("cannot read /proc/cpuinfo")?;
    let meminfo = std::fs::read_to_string("/proc/meminfo").context("cannot read /proc/meminfo")?;
    let load = std::fs::read_to_string("/proc/loadavg").context("cannot read /proc/loadavg")?;
    let kib: u64 = field(&meminfo, "MemTotal").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Ok(Machine {
        cpu: field(&cpuinfo, "model name").to_owned(),
        cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
        memory_gib: kib.div_ceil(1 << 20),
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        rustc: process::output(Command::new("rustc").arg("--version"))?.trim().to_owned(),
        date: process::output(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?.trim().to_owned(),
        load: load.split(' ').next().unwrap_or("?").to_owned(),
    })
}

/// The value of `NAME : VALUE`.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_once(':')).map_or("unknown", |(_, value)| value.trim())
}
