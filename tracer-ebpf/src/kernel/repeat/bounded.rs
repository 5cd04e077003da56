//! Repetition without a helper (Linux 5.6): a loop that calls a global function. The verifier looks at such a function once,
//! and follows only the loop around it through every round.

use crate::kernel::pieces::{cursor, next_piece};

/// Most pieces of one transfer: UIO_MAXIOV iovecs, and the pieces of what is copied.
const MAX_PIECES: u32 = 2048;

#[inline(always)]
pub fn pieces(slot: u32) {
    let mut round = 0;
    while round < MAX_PIECES {
        if walk_piece(slot) == 0 {
            return;
        }
        round += 1;
    }
}

/// One step: 0 at the end of the walk.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn walk_piece(slot: u32) -> i32 {
    match cursor(slot) {
        Some(cursor) => i32::from(next_piece(cursor)),
        None => 0,
    }
}
