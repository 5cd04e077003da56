//! The socket that a function is about, as a number: the key of its state.

use core::ffi::c_void;

use aya_ebpf::EbpfContext;

use crate::kernel::{maps::setting, memory::follow};

/// `socket.sk` of the function's first argument.
#[inline(always)]
pub fn sk(context: &impl EbpfContext) -> *mut c_void {
    // SAFETY: the context of such a program is the function's arguments, 8 bytes each.
    let socket = unsafe { *context.as_ptr().cast::<*const c_void>() };
    follow(socket, setting!(socket_sk)).cast_mut()
}
