//! The user memory of a message, from its iterator as the kernel's function has left it.
//!
//! At the return the iterator has gone on by what was moved. Its way back to the start is known: a call's length at entry is
//! an argument of the function, so the difference to what is left is what the iterator went. The kernel itself goes back the
//! same way (`iov_iter_revert`, lib/iov_iter.c). Iterators over the kernel's own memory (pages of a file or a pipe) have no
//! user memory: unreadable, never guessed.

use core::ffi::c_void;

use aya_ebpf::{macros::map, maps::PerCpuArray};

use crate::{
    iovec,
    kernel::{
        maps::setting,
        memory::{at, read},
        pieces::{Buffers, FAMILIES, IoVec},
    },
};

const IOVEC_BYTES: u64 = size_of::<IoVec>() as u64;

/// UIO_MAXIOV (include/uapi/linux/uio.h).
const MOST_IOVECS: u32 = 1024;

/// `message`: a `struct msghdr` at the return of a call that began with `length` bytes of room or data and moved `moved` of
/// them; `slot` as in `pieces`.
#[inline(always)]
pub fn buffers(message: *const c_void, length: u64, moved: u64, slot: u32) -> Buffers {
    let iterator: *const c_void = at(message, setting!(msghdr_iter));
    let left: u64 = read(iterator, setting!(iter_count));
    if left > length || length - left < moved {
        return Buffers::Unreadable;
    }
    // More than was moved, where the kernel met an address that it could not read or write.
    let gone = length - left;
    let kind = read::<u32>(iterator, setting!(iter_kind)) & setting!(iter_kind_mask);
    let offset: u64 = read(iterator, setting!(iter_offset));
    if kind == setting!(iter_kind_ubuf) {
        let buffer: u64 = read(iterator, setting!(iter_ubuf));
        return if offset < gone { Buffers::Unreadable } else { Buffers::One(buffer + offset - gone) };
    }
    if kind != setting!(iter_kind_iovec) {
        return Buffers::Unreadable;
    }
    let next: u64 = read(iterator, setting!(iter_iovec));
    back(next, offset, gone, moved, slot)
}

/// Goes back `gone` bytes from `offset` bytes into the iovec at `next`.
#[inline(always)]
fn back(next: u64, offset: u64, gone: u64, moved: u64, slot: u32) -> Buffers {
    if offset >= gone {
        return match iovec::read(next) {
            Some(iovec) => Buffers::One(iovec.base + offset - gone),
            None => Buffers::Unreadable,
        };
    }
    let left = gone - offset;
    // Most often there is one buffer only.
    match iovec::read(next - IOVEC_BYTES) {
        Some(last) if last.bytes >= left && left >= moved => Buffers::One(last.base + last.bytes - left),
        Some(_) if find_start(slot, next, left) != 0 => match STARTS.get_ptr(slot) {
            // SAFETY: this CPU's slot of this program, as with the cursors of `pieces`.
            Some(start) => unsafe { Buffers::Vector((*start).iovec, (*start).iovecs, (*start).skip) },
            None => Buffers::Unreadable,
        },
        _ => Buffers::Unreadable,
    }
}

/// Where a message begins: an iovec, how many of them there are, and bytes of the first one before the message.
#[repr(C)]
struct Start {
    iovec: u64,
    iovecs: u64,
    skip: u64,
}

/// One for each slot of the cursors, for the same reason.
#[map]
static STARTS: PerCpuArray<Start> = PerCpuArray::with_max_entries(2 * FAMILIES, 0);

/// Finds the iovec that lies `left` bytes before the one at `next`; 0 when there is none. A global function: the verifier
/// looks at it once, and knows nothing of what it found, so it need not follow each number of rounds apart.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn find_start(slot: u32, next: u64, left: u64) -> i32 {
    let Some(start) = STARTS.get_ptr_mut(slot) else { return 0 };
    let mut left = left;
    let mut place = next;
    let mut round = 0;
    while round < MOST_IOVECS {
        place -= IOVEC_BYTES;
        round += 1;
        let Some(iovec) = iovec::read(place) else { return 0 };
        if iovec.bytes >= left {
            let skip = iovec.bytes - left;
            // SAFETY: as in `back`.
            unsafe { *start = Start { iovec: place, iovecs: u64::from(round) + 1, skip } };
            return 1;
        }
        left -= iovec.bytes;
    }
    0
}
