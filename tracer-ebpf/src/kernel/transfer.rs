//! A send or receive that is complete, whoever tells of it: whether it counts, and where its bytes go.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use tracer_ebpf::{HEAD_BYTES, SMALL_BYTES, TAIL_BYTES, Transfer, direction, flag, kind, target};

use super::{
    emit,
    maps::{setting, target_bits},
    pieces::{self, Buffers},
    socket_end, socket_facts,
    socket_state::{self, FOLLOW, SocketState},
};

/// Receives that take nothing from the byte stream: MSG_OOB, MSG_PEEK, MSG_ERRQUEUE (include/linux/socket.h).
const NOT_THE_STREAM: u32 = 0x1 | 0x2 | 0x2000;
/// MSG_TRUNC: TCP drops the bytes and fills no buffer.
const DISCARDED: u32 = 0x20;

/// What a backend knows of the call that made the transfer.
pub trait Call {
    /// Where the bytes lie.
    fn buffers(&self, state: &mut SocketState, direction: u8) -> Buffers;
    /// Tells programs apart that move in the same direction and can interrupt each other; below [`pieces::FAMILIES`].
    #[inline(always)]
    fn family(&self) -> u32 {
        0
    }
    /// It moved nothing, and its loop over messages goes on.
    #[inline(always)]
    fn moved_nothing(&self, _state: &mut SocketState, _direction: u8) {}
    /// It failed or moved only a part, and its loop over messages ends.
    #[inline(always)]
    fn leaves_its_loop(&self, _state: &mut SocketState, _direction: u8) {}
}

/// `result`: bytes moved, or a negative errno; `flags`: those of a receive.
#[inline(always)]
pub fn completed(sk: *mut c_void, direction: u8, result: i32, flags: u32, pid_tgid: u64, call: &impl Call) {
    let tgid = (pid_tgid >> 32) as u32;
    let traced = target_bits(tgid) & target::TRACED != 0;
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
    if direction == direction::RECEIVE && flags & NOT_THE_STREAM != 0 {
        return;
    }
    if result <= 0 {
        if result == 0 {
            call.moved_nothing(state, direction);
        } else {
            call.leaves_its_loop(state, direction);
        }
        return socket_end::from_result(sk, state.cookie, direction, result);
    }
    if state.told == 0 && socket_facts::tell(sk, state.cookie) {
        state.told = 1;
    }
    moved(state, direction, result as u32, flags & DISCARDED != 0, pid_tgid, call);
}

#[inline(always)]
fn moved(
    state: &mut SocketState,
    direction: u8,
    moved: u32,
    discarded: bool,
    pid_tgid: u64,
    call: &impl Call,
) {
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
    let found = if discarded { Buffers::Unreadable } else { call.buffers(state, direction) };
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
    match found {
        Buffers::One(user) if head_end == total && total < SMALL_BYTES as u64 => {
            header.captured = moved;
            emit::record(&header, user);
        }
        Buffers::Unreadable => {
            header.flags |= flag::UNREADABLE;
            emit::record(&header, 0);
        }
        found => {
            if pieces::walk(header, call.family(), found, head_end, tail_start)
                && direction == direction::SEND
            {
                call.leaves_its_loop(state, direction);
            }
        }
    }
}
