//! Repetition by `bpf_loop` (Linux 5.17): the verifier looks at the step once, however often it is repeated.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_loop;

use crate::kernel::pieces::{Cursor, cursor, next_piece};

/// Most pieces of one transfer: UIO_MAXIOV iovecs, and the pieces of what is copied.
const MAX_PIECES: u32 = 2048;

#[inline(always)]
pub fn pieces(slot: u32) {
    let Some(cursor) = cursor(slot) else { return };
    // `bpf_loop` takes a pointer to the stack only, so the cursor's own pointer lies there.
    let mut place: *mut Cursor = cursor;
    // SAFETY: the callback gets this pointer and nothing else; it lives until the loop returns.
    unsafe { bpf_loop(MAX_PIECES, step as *mut c_void, (&raw mut place).cast(), 0) };
}

/// Callback of `bpf_loop`: 1 stops it.
extern "C" fn step(_index: u64, place: *mut c_void) -> i64 {
    // SAFETY: the pointer that `pieces` gave to `bpf_loop`.
    i64::from(!next_piece(unsafe { &mut **place.cast::<*mut Cursor>() }))
}
