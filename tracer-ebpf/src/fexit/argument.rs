//! The socket that a function is about, as socket storage wants it: a pointer whose type the verifier knows.

use core::ffi::c_void;

use aya_ebpf::EbpfContext;

use crate::kernel::maps::setting;

/// `socket.sk` of the function's first argument.
#[inline(always)]
pub fn sk(context: &impl EbpfContext) -> *mut c_void {
    // SAFETY: the context of such a program is the function's arguments, 8 bytes each; the verifier checks that a pointer
    // member is at the offset. Volatile, or the read would be merged with others.
    unsafe {
        let socket = *context.as_ptr().cast::<*const u8>();
        socket.add(setting!(socket_sk) as usize).cast::<*mut c_void>().read_volatile()
    }
}
