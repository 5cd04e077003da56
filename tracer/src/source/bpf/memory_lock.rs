//! The limit of locked memory, which Linux before 5.11 applies to kernel programs and their maps.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::host::kernel::Kernel as Host;

/// Lifts dbtap's own limit where the kernel applies it. Takes CAP_SYS_RESOURCE; without it loading may still succeed, and says
/// what is missing where it does not.
pub(super) fn raise() {
    if Host::release_counts_locked_memory() {
        let _ = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None });
    }
}
