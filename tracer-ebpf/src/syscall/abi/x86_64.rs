//! x86-64: arch/x86/entry/syscalls/syscall_64.tbl and syscall_32.tbl.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_get_current_task;

use crate::kernel::{maps::setting, memory::read};

pub const SENDFILE: u64 = 40;
pub const SPLICE: u64 = 275;

/// clone, fork, vfork, clone3.
#[inline(always)]
pub fn forks(number: u64) -> bool {
    matches!(number, 56..=58 | 435)
}

/// read, write, socketcall, sendto to recvmsg. No 32-bit program talks over sockets without one of them.
#[inline(always)]
pub fn moves_bytes_32_bit(number: u64) -> bool {
    matches!(number, 3 | 4 | 102 | 369..=372)
}

/// Bit of `thread_info.status`: the call has the number and the structures of a 32-bit program
/// (arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;

/// A 64-bit program can make the calls of a 32-bit program too, by `int 0x80`.
#[inline(always)]
pub fn came_by_32_bit_gate() -> bool {
    let status = setting!(task_status);
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task() } as *const c_void;
    status != 0 && read::<u32>(task, status) & TS_COMPAT != 0
}
