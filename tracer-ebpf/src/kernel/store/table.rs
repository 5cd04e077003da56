//! Socket states in a table by the socket's address, where the kernel has no socket storage for programs that trace.
//!
//! An address is used again, so the inode number of the socket's file goes with it. The table is bounded: the socket that
//! was not used for longest makes room, and comes back as another one, joined in the middle.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::generated::bpf_get_smp_processor_id,
    macros::map,
    maps::{LruHashMap, PerCpuArray},
};

use crate::kernel::{
    maps::setting,
    memory::{follow, read},
    socket_state::SocketState,
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
static SOCKETS: LruHashMap<u64, Entry> = LruHashMap::with_max_entries(MAX_SOCKETS, 0);

/// How many identities each CPU has given.
#[map]
static IDENTITIES: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

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

/// The socket's cookie where somebody has asked the kernel for it before (`sock_gen_cookie`, net/core/sock_diag.c, makes it
/// at the first question), else a number of our own. Cookies count from 1, so they never get as far as the highest bit.
#[inline(always)]
pub fn identity(sk: *mut c_void) -> u64 {
    let cookie: u64 = read(sk, setting!(skc_cookie));
    if cookie != 0 {
        return cookie;
    }
    let Some(count) = IDENTITIES.get_ptr_mut(0) else {
        return sk as u64;
    };
    // SAFETY: this CPU's slot. A helper without arguments.
    unsafe {
        *count += 1;
        1 << 63 | u64::from(bpf_get_smp_processor_id() as u32) << 40 | *count
    }
}
