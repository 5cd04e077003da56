//! The system call that the current thread is in: its number and arguments from the saved registers (x86-64).
//!
//! `bpf_task_pt_regs` needs Linux 5.15. A completion that io_uring runs as task work happens inside whatever call the
//! thread is in, so a number is only a claim about the buffer; [`super::buffers`] decides what to believe.

use aya_ebpf::{
    bindings::pt_regs,
    helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs},
};

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
    /// Second and third argument.
    pub arg1: u64,
    pub arg2: u64,
}

/// None in a 32-bit program.
#[inline(always)]
pub fn current() -> Option<Syscall> {
    // SAFETY: the helper returns the registers of the current task, which stay while the program runs.
    let registers = unsafe { bpf_task_pt_regs(bpf_get_current_task_btf()) } as *const pt_regs;
    // SAFETY: as above; a BTF pointer that the verifier checks.
    unsafe {
        if (*registers).cs == USER32_CS {
            return None;
        }
        Some(Syscall { number: (*registers).orig_rax, arg1: (*registers).rsi, arg2: (*registers).rdx })
    }
}
