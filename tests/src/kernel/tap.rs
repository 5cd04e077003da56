//! Attached probes, and every record that they have written so far.

#![expect(clippy::panic, clippy::expect_used, reason = "in a test a panic is the failure report")]

use std::time::{Duration, Instant};

use tracer::{
    event::{Event, decode},
    source::{Backend, Source, bpf::Limits},
};

use super::{
    alone::{Alone, alone},
    lent::Lent,
};

/// Longest wait for something that must happen; only a broken test or product ever reaches it.
pub const BOUND: Duration = Duration::from_secs(60);

/// A capture limit that no test reaches by chance.
pub const NO_LIMIT: u64 = 1 << 40;

/// Probes of their own, seen by one test only.
#[derive(Debug)]
pub struct Tap {
    /// The product's kernel side.
    pub kernel: Lent,
    records: Vec<Vec<u8>>,
    _alone: Alone,
}

impl Tap {
    /// Attaches, with no limit on captured bytes.
    pub fn attach() -> Self {
        Self::with_capture_bytes(NO_LIMIT)
    }

    /// Attaches with this capture limit.
    pub fn with_capture_bytes(capture_bytes: u64) -> Self {
        Self::with_limits(Limits { capture_bytes, max_targets: 1024 })
    }

    /// Attaches with these limits.
    pub fn with_limits(limits: Limits) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "this test loads kernel programs and needs root; run it with sudo, as `cargo xtask test` does"
        );
        let alone = alone();
        let kernel = Lent::attach(limits);
        Self { kernel, records: Vec::new(), _alone: alone }
    }

    /// Detaches at once. Dropped, the probes are kept for the next test.
    pub fn detach(self) {
        self.kernel.detach();
    }

    /// Traces a process, and its children where `follow` says so.
    pub fn trace(&mut self, pid: u32, follow: bool) {
        assert!(self.kernel.targets.insert(pid, follow), "process {pid} found no room in the target table");
    }

    /// Takes what is in the ring buffer. Returns the number of records.
    pub fn drain(&mut self) -> usize {
        let records = &mut self.records;
        self.kernel
            .drain(usize::MAX, &mut |record| records.push(record.to_vec()))
            .expect("the ring buffer can be read")
    }

    /// All records since the start or the last [`Self::forget`], decoded. A record that cannot be decoded fails the test.
    pub fn events(&self) -> Vec<Event<'_>> {
        let decoded = self.records.iter().map(|record| decode(record));
        decoded.map(|event| event.expect("a record of the kernel side cannot be decoded")).collect()
    }

    /// Drops the records seen so far.
    pub fn forget(&mut self) {
        self.drain();
        self.records.clear();
    }

    /// Drains until the records fulfil a condition.
    pub fn wait_until(&mut self, what: &str, fulfilled: impl Fn(&[Event<'_>]) -> bool) {
        let start = Instant::now();
        loop {
            self.drain();
            if fulfilled(&self.events()) {
                return;
            }
            assert!(start.elapsed() < BOUND, "never seen: {what}; records: {:#?}", self.events());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// True where whole system calls are seen and nothing of what happens inside or outside of them.
    pub fn sees_calls_only(&self) -> bool {
        self.kernel.backend() == Backend::Syscall
    }

    /// True where what a call moved is known by its message, and not by the system call that its thread is in.
    pub fn sees_messages(&self) -> bool {
        self.kernel.backend() == Backend::Fexit
    }

    /// What was lost, as (records, bytes).
    pub fn lost(&self) -> (u64, u64) {
        let losses = self.kernel.losses();
        (losses.records, losses.bytes)
    }
}

/// The backend that the tests are about: the one that `DBTAP_TEST_BACKEND` names, else the best one that works here.
pub fn backend() -> Option<Backend> {
    let name = std::env::var("DBTAP_TEST_BACKEND").ok()?;
    Some(Backend::named(&name).unwrap_or_else(|| panic!("DBTAP_TEST_BACKEND names no backend: {name}")))
}

/// Waits until a condition holds.
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < BOUND, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
