//! tp_btf `sys_enter` and `sys_exit`: the system calls that send and receive. Thin for now: read and write, lengths only.

use core::ffi::c_void;

use aya_ebpf::{
    EbpfContext as _, bindings::pt_regs, helpers::bpf_get_current_pid_tgid, macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use tracer_ebpf::direction;

use crate::kernel::{
    memory::read,
    pieces::Buffers,
    socket_state::SocketState,
    transfer::{self, Call},
};

/// Nothing is known of the call yet.
struct Unknown;

impl Call for Unknown {
    #[inline(always)]
    fn buffers(&self, _state: &mut SocketState, _direction: u8) -> Buffers {
        Buffers::Unreadable
    }
}

#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit(context: BtfTracePointContext) -> i32 {
    let _ = context.as_ptr();
    let registers: *const c_void = context.arg(0);
    let number: u64 = read(registers, core::mem::offset_of!(pt_regs, orig_rax) as u32);
    let result: i64 = context.arg(1);
    if number <= 1 {
        let direction = if number == 1 { direction::SEND } else { direction::RECEIVE };
        // The socket behind the descriptor is to be found.
        let sk: *mut c_void = core::ptr::null_mut();
        transfer::completed(sk, direction, result as i32, 0, bpf_get_current_pid_tgid(), &Unknown);
    }
    0
}
