//! What is kept with each socket of a target: identity, positions, and how much was copied since the direction turned.

use core::ffi::c_void;

use tracer_ebpf::counter;

use super::{maps::count, socket_facts};
use crate::store;

pub const FOLLOW: u32 = 1;
pub const IGNORE: u32 = 2;

/// One per socket. Two threads that use one direction of a byte stream at once must serialise themselves, or their bytes mix;
/// so plain stores are enough here.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SocketState {
    /// [`store::identity`].
    pub cookie: u64,
    /// Bytes moved so far, by [`tracer_ebpf::direction`].
    pub position: [u64; 2],
    /// Bytes copied since the direction turned.
    pub copied_bytes: u64,
    /// sendmmsg and recvmmsg in progress, by direction: one thread may send while another one receives.
    pub messages: [MessageVector; 2],
    /// [`FOLLOW`] or [`IGNORE`].
    pub verdict: u32,
    pub last_direction: u8,
    /// 1 when user space has been told of this socket.
    pub told: u8,
    /// 1 when user space has been told that TCP closed it.
    pub closed: u8,
    /// 1 when its file is closed and only its end is still to come. For a store that must be told.
    pub released: u8,
}

/// The vector of a sendmmsg or recvmmsg, who made the call, and which of the messages comes next. For a backend that is not
/// told which message of a call it sees.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MessageVector {
    pub vector: u64,
    pub index: u32,
    pub tid: u32,
}

/// The state of a socket that is known already.
#[inline(always)]
pub fn find(sk: *mut c_void) -> Option<&'static mut SocketState> {
    store::find(sk)
}

/// The state of a target's socket at its first transfer.
#[inline(always)]
pub fn create(sk: *mut c_void) -> Option<&'static mut SocketState> {
    let fresh = SocketState {
        cookie: store::identity(sk),
        position: [0; 2],
        copied_bytes: 0,
        messages: [MessageVector { vector: 0, index: 0, tid: 0 }; 2],
        verdict: if socket_facts::is_stream(sk) { FOLLOW } else { IGNORE },
        last_direction: 0,
        told: 0,
        closed: 0,
        released: 0,
    };
    let state = store::create(sk, fresh);
    if state.is_none() {
        count(counter::SOCKETS_REFUSED, 1);
    }
    state
}
