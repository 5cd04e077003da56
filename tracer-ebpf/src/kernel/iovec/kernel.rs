//! Iovecs as the kernel has copied them from the program: what a message's iterator points to.

use aya_ebpf::helpers::bpf_probe_read_kernel;

use crate::kernel::pieces::IoVec;

/// None where the memory cannot be read.
#[inline(always)]
pub fn read(at: u64) -> Option<IoVec> {
    // SAFETY: the helper checks the address and fails softly.
    unsafe { bpf_probe_read_kernel(at as *const IoVec) }.ok()
}
