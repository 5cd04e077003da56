//! Attached probes, handed from one test to the next: attaching takes longer than most tests, and in an emulated machine
//! seconds.
//!
//! A test gets probes as good as new or new ones: those that have lost something, or still trace a process, or whose test
//! failed, are never handed on.

#![expect(clippy::panic, clippy::expect_used, reason = "in a test a panic is the failure report")]

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

use tracer::source::{
    Losses, Source,
    bpf::{Kernel, Limits},
};

/// Probes that no test has, and the limits that they were attached with.
static SPARE: Mutex<Option<(Limits, Kernel)>> = Mutex::new(None);

/// Detaches what no test has. A test about what stays in the kernel begins with it.
pub fn detach_spare() {
    *SPARE.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Probes that one test has.
#[derive(Debug)]
pub struct Lent {
    limits: Limits,
    /// Only the destructor takes it.
    kernel: Option<Kernel>,
}

impl Lent {
    /// Those of an earlier test, or new ones.
    pub fn attach(limits: Limits) -> Self {
        let same = |spare: &(Limits, Kernel)| {
            spare.0.capture_bytes == limits.capture_bytes && spare.0.max_targets == limits.max_targets
        };
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).take().filter(same);
        // Something may have happened since they were put back.
        let spare = spare.and_then(|(_, mut kernel)| is_as_new(&mut kernel).then_some(kernel));
        let kernel = spare.unwrap_or_else(|| {
            Kernel::attach(limits, super::tap::backend())
                .unwrap_or_else(|error| panic!("the probes do not attach: {error}"))
        });
        Self { limits, kernel: Some(kernel) }
    }

    /// Detaches; nobody gets them again.
    pub fn detach(mut self) {
        drop(self.kernel.take());
    }
}

impl Deref for Lent {
    type Target = Kernel;

    fn deref(&self) -> &Kernel {
        self.kernel.as_ref().expect("it is there until the end")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Kernel {
        self.kernel.as_mut().expect("it is there until the end")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut kernel) = self.kernel.take() else { return };
        if !std::thread::panicking() && is_as_new(&mut kernel) {
            *SPARE.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.limits, kernel));
        }
    }
}

/// Nothing in the ring buffer, nothing counted, nothing traced.
fn is_as_new(kernel: &mut Kernel) -> bool {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let traces = pids.any(|pid| kernel.targets.contains(pid));
    let drained = kernel.drain(usize::MAX, &mut |_| {});
    !traces && drained.is_ok() && kernel.losses() == Losses::default()
}
