//! Walks the user memory of a transfer buffer by buffer, and writes a record for each contiguous piece.

use aya_ebpf::{macros::map, maps::PerCpuArray};
use tracer_ebpf::{MAX_PIECE_BYTES, Transfer, direction, flag};

use super::emit;
use crate::{iovec, repeat};

/// Where the bytes of a transfer lie in user memory.
#[derive(Clone, Copy)]
pub enum Buffers {
    /// One buffer that starts here.
    One(u64),
    /// An array of `struct iovec`: address, length, and how many bytes of the first one lie before the transfer.
    Vector(u64, u64, u64),
    /// Not to be known.
    Unreadable,
}

/// `struct iovec` (include/uapi/linux/uio.h).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct IoVec {
    pub base: u64,
    pub bytes: u64,
}

/// Programs that move in one direction and can interrupt each other on a CPU: those of different address families.
pub const FAMILIES: u32 = 3;

/// One for each direction and family. In a map and not on the stack: the verifier follows what it knows of stack slots
/// through every round of the loop and runs out of patience, while a map's values are unknown to it from the start.
#[map]
static CURSORS: PerCpuArray<Cursor> = PerCpuArray::with_max_entries(2 * FAMILIES, 0);

/// Where the walk is.
#[repr(C)]
pub struct Cursor {
    header: Transfer,
    /// Current buffer.
    user: u64,
    user_left: u64,
    /// Buffers still to come.
    vector: u64,
    vector_left: u64,
    /// Bytes of the next buffer that lie before the transfer.
    skip: u64,
    /// Bytes of the transfer done, and in all.
    done: u64,
    total: u64,
    /// Copied are the bytes before `head_end` and those from `tail_start` on.
    head_end: u64,
    tail_start: u64,
}

/// What a direction and family have for themselves on each CPU.
#[inline(always)]
pub fn slot(direction: u8, family: u32) -> u32 {
    2 * family + u32::from(direction & 1)
}

/// The cursor of such a slot.
#[inline(always)]
pub fn cursor(slot: u32) -> Option<&'static mut Cursor> {
    // SAFETY: this CPU's slot of this program: the kernel keeps a program on its CPU, and turns one away that would
    // interrupt itself.
    CURSORS.get_ptr_mut(slot).map(|cursor| unsafe { &mut *cursor })
}

/// Writes the records of a transfer. True when the call had room or bytes for more than was moved.
#[inline(always)]
pub fn walk(header: Transfer, family: u32, buffers: Buffers, head_end: u64, tail_start: u64) -> bool {
    let total = u64::from(header.length);
    let (user, user_left, vector, vector_left, skip) = match buffers {
        Buffers::One(user) => (user, total, 0, 0, 0),
        Buffers::Vector(vector, vector_left, skip) => (0, 0, vector, vector_left, skip),
        Buffers::Unreadable => (0, 0, 0, 0, 0),
    };
    let slot = slot(header.direction, family);
    let Some(cursor) = cursor(slot) else { return false };
    *cursor =
        Cursor { header, user, user_left, vector, vector_left, skip, done: 0, total, head_end, tail_start };
    repeat::pieces(slot);
    if cursor.done < cursor.total {
        // More buffers than are walked, or a vector that does not cover what moved.
        rest_unreadable(cursor);
    }
    cursor.vector_left != 0 || cursor.user_left != 0
}

/// One step of the walk. False: it has come to its end.
#[inline(always)]
pub fn next_piece(cursor: &mut Cursor) -> bool {
    if cursor.done >= cursor.total {
        // A message is sent whole when only empty buffers are left of it.
        let may_be_empty = cursor.header.direction == direction::SEND && cursor.user_left == 0;
        if may_be_empty && cursor.vector_left != 0 && is_empty(cursor.vector) {
            cursor.vector += size_of::<IoVec>() as u64;
            cursor.vector_left -= 1;
            return true;
        }
        return false;
    }
    if cursor.user_left == 0 {
        if cursor.vector_left == 0 {
            return false;
        }
        let Some(buffer) = iovec::read(cursor.vector) else {
            cursor.vector_left = 0;
            return false;
        };
        cursor.vector += size_of::<IoVec>() as u64;
        cursor.vector_left -= 1;
        let skip = least(cursor.skip, buffer.bytes);
        cursor.skip -= skip;
        cursor.user = buffer.base + skip;
        cursor.user_left = buffer.bytes - skip;
        if cursor.user_left == 0 {
            return true;
        }
    }
    let left = cursor.total - cursor.done;
    let mut length = least(cursor.user_left, left);
    let mut captured = 0;
    if cursor.done < cursor.head_end {
        length = least(length, least(cursor.head_end - cursor.done, MAX_PIECE_BYTES));
        captured = length;
    } else if cursor.done < cursor.tail_start {
        length = least(length, cursor.tail_start - cursor.done);
    } else {
        length = least(length, MAX_PIECE_BYTES);
        captured = length;
    }
    let ends = cursor.done + length == cursor.total;
    cursor.header.flags = if ends { flag::ENDS_TRANSFER } else { 0 };
    cursor.header.length = length as u32;
    cursor.header.captured = captured as u32;
    emit::record(&cursor.header, cursor.user);
    cursor.header.position += length;
    cursor.done += length;
    cursor.user += length;
    cursor.user_left -= length;
    true
}

#[inline(always)]
fn is_empty(iovec_at: u64) -> bool {
    matches!(iovec::read(iovec_at), Some(IoVec { bytes: 0, .. }))
}

#[inline(always)]
fn rest_unreadable(cursor: &mut Cursor) {
    cursor.header.flags = flag::ENDS_TRANSFER | flag::UNREADABLE;
    cursor.header.length = (cursor.total - cursor.done) as u32;
    cursor.header.captured = 0;
    emit::record(&cursor.header, 0);
}

#[inline(always)]
fn least(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}
