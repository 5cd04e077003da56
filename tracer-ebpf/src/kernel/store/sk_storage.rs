//! Socket states in socket storage (tracing programs: Linux 5.12): no key to hash, and the kernel frees them.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::BPF_SK_STORAGE_GET_F_CREATE,
    btf_maps::SkStorage,
    helpers::generated::{bpf_get_socket_cookie, bpf_sk_storage_get},
    macros::btf_map,
};

use crate::kernel::socket_state::SocketState;

#[btf_map]
static SOCKETS: SkStorage<SocketState> = SkStorage::new();

/// The state of a socket that is known already.
#[inline(always)]
pub fn find(sk: *mut c_void) -> Option<&'static mut SocketState> {
    // SAFETY: sk is the tracepoint's own socket; the verifier checks it.
    unsafe {
        bpf_sk_storage_get((&raw const SOCKETS).cast_mut().cast(), sk, core::ptr::null_mut(), 0)
            .cast::<SocketState>()
            .as_mut()
    }
}

/// Puts a state to a socket that has none.
#[inline(always)]
pub fn create(sk: *mut c_void, mut fresh: SocketState) -> Option<&'static mut SocketState> {
    // SAFETY: as in `find`; the kernel copies `fresh`.
    unsafe {
        bpf_sk_storage_get(
            (&raw const SOCKETS).cast_mut().cast(),
            sk,
            (&raw mut fresh).cast(),
            u64::from(BPF_SK_STORAGE_GET_F_CREATE),
        )
        .cast::<SocketState>()
        .as_mut()
    }
}

/// Nothing to do: the kernel frees a state with its socket.
#[inline(always)]
pub fn forget(_sk: *mut c_void) {}

/// The socket's cookie.
#[inline(always)]
pub fn identity(sk: *mut c_void) -> u64 {
    // SAFETY: sk is the tracepoint's own socket.
    unsafe { bpf_get_socket_cookie(sk) }
}
