//! The system call that the current thread is in: its number and arguments from the saved registers (x86-64).
//!
//! `bpf_task_pt_regs` needs Linux 5.15. A completion that io_uring runs as task work happens inside whatever call the
//! thread is in, so for a thread that uses io_uring the call must be one on this very socket.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::pt_regs,
    helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs},
};

use crate::kernel::{maps::setting, memory::follow};

/// Numbers from arch/x86/entry/syscalls/syscall_64.tbl.
pub mod number {
    pub const READ: u64 = 0;
    pub const WRITE: u64 = 1;
    pub const READV: u64 = 19;
    pub const WRITEV: u64 = 20;
    pub const SENDTO: u64 = 44;
    pub const RECVFROM: u64 = 45;
    pub const SENDMSG: u64 = 46;
    pub const RECVMSG: u64 = 47;
    pub const RECVMMSG: u64 = 299;
    pub const SENDMMSG: u64 = 307;
    pub const PREADV2: u64 = 327;
    pub const PWRITEV2: u64 = 328;
}

/// Code segment of a 32-bit program: its call numbers and structures are others (`__USER32_CS`, arch/x86/include/asm/segment.h).
const USER32_CS: u64 = 0x23;

pub struct Syscall {
    pub number: u64,
    /// Second, third and fifth argument.
    pub arg1: u64,
    pub arg2: u64,
    pub arg4: u64,
}

/// None in a 32-bit program, in a worker thread of io_uring, and where the call may be about something else than `sk`.
#[inline(always)]
pub fn current(sk: *const c_void) -> Option<Syscall> {
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task_btf() };
    // SAFETY: the helper returns the registers of the current task, which stay while the program runs.
    let registers = unsafe { bpf_task_pt_regs(task) } as *const pt_regs;
    // SAFETY: as above; a BTF pointer that the verifier checks.
    unsafe {
        // A worker thread has a copy of its maker's registers without an instruction pointer (`copy_thread`,
        // arch/x86/kernel/process.c).
        if (*registers).cs == USER32_CS || (*registers).rip == 0 {
            return None;
        }
        if uses_io_uring(task.cast()) && !is_on(task.cast(), (*registers).rdi as u32, sk) {
            return None;
        }
        Some(Syscall {
            number: (*registers).orig_rax,
            arg1: (*registers).rsi,
            arg2: (*registers).rdx,
            arg4: (*registers).r8,
        })
    }
}

/// # Safety
/// `task` is the current task, as `bpf_get_current_task_btf` gave it.
#[inline(always)]
unsafe fn uses_io_uring(task: *const u8) -> bool {
    let offset = setting!(task_io_uring) as usize;
    // SAFETY: the verifier checks that a pointer member is at the offset. Volatile, or the read would be merged with others.
    offset != 0 && unsafe { task.add(offset).cast::<u64>().read_volatile() } != 0
}

/// Does the descriptor stand for the socket?
#[inline(always)]
fn is_on(task: *const c_void, fd: u32, sk: *const c_void) -> bool {
    let table = follow(follow(task, setting!(task_files)), setting!(files_fdt));
    let files = follow(table, setting!(fdtable_fd)).cast::<u64>().wrapping_add(fd as usize);
    let socket = follow(follow(files.cast(), 0), setting!(file_private_data));
    !socket.is_null() && socket == follow(sk, setting!(sk_socket))
}
