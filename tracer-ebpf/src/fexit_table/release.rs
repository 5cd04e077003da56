//! fentry of the functions that close a socket for good: its state leaves the table, so that the table never fills with
//! sockets that are no more, and an address that is used again finds no state of another socket.

use aya_ebpf::{macros::fentry, programs::FEntryContext};

use crate::{
    argument,
    kernel::{maps::setting, memory::read, socket_state::FOLLOW},
    store,
};

/// enum in include/net/tcp_states.h.
const TCP_CLOSE: u8 = 7;

/// IPv6's function calls this one too.
#[fentry(function = "inet_release")]
pub fn inet_release(context: FEntryContext) -> i32 {
    let sk = argument::sk(&context);
    if let Some(state) = store::find(sk) {
        // A TCP connection still has its end to tell; its last change of state takes it out then.
        if state.verdict == FOLLOW && read::<u8>(sk, setting!(skc_state)) != TCP_CLOSE {
            state.released = 1;
        } else {
            store::forget(sk);
        }
    }
    0
}

#[fentry(function = "unix_release")]
pub fn unix_release(context: FEntryContext) -> i32 {
    store::forget(argument::sk(&context));
    0
}
