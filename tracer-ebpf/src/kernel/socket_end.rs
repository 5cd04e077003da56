//! The end of a connection: a receive of 0 bytes, a failed call, or tp_btf `inet_sock_set_state` leaving the connected states.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::generated::bpf_ktime_get_ns, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use tracer_ebpf::{SocketEnd, counter, direction, end, kind};

use super::{
    maps::{RECORDS, count},
    socket_state::{self, FOLLOW},
};

/// Results after which the connection goes on: EAGAIN, EINTR, and the kernel's own restart codes
/// (include/linux/errno.h: ERESTARTSYS 512 to ERESTART_RESTARTBLOCK 516).
const EINTR: i32 = -4;
const EAGAIN: i32 = -11;
/// Errors of the caller's making that say nothing of the connection: EFAULT, EINVAL, ENOBUFS, ENOMEM.
const EFAULT: i32 = -14;
const EINVAL: i32 = -22;
const ENOMEM: i32 = -12;
const ENOBUFS: i32 = -105;
const ERESTARTSYS: i32 = -512;

/// enum in include/net/tcp_states.h: ESTABLISHED 1, SYN_SENT 2, SYN_RECV 3, LISTEN 10, NEW_SYN_RECV 12.
const TCP_ESTABLISHED: i32 = 1;
const TCP_CLOSE_WAIT: i32 = 8;

#[inline(always)]
pub fn from_result(cookie: u64, direction: u8, result: i32) {
    if result == 0 && direction == direction::RECEIVE {
        return tell(cookie, end::PEER_CLOSED, 0, direction);
    }
    let goes_on = result == 0
        || result == EAGAIN
        || result == EINTR
        || result == EFAULT
        || result == EINVAL
        || result == ENOMEM
        || result == ENOBUFS
        || result <= ERESTARTSYS;
    if !goes_on {
        tell(cookie, end::FAILED, result, direction);
    }
}

#[btf_tracepoint(function = "inet_sock_set_state")]
pub fn tcp_state(context: BtfTracePointContext) -> i32 {
    let from: i32 = context.arg(1);
    let to: i32 = context.arg(2);
    // From the peer's FIN on (CLOSE_WAIT) its bytes can still be unread; the receive of 0 bytes tells the end then.
    let leaves = from == TCP_ESTABLISHED && to != TCP_CLOSE_WAIT || from == TCP_CLOSE_WAIT;
    if leaves {
        let sk: *mut c_void = context.arg(0);
        if let Some(state) = socket_state::find(sk)
            && state.verdict == FOLLOW
        {
            tell(state.cookie, end::CLOSED, 0, direction::SEND);
        }
    }
    0
}

#[inline(always)]
fn tell(socket: u64, reason: u32, error: i32, direction: u8) {
    let Some(mut entry) = RECORDS.reserve::<SocketEnd>(0) else {
        return count(counter::LOST_RECORDS, 1);
    };
    entry.write(SocketEnd {
        kind: kind::SOCKET_END,
        reserved: [0; 3],
        reason,
        socket,
        // SAFETY: a helper without arguments.
        at_ns: unsafe { bpf_ktime_get_ns() },
        error,
        direction: u32::from(direction),
    });
    entry.submit(1);
}
