//! tp_btf `sock_send_length` and `sock_recv_length` (Linux 6.3, include/trace/events/sock.h): once for every completed
//! send or receive on any socket, whatever call made it.

use core::ffi::c_void;

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::btf_tracepoint, programs::BtfTracePointContext};
use tracer_ebpf::direction;

use crate::{
    buffers,
    kernel::{
        pieces::Buffers,
        socket_state::SocketState,
        transfer::{self, Call},
    },
};

#[btf_tracepoint(function = "sock_send_length")]
pub fn send(context: BtfTracePointContext) -> i32 {
    transfer(&context, direction::SEND);
    0
}

#[btf_tracepoint(function = "sock_recv_length")]
pub fn receive(context: BtfTracePointContext) -> i32 {
    transfer(&context, direction::RECEIVE);
    0
}

/// The system call that the current thread is in.
struct CurrentCall {
    sk: *const c_void,
    tid: u32,
}

impl Call for CurrentCall {
    #[inline(always)]
    fn buffers(&self, state: &mut SocketState, direction: u8) -> Buffers {
        buffers::current(state, self.sk, direction, self.tid)
    }

    #[inline(always)]
    fn moved_nothing(&self, state: &mut SocketState, direction: u8) {
        buffers::pass_empty(state, self.sk, direction, self.tid);
    }

    #[inline(always)]
    fn leaves_its_loop(&self, state: &mut SocketState, direction: u8) {
        buffers::forget_vector(state, direction);
    }
}

#[inline(always)]
fn transfer(context: &BtfTracePointContext, direction: u8) {
    let pid_tgid = bpf_get_current_pid_tgid();
    let sk: *mut c_void = context.arg(0);
    let call = CurrentCall { sk, tid: pid_tgid as u32 };
    transfer::completed(sk, direction, context.arg(1), context.arg::<i32>(2) as u32, pid_tgid, &call);
}
