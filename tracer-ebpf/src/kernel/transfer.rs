//! tp_btf `sock_send_length` and `sock_recv_length` (Linux 6.3, include/trace/events/sock.h): once for every completed
//! send or receive on any socket, whatever call made it.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::{
        bpf_get_current_pid_tgid,
        generated::{bpf_ktime_get_ns, bpf_loop},
    },
    macros::{btf_tracepoint, map},
    maps::PerCpuArray,
    programs::BtfTracePointContext,
};
use tracer_ebpf::{
    HEAD_BYTES, MAX_PIECE_BYTES, SMALL_BYTES, TAIL_BYTES, Transfer, direction, flag, kind, target,
};

use super::{
    buffers::{self, Buffers},
    emit,
    maps::{setting, target_bits},
    socket_end, socket_facts,
    socket_state::{self, FOLLOW, SocketState},
};

/// Receives that take nothing from the byte stream: MSG_OOB, MSG_PEEK, MSG_ERRQUEUE (include/linux/socket.h).
const NOT_THE_STREAM: u32 = 0x1 | 0x2 | 0x2000;
/// MSG_TRUNC: TCP drops the bytes and fills no buffer.
const DISCARDED: u32 = 0x20;
/// Most pieces of one transfer: UIO_MAXIOV iovecs, and the pieces of what is copied.
const MAX_PIECES: u32 = 2048;

#[btf_tracepoint(function = "sock_send_length")]
pub fn send(context: BtfTracePointContext) -> i32 {
    transfer(&context, direction::SEND);
    0
}

#[btf_tracepoint(function = "sock_recv_length")]
pub fn receive(context: BtfTracePointContext) -> i32 {
    transfer(&context, direction::RECEIVE);
    0
}

#[inline(always)]
fn transfer(context: &BtfTracePointContext, direction: u8) {
    let pid_tgid = bpf_get_current_pid_tgid();
    let tgid = (pid_tgid >> 32) as u32;
    let traced = target_bits(tgid) & target::TRACED != 0;
    let sk: *mut c_void = context.arg(0);
    let state = match socket_state::find(sk) {
        Some(state) => state,
        None if !traced => return,
        None => match socket_state::create(sk) {
            Some(state) => state,
            None => return,
        },
    };
    // A socket that a target shares with another process stays followed there, or its positions would be wrong.
    if state.verdict != FOLLOW {
        return;
    }
    let moved: i32 = context.arg(1);
    let flags: u32 = context.arg::<i32>(2) as u32;
    if direction == direction::RECEIVE && flags & NOT_THE_STREAM != 0 {
        return;
    }
    if moved <= 0 {
        if moved == 0 {
            buffers::pass_empty(state, sk, direction, pid_tgid as u32);
        } else {
            buffers::forget_vector(state, direction);
        }
        return socket_end::from_result(sk, state.cookie, direction, moved);
    }
    if state.told == 0 && socket_facts::tell(sk, state.cookie) {
        state.told = 1;
    }
    pieces(sk, state, direction, moved as u32, flags, pid_tgid);
}

/// One for each of the two programs. In a map and not on the stack: the verifier follows what it knows of stack slots
/// through every round of the loop and runs out of patience, while a map's values are unknown to it from the start.
#[map]
static CURSORS: PerCpuArray<Cursor> = PerCpuArray::with_max_entries(2, 0);

/// Walks the user memory of a transfer piece by piece.
#[repr(C)]
struct Cursor {
    header: Transfer,
    /// Current buffer.
    user: u64,
    user_left: u64,
    /// Buffers still to come.
    vector: u64,
    vector_left: u64,
    /// Bytes of the transfer done, and in all.
    done: u64,
    total: u64,
    /// Copied are the bytes before `head_end` and those from `tail_start` on.
    head_end: u64,
    tail_start: u64,
}

#[inline(always)]
fn pieces(sk: *const c_void, state: &mut SocketState, direction: u8, moved: u32, flags: u32, pid_tgid: u64) {
    let discarded = flags & DISCARDED != 0;
    if state.last_direction != direction {
        state.last_direction = direction;
        state.copied_bytes = 0;
    }
    let total = u64::from(moved);
    let slot = (direction & 1) as usize;
    let position = state.position[slot];
    state.position[slot] = position + total;
    let left = setting!(capture_bytes).saturating_sub(state.copied_bytes);
    let (head_end, tail_start) = if total <= left {
        (total, total)
    } else {
        let head = if left > HEAD_BYTES { left } else { HEAD_BYTES };
        if head + TAIL_BYTES >= total { (total, total) } else { (head, total - TAIL_BYTES) }
    };
    state.copied_bytes += head_end + (total - tail_start);
    let found =
        if discarded { Buffers::Unreadable } else { buffers::current(state, sk, direction, pid_tgid as u32) };
    let mut header = Transfer {
        kind: kind::TRANSFER,
        direction,
        flags: flag::ENDS_TRANSFER,
        length: moved,
        captured: 0,
        reserved: 0,
        socket: state.cookie,
        // SAFETY: a helper without arguments.
        at_ns: unsafe { bpf_ktime_get_ns() },
        position,
        tgid: (pid_tgid >> 32) as u32,
        tid: pid_tgid as u32,
    };
    let (user, user_left, vector, vector_left) = match found {
        Buffers::One(user) if head_end == total && total < SMALL_BYTES as u64 => {
            header.captured = moved;
            return emit::record(&header, user);
        }
        Buffers::One(user) => (user, total, 0, 0),
        Buffers::Vector(vector, vector_left) => (0, 0, vector, vector_left),
        Buffers::Unreadable => {
            header.flags |= flag::UNREADABLE;
            return emit::record(&header, 0);
        }
    };
    let Some(cursor) = CURSORS.get_ptr_mut(u32::from(direction & 1)) else {
        return;
    };
    // SAFETY: this CPU's slot of this program; tracepoints run with preemption off, and the kernel turns a program away
    // that would interrupt itself.
    let cursor = unsafe { &mut *cursor };
    *cursor = Cursor { header, user, user_left, vector, vector_left, done: 0, total, head_end, tail_start };
    // `bpf_loop` takes a pointer to the stack only, so the cursor's own pointer lies there.
    let mut place: *mut Cursor = cursor;
    // SAFETY: the callback gets this pointer and nothing else; it lives until the loop returns.
    unsafe { bpf_loop(MAX_PIECES, next_piece as *mut c_void, (&raw mut place).cast(), 0) };
    if cursor.done < cursor.total {
        // More buffers than are walked, or a vector that does not cover what moved.
        rest_unreadable(cursor);
    }
    if direction == direction::SEND && (cursor.vector_left != 0 || cursor.user_left != 0) {
        buffers::forget_vector(state, direction);
    }
}

/// Callback of `bpf_loop`: 1 stops it.
extern "C" fn next_piece(_index: u64, place: *mut c_void) -> i64 {
    // SAFETY: the pointer that `pieces` gave to `bpf_loop`.
    let cursor = unsafe { &mut **place.cast::<*mut Cursor>() };
    if cursor.done >= cursor.total {
        // A message is sent whole when only empty buffers are left of it.
        let may_be_empty = cursor.header.direction == direction::SEND && cursor.user_left == 0;
        if may_be_empty && cursor.vector_left != 0 && buffers::is_empty(cursor.vector) {
            cursor.vector += size_of::<buffers::IoVec>() as u64;
            cursor.vector_left -= 1;
            return 0;
        }
        return 1;
    }
    if cursor.user_left == 0 {
        if cursor.vector_left == 0 {
            return 1;
        }
        let Some(buffer) = buffers::iovec(cursor.vector) else {
            cursor.vector_left = 0;
            return 1;
        };
        cursor.vector += size_of::<buffers::IoVec>() as u64;
        cursor.vector_left -= 1;
        cursor.user = buffer.base;
        cursor.user_left = buffer.bytes;
        if buffer.bytes == 0 {
            return 0;
        }
    }
    let left = cursor.total - cursor.done;
    let mut length = if cursor.user_left < left { cursor.user_left } else { left };
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
    0
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
