//! Calls that have begun: which socket they are about.
//!
//! Kept from a call's entry to its exit, because another thread may close the descriptor meanwhile and open something else
//! under its number.

use core::ffi::c_void;

use aya_ebpf::{macros::map, maps::LruHashMap};

/// Most calls in progress that are known at once: one for each thread of the targets. Of one that had to make room, the
/// socket is looked up at its exit.
const MAX_CALLS: u32 = 16_384;

/// What is kept. After the call's end its number is [`OVER`].
#[repr(C)]
#[derive(Clone, Copy)]
struct Begun {
    /// 0 where the descriptor stands for no socket.
    sk: u64,
    number: u32,
    direction: u32,
}

const OVER: u32 = u32::MAX;

/// By thread.
#[map]
static CALLS: LruHashMap<u64, Begun> = LruHashMap::with_max_entries(MAX_CALLS, 0);

#[inline(always)]
pub fn begin(thread: u64, number: u64, (sk, direction): (*mut c_void, u8)) {
    let begun = Begun { sk: sk as u64, number: number as u32, direction: u32::from(direction) };
    // A refusal leaves the look-up to the exit.
    let _ = CALLS.insert(thread, begun, 0);
}

/// Socket and direction of the call that ends now. None: its beginning was not seen.
#[inline(always)]
pub fn end(thread: u64, number: u64) -> Option<(*mut c_void, u8)> {
    let begun = CALLS.get_ptr_mut(thread)?;
    // SAFETY: a value of the map; only this thread uses it, and the kernel uses its memory for nothing else meanwhile.
    let begun = unsafe { &mut *begun };
    if begun.number != number as u32 {
        return None;
    }
    begun.number = OVER;
    Some((begun.sk as *mut c_void, begun.direction as u8))
}
