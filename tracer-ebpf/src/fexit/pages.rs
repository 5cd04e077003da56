//! fexit of the functions that move pages between a socket and a file or a pipe (sendfile, splice): no user memory, so only
//! the number of bytes is known. From Linux 6.5 on pages are sent as messages, and only the receiving ones are there.

use core::ffi::c_void;

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::fexit, programs::FExitContext};
use tracer_ebpf::direction;

use crate::{
    argument,
    kernel::{
        maps::setting,
        memory::follow,
        pieces::Buffers,
        socket_state::SocketState,
        transfer::{self, Call},
    },
};

struct Pages;

impl Call for Pages {
    #[inline(always)]
    fn buffers(&self, _state: &mut SocketState, _direction: u8) -> Buffers {
        Buffers::Unreadable
    }
}

/// All of them have five arguments and give the number of bytes or a negative errno.
#[inline(always)]
fn returned(context: &FExitContext, sk: *mut c_void, direction: u8) -> i32 {
    let result: i64 = context.arg(5);
    // A splice may ask for more than the length of one record tells; the kernel moves no more than a pipe holds.
    let result = if result > i64::from(i32::MAX) { i32::MAX } else { result as i32 };
    transfer::completed(sk, direction, result, 0, bpf_get_current_pid_tgid(), &Pages);
    0
}

/// Without a function of its protocol it makes a message of the page, which is seen as such (`sock_no_sendpage`).
#[fexit(function = "inet_sendpage")]
pub fn inet_send_page(context: FExitContext) -> i32 {
    let sk = argument::sk(&context);
    let own = follow(follow(sk, setting!(skc_prot)), setting!(proto_sendpage));
    if own.is_null() { 0 } else { returned(&context, sk, direction::SEND) }
}

#[fexit(function = "unix_stream_sendpage")]
pub fn unix_send_page(context: FExitContext) -> i32 {
    returned(&context, argument::sk(&context), direction::SEND)
}

#[fexit(function = "tcp_splice_read")]
pub fn tcp_splice(context: FExitContext) -> i32 {
    returned(&context, argument::sk(&context), direction::RECEIVE)
}

#[fexit(function = "unix_stream_splice_read")]
pub fn unix_splice(context: FExitContext) -> i32 {
    returned(&context, argument::sk(&context), direction::RECEIVE)
}
