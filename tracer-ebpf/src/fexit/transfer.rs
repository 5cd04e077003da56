//! fexit of the kernel's functions that send and receive on stream sockets. Thin for now: lengths only.

use core::ffi::c_void;

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::fexit, programs::FExitContext};
use tracer_ebpf::direction;

use crate::kernel::{
    maps::setting,
    memory::follow,
    pieces::Buffers,
    socket_state::SocketState,
    transfer::{self, Call},
};

/// Nothing is known of the message yet.
struct Unknown;

impl Call for Unknown {
    #[inline(always)]
    fn buffers(&self, _state: &mut SocketState, _direction: u8) -> Buffers {
        Buffers::Unreadable
    }
}

/// `arguments`: how many the function has; its result follows them.
#[inline(always)]
fn returned(context: &FExitContext, arguments: usize, direction: u8) -> i32 {
    let socket: *const c_void = context.arg(0);
    let sk = follow(socket, setting!(socket_sk)).cast_mut();
    let result: i32 = context.arg(arguments);
    let flags: u32 = if direction == direction::RECEIVE { context.arg(3) } else { 0 };
    transfer::completed(sk, direction, result, flags, bpf_get_current_pid_tgid(), &Unknown);
    0
}

#[fexit(function = "inet_sendmsg")]
pub fn inet_send_exit(context: FExitContext) -> i32 {
    returned(&context, 3, direction::SEND)
}

#[fexit(function = "inet6_sendmsg")]
pub fn inet6_send_exit(context: FExitContext) -> i32 {
    returned(&context, 3, direction::SEND)
}

#[fexit(function = "unix_stream_sendmsg")]
pub fn unix_send_exit(context: FExitContext) -> i32 {
    returned(&context, 3, direction::SEND)
}

#[fexit(function = "inet_recvmsg")]
pub fn inet_receive_exit(context: FExitContext) -> i32 {
    returned(&context, 4, direction::RECEIVE)
}

#[fexit(function = "inet6_recvmsg")]
pub fn inet6_receive_exit(context: FExitContext) -> i32 {
    returned(&context, 4, direction::RECEIVE)
}

#[fexit(function = "unix_stream_recvmsg")]
pub fn unix_receive_exit(context: FExitContext) -> i32 {
    returned(&context, 4, direction::RECEIVE)
}
