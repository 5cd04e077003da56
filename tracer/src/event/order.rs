//! Order within one direction of a connection, by stream position.
//!
//! Rule: pieces come out in position order; a piece that lies ahead waits for the ones before it until [`PATIENCE`] has
//! passed in the data's own time, then the hole is a gap of exactly known length. Never drops a byte silently.

use super::{SocketId, Transfer};
use crate::{request::Task, time::Nanos};

/// How long a piece waits for earlier ones. CPUs hand in their records within microseconds of each other; the rest is slack.
pub const PATIENCE: Nanos = Nanos::from_millis(50);
/// Most bytes that wait in one direction.
const MOST_HELD_BYTES: usize = 1 << 20;
/// Most pieces that wait in one direction.
const MOST_HELD: usize = 256;

/// A piece that waits, with its own copy of the bytes.
#[derive(Debug)]
struct Held {
    socket: SocketId,
    sent: bool,
    at: Nanos,
    task: Task,
    position: u64,
    bytes: Vec<u8>,
    skipped: u64,
    ends_transfer: bool,
    unreadable: bool,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Stream {
    next: u64,
    held: Vec<Held>,
    held_bytes: usize,
}

impl Stream {
    /// Takes a piece; hands out every piece whose turn it is, each with the number of bytes that were lost before it.
    pub fn push(&mut self, piece: &Transfer<'_>, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        if self.held.is_empty() && piece.position == self.next {
            self.next = self.next.saturating_add(piece.len());
            return out(0, piece);
        }
        if piece.position < self.next {
            // Two threads wrote at once without a lock of their own: the order of these bytes is not to be known.
            return self.give(piece, out);
        }
        self.hold(piece);
        self.release(out);
        if self.held.len() > MOST_HELD || self.held_bytes > MOST_HELD_BYTES {
            self.expire(Nanos(u64::MAX), out);
        }
    }

    /// Gives up waiting for pieces before those that have waited longer than [`PATIENCE`].
    pub fn expire(&mut self, now: Nanos, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        while self.held.first().is_some_and(|first| now - first.at > PATIENCE) {
            let first = self.held.remove(0);
            self.held_bytes = self.held_bytes.saturating_sub(first.bytes.len());
            self.give(&first.piece(), out);
            self.release(out);
        }
    }

    /// True when pieces wait.
    pub fn waits(&self) -> bool {
        !self.held.is_empty()
    }

    fn hold(&mut self, piece: &Transfer<'_>) {
        let index = self.held.partition_point(|held| held.position <= piece.position);
        self.held_bytes = self.held_bytes.saturating_add(piece.bytes.len());
        self.held.insert(
            index,
            Held {
                socket: piece.socket,
                sent: piece.sent,
                at: piece.at,
                task: piece.task,
                position: piece.position,
                bytes: piece.bytes.to_vec(),
                skipped: piece.skipped,
                ends_transfer: piece.ends_transfer,
                unreadable: piece.unreadable,
            },
        );
    }

    fn release(&mut self, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        while self.held.first().is_some_and(|first| first.position <= self.next) {
            let first = self.held.remove(0);
            self.held_bytes = self.held_bytes.saturating_sub(first.bytes.len());
            self.give(&first.piece(), out);
        }
    }

    fn give(&mut self, piece: &Transfer<'_>, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        let gap = piece.position.saturating_sub(self.next);
        self.next = piece.position.saturating_add(piece.len()).max(self.next);
        out(gap, piece);
    }
}

impl Held {
    fn piece(&self) -> Transfer<'_> {
        Transfer {
            socket: self.socket,
            at: self.at,
            task: self.task,
            sent: self.sent,
            position: self.position,
            bytes: &self.bytes,
            skipped: self.skipped,
            ends_transfer: self.ends_transfer,
            unreadable: self.unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pieces`: position, text and time of each, as they come. The answer: what goes out, gaps as `<n>`.
    fn check(pieces: &[(u64, &str, u64)], expected: &str) {
        let mut stream = Stream::default();
        let mut text = String::new();
        let mut out = |gap: u64, piece: &Transfer<'_>| {
            if gap > 0 {
                text.push_str(&format!("<{gap}>"));
            }
            text.push_str(std::str::from_utf8(piece.bytes).unwrap());
        };
        for (position, bytes, at_ms) in pieces {
            let at = Nanos::from_millis(*at_ms);
            stream.expire(at, &mut out);
            stream.push(
                &Transfer {
                    socket: SocketId(1),
                    at,
                    task: Task::default(),
                    sent: true,
                    position: *position,
                    bytes: bytes.as_bytes(),
                    skipped: 0,
                    ends_transfer: true,
                    unreadable: false,
                },
                &mut out,
            );
        }
        assert_eq!(text, expected);
    }

    #[test]
    fn pieces_come_out_in_position_order() {
        check(&[(0, "ab", 0), (2, "cd", 0)], "abcd");
        check(&[(2, "cd", 0), (0, "ab", 1)], "abcd"); // case 59
        check(&[(4, "ef", 0), (2, "cd", 1), (0, "ab", 2), (6, "g", 3)], "abcdefg");
    }

    #[test]
    fn a_lost_record_is_a_gap_of_known_length_after_a_while() {
        check(&[(0, "ab", 0), (5, "fg", 1)], "ab");
        check(&[(0, "ab", 0), (5, "fg", 1), (7, "h", 60)], "ab<3>fgh"); // case 61
        check(&[(3, "d", 0), (9, "j", 1), (10, "k", 80)], "<3>d<5>jk");
    }

    #[test]
    fn overlapping_positions_lose_nothing() {
        check(&[(0, "abc", 0), (2, "x", 1), (3, "d", 2)], "abcxd");
    }
}
