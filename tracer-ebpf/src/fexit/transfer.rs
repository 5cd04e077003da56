//! fexit of the kernel's functions that send and receive on stream sockets: the socket and the message are arguments, the
//! result is known. What made the call does not matter: any system call, or io_uring in any of its modes.

use core::ffi::c_void;

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::fexit, programs::FExitContext};
use tracer_ebpf::direction;

use crate::{
    argument,
    kernel::{
        pieces::{self, Buffers},
        socket_state::SocketState,
        transfer::{self, Call},
    },
    message,
};

/// A place for the walk over buffers of its own: programs on different functions can interrupt each other on a CPU.
mod family {
    pub const INET: u32 = 0;
    pub const INET6: u32 = 1;
    pub const UNIX: u32 = 2;
}

struct Message {
    header: *const c_void,
    /// Bytes of room or data at the call's beginning.
    length: u64,
    moved: u64,
    family: u32,
}

impl Call for Message {
    #[inline(always)]
    fn buffers(&self, _state: &mut SocketState, direction: u8) -> Buffers {
        message::buffers(self.header, self.length, self.moved, pieces::slot(direction, self.family))
    }

    #[inline(always)]
    fn family(&self) -> u32 {
        self.family
    }
}

/// `int inet_sendmsg(struct socket *, struct msghdr *, size_t)`; receiving functions have the flags behind that. The result
/// follows the arguments.
#[inline(always)]
fn returned<const ARGUMENTS: usize>(context: &FExitContext, direction: u8, family: u32) -> i32 {
    let result: i32 = context.arg(ARGUMENTS);
    let flags: u32 = if direction == direction::RECEIVE { context.arg(3) } else { 0 };
    let message =
        Message { header: context.arg(1), length: context.arg(2), moved: u64::from(result as u32), family };
    let sk = argument::sk(context);
    transfer::completed(sk, direction, result, flags, bpf_get_current_pid_tgid(), &message);
    0
}

#[fexit(function = "inet_sendmsg")]
pub fn inet_send(context: FExitContext) -> i32 {
    returned::<3>(&context, direction::SEND, family::INET)
}

#[fexit(function = "inet6_sendmsg")]
pub fn inet6_send(context: FExitContext) -> i32 {
    returned::<3>(&context, direction::SEND, family::INET6)
}

#[fexit(function = "unix_stream_sendmsg")]
pub fn unix_send(context: FExitContext) -> i32 {
    returned::<3>(&context, direction::SEND, family::UNIX)
}

#[fexit(function = "inet_recvmsg")]
pub fn inet_receive(context: FExitContext) -> i32 {
    returned::<4>(&context, direction::RECEIVE, family::INET)
}

#[fexit(function = "inet6_recvmsg")]
pub fn inet6_receive(context: FExitContext) -> i32 {
    returned::<4>(&context, direction::RECEIVE, family::INET6)
}

#[fexit(function = "unix_stream_recvmsg")]
pub fn unix_receive(context: FExitContext) -> i32 {
    returned::<4>(&context, direction::RECEIVE, family::UNIX)
}
