//! Repetition without a helper (loops: Linux 5.3). The verifier follows every round, so a round is only the call of a function
//! that it looks at once and by itself (`BTF_FUNC_GLOBAL`, Linux 5.6).

use crate::kernel::pieces::{Cursor, cursor, next_piece};

/// Most pieces of one transfer: UIO_MAXIOV iovecs, and the pieces of what is copied.
const MAX_PIECES: u32 = 2048;

#[inline(always)]
pub fn pieces(cursor: &mut Cursor) {
    let direction = cursor.direction();
    let mut round = 0;
    while round < MAX_PIECES {
        if step(direction) == 0 {
            return;
        }
        round += 1;
    }
}

/// One step of the walk in this direction; 0 at its end. Such a function takes numbers only, so the cursor is looked up.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn step(direction: u32) -> u32 {
    match cursor(direction) {
        // SAFETY: as in `walk`, which goes on when this function returns.
        Some(cursor) => u32::from(next_piece(unsafe { &mut *cursor })),
        None => 0,
    }
}
