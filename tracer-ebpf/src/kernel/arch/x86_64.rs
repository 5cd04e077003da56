//! x86-64: `struct pt_regs` (arch/x86/include/asm/ptrace.h) and its system calls.

/// What the kernel saved when the thread entered it.
pub use aya_ebpf::bindings::pt_regs as Registers;

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

/// The call's number.
///
/// # Safety
/// Registers that the verifier knows as such.
#[inline(always)]
pub unsafe fn syscall(registers: *const Registers) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { (*registers).orig_rax }
}

/// The call's argument `N`, from 0 to 5. No call changes them.
///
/// # Safety
/// Registers that the verifier knows as such.
#[inline(always)]
pub unsafe fn argument<const N: usize>(registers: *const Registers) -> u64 {
    const { assert!(N < 6) };
    // SAFETY: the caller's promise.
    unsafe {
        match N {
            0 => (*registers).rdi,
            1 => (*registers).rsi,
            2 => (*registers).rdx,
            3 => (*registers).r10,
            4 => (*registers).r8,
            _ => (*registers).r9,
        }
    }
}

/// False in a 32-bit program, and in a thread that the kernel made for io_uring: it has a copy of its maker's registers
/// without an instruction pointer (`copy_thread`, arch/x86/kernel/process.c).
///
/// # Safety
/// Registers that the verifier knows as such.
#[inline(always)]
pub unsafe fn is_of_64_bit_program(registers: *const Registers) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*registers).cs != USER32_CS && (*registers).rip != 0 }
}
