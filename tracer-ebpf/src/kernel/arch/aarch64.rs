//! aarch64: `struct pt_regs` (arch/arm64/include/asm/ptrace.h) and its system calls.

/// What the kernel saved when the thread entered it, as far as it is alike from Linux 5.10 on.
#[repr(C)]
pub struct Registers {
    regs: [u64; 31],
    sp: u64,
    pc: u64,
    pstate: u64,
    /// The first argument; its register is where the result goes.
    orig_x0: u64,
    /// The call's number; -1 outside a call.
    syscallno: i32,
}

/// Numbers from include/uapi/asm-generic/unistd.h.
pub mod number {
    pub const READ: u64 = 63;
    pub const WRITE: u64 = 64;
    pub const READV: u64 = 65;
    pub const WRITEV: u64 = 66;
    pub const SENDTO: u64 = 206;
    pub const RECVFROM: u64 = 207;
    pub const SENDMSG: u64 = 211;
    pub const RECVMSG: u64 = 212;
    pub const RECVMMSG: u64 = 243;
    pub const SENDMMSG: u64 = 269;
    pub const PREADV2: u64 = 286;
    pub const PWRITEV2: u64 = 287;
}

/// `PSR_MODE32_BIT` (arch/arm64/include/uapi/asm/ptrace.h): a 32-bit program, whose call numbers and structures are others.
const PSR_MODE32_BIT: u64 = 0x10;

/// The call's number.
///
/// # Safety
/// Registers that the verifier knows as such.
#[inline(always)]
pub unsafe fn syscall(registers: *const Registers) -> u64 {
    // SAFETY: the caller's promise.
    u64::from(unsafe { (*registers).syscallno } as u32)
}

/// The call's argument `N`, from 0 to 5. No call changes them.
///
/// # Safety
/// Registers that the verifier knows as such.
#[inline(always)]
pub unsafe fn argument<const N: usize>(registers: *const Registers) -> u64 {
    const { assert!(N < 6) };
    // SAFETY: the caller's promise.
    unsafe { if N == 0 { (*registers).orig_x0 } else { (*registers).regs[N] } }
}

/// False in a 32-bit program, and in a thread that the kernel made for io_uring: its registers are cleared (`copy_thread`,
/// arch/arm64/kernel/process.c).
///
/// # Safety
/// Registers that the verifier knows as such.
#[inline(always)]
pub unsafe fn is_of_64_bit_program(registers: *const Registers) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*registers).pstate & PSR_MODE32_BIT == 0 && (*registers).pc != 0 }
}
