//! Tries each backend: loads its programs, attaches them, looks whether they see a message of dbtap's own, and takes them away.
//!
//! No process but dbtap itself is traced, and nothing of it stays.

use crate::source::{Backend, Trial};

/// What came of each backend, best first.
#[cfg(feature = "bpf")]
pub(super) fn of_each() -> Vec<(Backend, Trial)> {
    use crate::source::bpf::{Limits, try_each};
    // Enough for the message of the self-test, of one process.
    let limits = Limits { capture_bytes: 4096, max_targets: 8 };
    match try_each(limits) {
        Ok(tried) => tried
            .into_iter()
            .map(|(backend, outcome)| match outcome {
                Ok(()) => (backend, Trial::Works),
                Err(error) if error.concerns_all() => (backend, Trial::Unknown(error.reason())),
                Err(error) => (backend, Trial::Refused(error.reason())),
            })
            .collect(),
        Err(error) => for_all(&error.reason()),
    }
}

/// What came of each backend: nothing, without the kernel part.
#[cfg(not(feature = "bpf"))]
pub(super) fn of_each() -> Vec<(Backend, Trial)> {
    for_all("this dbtap was built without its kernel part")
}

fn for_all(reason: &str) -> Vec<(Backend, Trial)> {
    Backend::ALL.into_iter().map(|backend| (backend, Trial::Unknown(reason.to_owned()))).collect()
}
