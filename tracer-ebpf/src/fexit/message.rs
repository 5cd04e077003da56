//! The user memory of a message, from its iterator as the kernel's function has left it.
//!
//! At the return the iterator has gone on by what was moved. Its way back to the start is known: a call's length at entry is
//! an argument of the function, so the difference to what is left is what the iterator went. The kernel itself goes back the
//! same way (`iov_iter_revert`, lib/iov_iter.c). Iterators over the kernel's own memory (pages of a file or a pipe) have no
//! user memory: unreadable, never guessed.

use core::ffi::c_void;

use crate::{
    iovec,
    kernel::{
        maps::setting,
        memory::{at, read},
        pieces::{Buffers, IoVec},
    },
};

const IOVEC_BYTES: u64 = size_of::<IoVec>() as u64;

/// UIO_MAXIOV (include/uapi/linux/uio.h).
const MOST_IOVECS: u32 = 1024;

/// `message`: a `struct msghdr` at the return of a call that began with `length` bytes of room or data and moved `moved` of
/// them.
#[inline(always)]
pub fn buffers(message: *const c_void, length: u64, moved: u64) -> Buffers {
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
    back(next, offset, gone, moved)
}

/// Goes back `gone` bytes from `offset` bytes into the iovec at `next`.
#[inline(always)]
fn back(next: u64, offset: u64, gone: u64, moved: u64) -> Buffers {
    if offset >= gone {
        return match iovec::read(next) {
            Some(iovec) => Buffers::One(iovec.base + offset - gone),
            None => Buffers::Unreadable,
        };
    }
    let mut left = gone - offset;
    let mut place = next;
    let mut round = 0;
    while round < MOST_IOVECS {
        place -= IOVEC_BYTES;
        let Some(iovec) = iovec::read(place) else {
            return Buffers::Unreadable;
        };
        if iovec.bytes >= left {
            let skip = iovec.bytes - left;
            if left >= moved {
                return Buffers::One(iovec.base + skip);
            }
            // SAFETY: changes nothing. Hides from LLVM that the difference is the number of rounds, which the verifier
            // would know, and so look at everything that follows once for each number.
            unsafe { core::arch::asm!("/* {0} */", inout(reg) place) };
            return Buffers::Vector(place, (next - place) / IOVEC_BYTES + 1, skip);
        }
        left -= iovec.bytes;
        round += 1;
    }
    Buffers::Unreadable
}
