//! Order within a connection: by stream position in each direction, by time between the two.
//!
//! Rule: pieces come out in position order; a piece that lies ahead waits for the ones before it, and everything later
//! waits with it, until [`PATIENCE`] has passed in the data's own time; then the hole is a gap of exactly known length.
//! Never drops a byte silently.

use std::collections::VecDeque;

use super::{SocketId, Transfer};
use crate::{request::Task, time::Nanos};

/// How long a piece waits for earlier ones. CPUs hand in their records within microseconds of each other; the rest is slack.
pub const PATIENCE: Nanos = Nanos::from_millis(50);
/// Most bytes that wait on one connection.
const MOST_HELD_BYTES: usize = 1 << 20;
/// Most pieces that wait on one connection.
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

/// Both directions of a connection. While one waits for a piece, the other waits too: an answer must not overtake the
/// request that it answers.
#[derive(Debug, Default)]
pub struct Order {
    /// By direction; sent is 1.
    directions: [Direction; 2],
    held: usize,
    held_bytes: usize,
}

#[derive(Debug, Default)]
struct Direction {
    next: u64,
    /// By position.
    held: VecDeque<Held>,
}

impl Direction {
    /// Moves on behind a piece; gives the number of bytes that were lost before it.
    fn pass(&mut self, piece: &Transfer<'_>) -> u64 {
        let gap = piece.position.saturating_sub(self.next);
        self.next = piece.position.saturating_add(piece.len()).max(self.next);
        gap
    }
}

impl Order {
    /// Takes a piece; hands out every piece whose turn it is, each with the number of bytes that were lost before it.
    pub fn push(&mut self, piece: &Transfer<'_>, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        let direction = &mut self.directions[usize::from(piece.sent)];
        // A position before the next one: two threads wrote at once without a lock of their own, and the order of these
        // bytes is not to be known.
        if self.held == 0 && piece.position <= direction.next {
            direction.pass(piece);
            return out(0, piece);
        }
        self.hold(piece);
        self.release(out);
        let full = self.held > MOST_HELD || self.held_bytes > MOST_HELD_BYTES;
        self.expire(if full { Nanos(u64::MAX) } else { piece.at }, out);
    }

    /// Gives up waiting for pieces before those that have waited longer than [`PATIENCE`].
    pub fn expire(&mut self, now: Nanos, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        while let Some((index, first)) = self.first()
            && now - first.at > PATIENCE
        {
            self.give(index, out);
            self.release(out);
        }
    }

    /// True when pieces wait.
    pub fn waits(&self) -> bool {
        self.held > 0
    }

    fn hold(&mut self, piece: &Transfer<'_>) {
        let held = &mut self.directions[usize::from(piece.sent)].held;
        let index = held.partition_point(|held| held.position <= piece.position);
        self.held += 1;
        self.held_bytes = self.held_bytes.saturating_add(piece.bytes.len());
        held.insert(
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

    /// The earlier one of the two directions' first pieces.
    fn first(&self) -> Option<(usize, &Held)> {
        let heads = self.directions.iter().enumerate();
        heads.filter_map(|(index, side)| Some((index, side.held.front()?))).min_by_key(|(_, head)| head.at)
    }

    fn release(&mut self, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        while let Some((index, first)) = self.first()
            && first.position <= self.directions[index].next
        {
            self.give(index, out);
        }
    }

    fn give(&mut self, index: usize, out: &mut dyn FnMut(u64, &Transfer<'_>)) {
        let Some(first) = self.directions[index].held.pop_front() else { return };
        self.held = self.held.saturating_sub(1);
        self.held_bytes = self.held_bytes.saturating_sub(first.bytes.len());
        let piece = first.piece();
        let gap = self.directions[index].pass(&piece);
        out(gap, &piece);
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

    /// `pieces`: position, text and time of each, as they come; texts in capitals are sent, others received. The answer:
    /// what goes out, gaps as `<n>`.
    fn check(pieces: &[(u64, &str, u64)], expected: &str) {
        let mut order = Order::default();
        let mut text = String::new();
        let mut out = |gap: u64, piece: &Transfer<'_>| {
            if gap > 0 {
                text.push_str(&format!("<{gap}>"));
            }
            text.push_str(std::str::from_utf8(piece.bytes).unwrap());
        };
        for (position, bytes, at_ms) in pieces {
            let at = Nanos::from_millis(*at_ms);
            order.expire(at, &mut out);
            order.push(
                &Transfer {
                    socket: SocketId(1),
                    at,
                    task: Task::default(),
                    sent: bytes.starts_with(char::is_uppercase),
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
    fn an_answer_does_not_overtake_its_request() {
        check(&[(0, "A", 0), (0, "a", 1), (1, "B", 2), (1, "b", 3)], "AaBb");
        check(&[(0, "A", 0), (0, "a", 1), (2, "C", 2), (1, "b", 3), (1, "B", 2)], "AaBCb");
        // Record B is lost: what came behind it waits, then all of it goes on in its order.
        check(&[(0, "A", 0), (0, "a", 1), (2, "C", 2), (1, "b", 3), (3, "D", 4)], "Aa");
        check(&[(0, "A", 0), (2, "C", 2), (0, "a", 3), (3, "D", 4), (1, "b", 5), (2, "c", 70)], "A<1>CaDbc");
    }

    #[test]
    fn overlapping_positions_lose_nothing() {
        check(&[(0, "abc", 0), (2, "x", 1), (3, "d", 2)], "abcxd");
    }
}
