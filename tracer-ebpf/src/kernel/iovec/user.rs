//! Iovecs as the program gave them to a system call, in its own memory.

use aya_ebpf::helpers::bpf_probe_read_user;

use crate::kernel::pieces::IoVec;

/// None where the memory cannot be read.
#[inline(always)]
pub fn read(at: u64) -> Option<IoVec> {
    // SAFETY: the helper checks the address and fails softly.
    unsafe { bpf_probe_read_user(at as *const IoVec) }.ok()
}
