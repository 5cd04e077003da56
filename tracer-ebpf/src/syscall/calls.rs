//! System calls by their numbers: which ones matter, and what their arguments are.

use tracer_ebpf::direction;

use crate::{
    abi,
    arch::{self, Registers, number},
};

/// Calls that move bytes.
#[inline(always)]
pub fn moves_bytes(number: u64) -> bool {
    matches!(
        number,
        number::READ
            | number::WRITE
            | number::READV
            | number::WRITEV
            | number::SENDTO
            | number::RECVFROM
            | number::SENDMSG
            | number::RECVMSG
            | number::RECVMMSG
            | number::SENDMMSG
            | number::PREADV2
            | number::PWRITEV2
            | abi::SENDFILE
            | abi::SPLICE
    )
}

/// io_uring_setup and io_uring_enter: they have these numbers on every machine.
#[inline(always)]
pub fn is_io_uring(number: u64) -> bool {
    matches!(number, 425 | 426)
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
    /// At the end of a call the registers still hold them.
    ///
    /// # Safety
    /// `registers` is the tracepoint's own argument, which the verifier knows.
    #[inline(always)]
    pub unsafe fn of(registers: *const Registers) -> Self {
        // SAFETY: by the caller.
        unsafe {
            Self {
                first: arch::argument::<0>(registers),
                second: arch::argument::<1>(registers),
                third: arch::argument::<2>(registers),
                fourth: arch::argument::<3>(registers),
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
