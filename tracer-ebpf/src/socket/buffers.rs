//! Finds the user memory that a socket call moved: one buffer, an iovec array, or the iovec array of a message.
//!
//! What the current system call does not tell is reported as unreadable, never guessed: sendfile, splice, io_uring.

use core::ffi::c_void;

use aya_ebpf::helpers::bpf_probe_read_user;

use tracer_ebpf::direction;

use crate::{
    arch::number,
    kernel::{
        pieces::Buffers,
        socket_state::{MessageVector, SocketState},
    },
    registers::{self, Syscall},
};

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

/// `__sys_sendmmsg` takes no more messages than this of a vector (UIO_MAXIOV); `do_recvmmsg` takes them all.
const MOST_SENT_MESSAGES: u32 = 1024;

/// The buffers of the transfer that the current thread has just made on the socket.
#[inline(always)]
pub fn current(state: &mut SocketState, sk: *const c_void, direction: u8, tid: u32) -> Buffers {
    let Some(call) = registers::current(sk) else {
        return Buffers::Unreadable;
    };
    match (call.number, direction) {
        (number::READ | number::RECVFROM, direction::RECEIVE) => Buffers::One(call.arg1),
        (number::WRITE | number::SENDTO, direction::SEND) => Buffers::One(call.arg1),
        (number::READV | number::PREADV2, direction::RECEIVE) => Buffers::Vector(call.arg1, call.arg2, 0),
        (number::WRITEV | number::PWRITEV2, direction::SEND) => Buffers::Vector(call.arg1, call.arg2, 0),
        (number::RECVMSG, direction::RECEIVE) | (number::SENDMSG, direction::SEND) => of_message(call.arg1),
        // With a time limit the loop may end after any message, and nothing tells the next call from a further message.
        (number::RECVMMSG, direction::RECEIVE) if call.arg4 != 0 && call.arg2 as u32 > 1 => {
            Buffers::Unreadable
        }
        (number::RECVMMSG, direction::RECEIVE) | (number::SENDMMSG, direction::SEND) => {
            of_message(call.arg1 + MMSGHDR_BYTES * next_message(state, direction, tid, &call))
        }
        _ => Buffers::Unreadable,
    }
}

#[inline(always)]
fn of_message(message: u64) -> Buffers {
    // SAFETY: the helper checks the address and fails softly.
    match unsafe { bpf_probe_read_user(message as *const MessageHeader) } {
        Ok(header) => Buffers::Vector(header.iovec, header.iovec_count, 0),
        Err(_) => Buffers::Unreadable,
    }
}

/// Which message of the vector this transfer is. The tracepoint fires once a message and the call does not say which,
/// so they are counted; [`forget_vector`] begins anew wherever the kernel would have left the loop.
#[inline(always)]
fn next_message(state: &mut SocketState, direction: u8, tid: u32, call: &Syscall) -> u64 {
    let messages = &mut state.messages[(direction & 1) as usize];
    let wanted = call.arg2 as u32;
    let count =
        if direction == direction::SEND && wanted > MOST_SENT_MESSAGES { MOST_SENT_MESSAGES } else { wanted };
    let goes_on = messages.vector == call.arg1 && messages.tid == tid && messages.index < count;
    let index = if goes_on { messages.index } else { 0 };
    *messages = MessageVector { vector: call.arg1, index: index.wrapping_add(1), tid };
    u64::from(index)
}

/// A transfer of no bytes: an empty message, after which the loop goes on, counts as a message too.
#[inline(always)]
pub fn pass_empty(state: &mut SocketState, sk: *const c_void, direction: u8, tid: u32) {
    current(state, sk, direction, tid);
}

/// The kernel leaves the message loop at an error, and at a message that was sent only in part (`__sys_sendmmsg`, net/socket.c).
#[inline(always)]
pub fn forget_vector(state: &mut SocketState, direction: u8) {
    state.messages[(direction & 1) as usize].vector = 0;
}
