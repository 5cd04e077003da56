//! How a connection comes to its protocol, and away from it again, with protocols that only stand for one.

use std::collections::HashSet;

use super::{Connection, Filter, Outcome, Table};
use crate::event::{SocketId, Transfer};
use crate::proto::{Chunk, Detection, Entry, Moment, Piece, Protocol, Session, Side};
use crate::request::{InFlight, Request, Requests, Task};
use crate::sql::Texts;
use crate::time::Nanos;
use crate::value::Value;

/// Sure of everything that begins with `a`, and never finds its place in it.
static LOST: Entry =
    Entry { name: "lost", detect: |pieces| begins(pieces, b"a"), start: |_| stand_in(false) };
/// Sure of the same.
static RIVAL: Entry =
    Entry { name: "rival", detect: |pieces| begins(pieces, b"a"), start: |_| stand_in(true) };
/// Sure of what has a `b` at the end.
static PATIENT: Entry = Entry {
    name: "patient",
    detect: |pieces| match pieces.last() {
        Some(piece) if piece.bytes.ends_with(b"b") => Detection::Yes(Side::Client),
        _ => Detection::Maybe,
    },
    start: |_| stand_in(true),
};

fn begins(pieces: &[Piece<'_>], with: &[u8]) -> Detection {
    let begins = pieces.first().is_some_and(|piece| piece.bytes.starts_with(with));
    if begins { Detection::Yes(Side::Client) } else { Detection::No }
}

fn stand_in(in_sync: bool) -> Box<dyn Protocol> {
    Box::new(StandIn { in_sync, session: Session::default() })
}

/// Has two requests in flight for ever.
struct StandIn {
    in_sync: bool,
    session: Session,
}

impl Protocol for StandIn {
    fn feed(&mut self, _: Moment, _: Side, _: Chunk<'_>, _: &mut Texts, _: &mut Requests) {}
    fn close(&mut self, _: Nanos, _: &mut Requests) {}
    fn in_flight(&self, _: &mut Vec<InFlight>) {}
    fn open_requests(&self) -> u32 {
        2
    }
    fn session(&self) -> &Session {
        &self.session
    }
    fn in_sync(&self) -> bool {
        self.in_sync
    }
    fn cancelled(&mut self, _: Nanos) {}
}

struct Nobody;

impl Outcome for Nobody {
    fn request(&mut self, _: &mut Connection, _: &Request, _: &[Value], _: &Texts) {}
}

/// Transfers of so many of a letter. Expects the protocol's name, wrong guesses, and requests given up.
fn check(protocols: &[&'static Entry], transfers: &[(u8, usize)], expected: (Option<&str>, u64, u64)) {
    let mut table = Table::new(protocols.to_vec(), Filter::default(), HashSet::new());
    let mut position = 0;
    for (letter, len) in transfers {
        let bytes = vec![*letter; *len];
        let piece = Transfer {
            socket: SocketId(1),
            at: Nanos(1),
            task: Task::default(),
            sent: true,
            position,
            bytes: &bytes,
            skipped: 0,
            ends_transfer: true,
            unreadable: false,
        };
        position += piece.len();
        table.transfer(&piece, &mut Texts::new(10), &mut Nobody);
    }
    let connection = table.iter().next().expect("one connection");
    let counted = connection.counted;
    assert_eq!(
        (connection.protocol(), counted.wrong_guesses, counted.protocol.answers_unmatched),
        expected,
        "{transfers:?}"
    );
}

#[test]
fn a_guess_that_makes_no_sense_is_taken_back_and_counted() {
    check(&[&LOST], &[(b'a', 10)], (Some("lost"), 0, 0));
    check(&[&LOST], &[(b'a', 10), (b'x', 60_000)], (Some("lost"), 0, 0));
    check(&[&LOST], &[(b'a', 10), (b'x', 70_000)], (None, 1, 2));
    check(&[&LOST], &[(b'a', 10), (b'x', 70_000), (b'x', 9), (b'x', 9)], (None, 1, 2));
    check(&[&LOST], &[(b'a', 10), (b'x', 70_000), (b'a', 9)], (Some("lost"), 1, 2));
    check(&[&LOST, &PATIENT], &[(b'a', 10), (b'x', 70_000), (b'b', 9)], (Some("patient"), 1, 2));
}

#[test]
fn two_that_are_sure_are_both_wrong_until_one_is_left() {
    check(&[&LOST, &RIVAL], &[(b'a', 10)], (None, 0, 0));
    check(&[&LOST, &RIVAL], &[(b'a', 10), (b'a', 10), (b'x', 70_000)], (None, 0, 0));
    check(&[&RIVAL], &[(b'a', 10), (b'x', 70_000)], (Some("rival"), 0, 0));
    check(&[&LOST, &RIVAL, &PATIENT], &[(b'x', 10), (b'b', 1)], (Some("patient"), 0, 0));
}
