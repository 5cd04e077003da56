//! System calls as their registers tell them (x86-64): which ones matter, and what their arguments are.
//!
//! At the end of a call the registers still hold its number and its arguments.

use core::ffi::c_void;

use aya_ebpf::{bindings::pt_regs, helpers::generated::bpf_get_current_task};
use tracer_ebpf::direction;

use crate::kernel::{maps::setting, memory::read};

/// Numbers from arch/x86/entry/syscalls/syscall_64.tbl.
pub mod number {
    pub const READ: u64 = 0;
    pub const WRITE: u64 = 1;
    pub const READV: u64 = 19;
    pub const WRITEV: u64 = 20;
    pub const SENDFILE: u64 = 40;
    pub const SENDTO: u64 = 44;
    pub const RECVFROM: u64 = 45;
    pub const SENDMSG: u64 = 46;
    pub const RECVMSG: u64 = 47;
    pub const CLONE: u64 = 56;
    pub const VFORK: u64 = 58;
    pub const SPLICE: u64 = 275;
    pub const RECVMMSG: u64 = 299;
    pub const SENDMMSG: u64 = 307;
    pub const PREADV2: u64 = 327;
    pub const PWRITEV2: u64 = 328;
    pub const IO_URING_SETUP: u64 = 425;
    pub const IO_URING_ENTER: u64 = 426;
    pub const CLONE3: u64 = 435;
}

/// Numbers from syscall_32.tbl: read, write, socketcall, and sendto to recvmsg. No 32-bit program talks without one of them.
mod number32 {
    pub const READ: u64 = 3;
    pub const WRITE: u64 = 4;
    pub const SOCKETCALL: u64 = 102;
    pub const SENDTO: u64 = 369;
    pub const RECVMSG: u64 = 372;
}

/// Bit of `thread_info.status`: the call is one of a 32-bit program (arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;

/// Those of 64-bit programs that move bytes.
#[inline(always)]
pub fn moves_bytes(number: u64) -> bool {
    const BELOW_64: u64 = 1 << number::READ
        | 1 << number::WRITE
        | 1 << number::READV
        | 1 << number::WRITEV
        | 1 << number::SENDFILE
        | 1 << number::SENDTO
        | 1 << number::RECVFROM
        | 1 << number::SENDMSG
        | 1 << number::RECVMSG;
    if number < 64 {
        return BELOW_64 >> number & 1 != 0;
    }
    matches!(
        number,
        number::SPLICE | number::RECVMMSG | number::SENDMMSG | number::PREADV2 | number::PWRITEV2
    )
}

/// Those that make a process.
#[inline(always)]
pub fn forks(number: u64) -> bool {
    matches!(number, number::CLONE..=number::VFORK | number::CLONE3)
}

/// Those that may move bytes out of these programs' sight.
#[inline(always)]
pub fn may_move_unseen(number: u64) -> bool {
    let of_32_bit = matches!(
        number,
        number32::READ | number32::WRITE | number32::SOCKETCALL | number32::SENDTO..=number32::RECVMSG
    );
    of_32_bit || is_io_uring(number)
}

#[inline(always)]
pub fn is_io_uring(number: u64) -> bool {
    matches!(number, number::IO_URING_SETUP | number::IO_URING_ENTER)
}

/// Is the current call one of a 32-bit program? Its number means another call then.
#[inline(always)]
pub fn is_32_bit() -> bool {
    let status = setting!(task_status);
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task() } as *const c_void;
    status != 0 && read::<u32>(task, status) & TS_COMPAT != 0
}

/// Where a call tells the bytes that it moves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Second argument: a buffer.
    Buffer,
    /// Second and third argument: iovecs and their number.
    Vector,
    /// Second argument: a message header.
    Message,
    /// Second argument: an array of them. The result is a number of messages.
    Messages,
    /// Nowhere in user memory.
    Nowhere,
}

/// A call that [`moves_bytes`]. Splice may go the other way.
#[inline(always)]
pub fn shape(number: u64) -> (u8, Shape) {
    match number {
        number::READ | number::RECVFROM => (direction::RECEIVE, Shape::Buffer),
        number::WRITE | number::SENDTO => (direction::SEND, Shape::Buffer),
        number::READV | number::PREADV2 => (direction::RECEIVE, Shape::Vector),
        number::WRITEV | number::PWRITEV2 => (direction::SEND, Shape::Vector),
        number::RECVMSG => (direction::RECEIVE, Shape::Message),
        number::SENDMSG => (direction::SEND, Shape::Message),
        number::RECVMMSG => (direction::RECEIVE, Shape::Messages),
        number::SENDMMSG => (direction::SEND, Shape::Messages),
        _ => (direction::SEND, Shape::Nowhere),
    }
}

/// Arguments of the call, from the first one on.
#[derive(Clone, Copy)]
pub struct Arguments {
    pub first: u64,
    pub second: u64,
    pub third: u64,
    pub fourth: u64,
}

impl Arguments {
    /// # Safety
    /// `registers` is the tracepoint's own argument, which the verifier knows.
    #[inline(always)]
    pub unsafe fn of(registers: *const pt_regs) -> Self {
        // SAFETY: by the caller.
        unsafe {
            Self {
                first: (*registers).rdi,
                second: (*registers).rsi,
                third: (*registers).rdx,
                fourth: (*registers).r10,
            }
        }
    }

    /// Flags of a receive (include/linux/socket.h).
    #[inline(always)]
    pub fn flags(&self, number: u64) -> u32 {
        match number {
            number::RECVFROM | number::RECVMMSG => self.fourth as u32,
            number::RECVMSG => self.third as u32,
            _ => 0,
        }
    }
}
