//! Finds the user memory that a socket call moved: one buffer, an iovec array, or the iovec array of a message.
//!
//! What the current system call does not tell is reported as unreadable, never guessed: sendfile, splice, io_uring.

use core::ffi::c_void;

use aya_ebpf::helpers::bpf_probe_read_user;

use super::{
    socket_state::SocketState,
    syscall::{self, number},
};

/// Where the bytes of a transfer lie in user memory.
pub enum Buffers {
    /// One buffer that starts here.
    One(u64),
    /// An array of `struct iovec`, and its length.
    Vector(u64, u64),
    /// Not to be known.
    Unreadable,
}

/// `struct user_msghdr` (include/linux/socket.h) on a 64-bit machine, as far as needed.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct MessageHeader {
    name: u64,
    name_bytes: u64,
    iovec: u64,
    iovec_count: u64,
}

/// `sizeof(struct mmsghdr)`: a `struct user_msghdr` of 56 bytes, a u32, and padding.
const MMSGHDR_BYTES: u64 = 64;

/// The buffers of the transfer that the current thread has just made on the socket.
#[inline(always)]
pub fn current(state: &mut SocketState, tid: u32) -> Buffers {
    let Some(call) = syscall::current() else {
        return Buffers::Unreadable;
    };
    match call.number {
        number::READ | number::WRITE | number::SENDTO | number::RECVFROM => Buffers::One(call.arg1),
        number::READV | number::WRITEV | number::PREADV2 | number::PWRITEV2 => {
            Buffers::Vector(call.arg1, call.arg2)
        }
        number::SENDMSG | number::RECVMSG => of_message(call.arg1),
        number::SENDMMSG | number::RECVMMSG => {
            of_message(call.arg1 + MMSGHDR_BYTES * next_message(state, tid, call.arg1, call.arg2))
        }
        _ => Buffers::Unreadable,
    }
}

#[inline(always)]
fn of_message(message: u64) -> Buffers {
    // SAFETY: the helper checks the address and fails softly.
    match unsafe { bpf_probe_read_user(message as *const MessageHeader) } {
        Ok(header) => Buffers::Vector(header.iovec, header.iovec_count),
        Err(_) => Buffers::Unreadable,
    }
}

/// Which message of the vector this transfer is. The tracepoint fires once a message and the call does not say which,
/// so they are counted; [`forget_vector`] begins anew wherever the kernel would have left the loop.
#[inline(always)]
fn next_message(state: &mut SocketState, tid: u32, vector: u64, count: u64) -> u64 {
    let goes_on = state.vector == vector && state.vector_tid == tid && u64::from(state.vector_index) < count;
    let index = if goes_on { state.vector_index } else { 0 };
    state.vector = vector;
    state.vector_tid = tid;
    state.vector_index = index.wrapping_add(1);
    u64::from(index)
}

/// The kernel leaves the message loop at an error, and at a message that moved only in part (`__sys_sendmmsg`, net/socket.c).
#[inline(always)]
pub fn forget_vector(state: &mut SocketState) {
    state.vector = 0;
}

/// `struct iovec` (include/uapi/linux/uio.h).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IoVec {
    pub base: u64,
    pub bytes: u64,
}

#[inline(always)]
pub fn iovec(at: u64) -> Option<IoVec> {
    // SAFETY: the helper checks the address and fails softly.
    unsafe { bpf_probe_read_user(at as *const c_void as *const IoVec) }.ok()
}
