//! The end of a connection: a receive of 0 bytes, a failed call, or tp_btf `inet_sock_set_state` leaving the connected states.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::generated::bpf_ktime_get_ns, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use tracer_ebpf::{SocketEnd, counter, direction, end, kind};

use super::{
    maps::{NO_WAKEUP, RECORDS, count, setting},
    memory::read,
    socket_state::{self, FOLLOW},
};
use crate::store;

/// Errors that end a connection (errno.h). All others say something of the call, not of the connection.
#[inline(always)]
fn is_ending(result: i32) -> bool {
    // EPIPE; ENETDOWN to ECONNRESET; ESHUTDOWN; ETIMEDOUT to EHOSTUNREACH.
    matches!(result, -32 | -104..=-100 | -108 | -113..=-110)
}

/// enum in include/net/tcp_states.h.
const TCP_ESTABLISHED: i32 = 1;
const TCP_FIN_WAIT1: i32 = 4;
const TCP_CLOSE: i32 = 7;
const TCP_CLOSE_WAIT: i32 = 8;

/// Bit of `sk_shutdown` (include/net/sock.h): nothing more will arrive.
const RCV_SHUTDOWN: u8 = 1;

/// Nothing is left to receive. What arrived before a close, also before a reset, can still be received after it.
#[inline(always)]
fn is_drained(sk: *const c_void) -> bool {
    read::<u32>(sk, setting!(sk_receive_queue_qlen)) == 0
}

#[inline(always)]
fn is_receive_shut(sk: *const c_void) -> bool {
    read::<u8>(sk, setting!(sk_shutdown)) & RCV_SHUTDOWN != 0
}

#[inline(always)]
pub fn from_result(sk: *const c_void, cookie: u64, direction: u8, result: i32) {
    if result == 0 {
        // A receive into no room gives 0 bytes too.
        if direction == direction::RECEIVE && is_receive_shut(sk) && is_drained(sk) {
            tell(cookie, end::PEER_CLOSED, 0, direction);
        }
    } else if is_ending(result) {
        tell(cookie, end::FAILED, result, direction);
    }
}

#[btf_tracepoint(function = "inet_sock_set_state")]
pub fn tcp_state(context: BtfTracePointContext) -> i32 {
    let from: i32 = context.arg(1);
    let to: i32 = context.arg(2);
    // From the peer's FIN on (CLOSE_WAIT) its bytes can still be unread; the receive of 0 bytes tells the end then.
    let leaves = from == TCP_ESTABLISHED && to != TCP_CLOSE_WAIT || from == TCP_CLOSE_WAIT || to == TCP_CLOSE;
    let sk: *mut c_void = context.arg(0);
    if leaves && let Some(state) = socket_state::find(sk) {
        if state.verdict == FOLLOW
            && state.closed == 0
            && is_drained(sk)
            // shutdown(SHUT_WR): the answers are still to come. A close shuts both directions first.
            && (to != TCP_FIN_WAIT1 || is_receive_shut(sk))
        {
            state.closed = 1;
            tell(state.cookie, end::CLOSED, 0, direction::SEND);
        }
        if state.released != 0 {
            store::forget(sk);
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
    entry.submit(NO_WAKEUP);
}
