//! Socket states in a table by the socket's address, where the kernel has no socket storage for programs that trace.
//!
//! An address is used again, so the inode number of the socket's file goes with it. The backend says what happens when the
//! table is full.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::generated::{bpf_get_smp_processor_id, bpf_ktime_get_ns},
    macros::map,
};

use crate::{
    SocketTable,
    kernel::{
        maps::setting,
        memory::{follow, read},
        socket_state::SocketState,
    },
};

/// Most sockets of all targets that are known at once.
const MAX_SOCKETS: u32 = 32_768;

#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    inode: u64,
    state: SocketState,
}

#[map]
static SOCKETS: SocketTable<Entry> = SocketTable::with_max_entries(MAX_SOCKETS, 0);

/// Inode number of the socket's file; 0 when the file is closed already.
#[inline(always)]
fn inode(sk: *const c_void) -> u64 {
    let socket = follow(sk, setting!(sk_socket));
    if socket.is_null() { 0 } else { read(socket, setting!(socket_ino)) }
}

/// The state of a socket that is known already.
#[inline(always)]
pub fn find(sk: *mut c_void) -> Option<&'static mut SocketState> {
    let entry = SOCKETS.get_ptr_mut(sk as u64)?;
    let inode = inode(sk);
    // SAFETY: a value of the map; the kernel uses its memory for nothing else while the program runs.
    let entry = unsafe { &mut *entry };
    if inode != 0 && inode != entry.inode { None } else { Some(&mut entry.state) }
}

/// Puts a state to a socket that has none.
#[inline(always)]
pub fn create(sk: *mut c_void, fresh: SocketState) -> Option<&'static mut SocketState> {
    let key = sk as u64;
    SOCKETS.insert(key, Entry { inode: inode(sk), state: fresh }, 0).ok()?;
    // SAFETY: as in `find`.
    Some(unsafe { &mut (*SOCKETS.get_ptr_mut(key)?).state })
}

/// Takes a socket's state out.
#[inline(always)]
pub fn forget(sk: *mut c_void) {
    // There is none of a socket that no target has used.
    let _ = SOCKETS.remove(sk as u64);
}

/// The socket's cookie where somebody has asked the kernel for it before (`sock_gen_cookie`, net/core/sock_diag.c, makes it
/// at the first question), else a number of our own: the time and the CPU. No CPU does this twice in a nanosecond, and after
/// 39 hours, when the time's bits begin anew, it had to hit one nanosecond of a socket that is still there. Cookies count
/// from 1, so they never get as far as the highest bit.
#[inline(always)]
pub fn identity(sk: *mut c_void) -> u64 {
    let cookie: u64 = read(sk, setting!(skc_cookie));
    if cookie != 0 {
        return cookie;
    }
    // SAFETY: helpers without arguments.
    let (time, cpu) = unsafe { (bpf_ktime_get_ns(), bpf_get_smp_processor_id()) };
    1 << 63 | (time & ((1 << 47) - 1)) << 16 | u64::from(cpu as u16)
}
