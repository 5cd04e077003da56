//! The binary protocol.

use super::super::binary::{Requesting, kept_bytes};
use crate::proto::framing::{Framer, Step};
use crate::proto::text_dialogue::{Run, Transfer, same};
use crate::proto::{Moment, Side};
use crate::request::Task;
use Side::{Client, Server};

pub struct Message<'a> {
    pub opcode: u8,
    pub extras: &'a [u8],
    pub key: &'a str,
    pub value: &'a [u8],
    pub opaque: u32,
    pub status: u16,
}

pub const NONE: Message<'_> = Message { opcode: 0, extras: &[], key: "", value: &[], opaque: 0, status: 0 };

/// Header and body.
pub fn encode(side: Side, message: &Message<'_>) -> Vec<u8> {
    let Message { opcode, extras, key, value, opaque, status } = message;
    let mut bytes = vec![if side == Client { 0x80 } else { 0x81 }, *opcode];
    bytes.extend(u16::try_from(key.len()).unwrap().to_be_bytes());
    bytes.extend([u8::try_from(extras.len()).unwrap(), 0]);
    bytes.extend(status.to_be_bytes());
    bytes.extend(u32::try_from(extras.len() + key.len() + value.len()).unwrap().to_be_bytes());
    bytes.extend(opaque.to_be_bytes());
    bytes.extend([0; 8]);
    [&bytes[..], extras, key.as_bytes(), value].concat()
}

pub fn get(opcode: u8, key: &str, opaque: u32) -> Vec<u8> {
    encode(Client, &Message { opcode, key, opaque, ..NONE })
}

pub fn set(opcode: u8, key: &str, value: &[u8], opaque: u32) -> Vec<u8> {
    encode(Client, &Message { opcode, extras: &[0; 8], key, value, opaque, ..NONE })
}

pub fn says(opcode: u8, status: u16, value: &[u8], opaque: u32) -> Vec<u8> {
    let extras: &[u8] = if opcode == 0 && status == 0 { &[0; 4] } else { &[] };
    encode(Server, &Message { opcode, extras, value, opaque, status, ..NONE })
}

fn transfer(at: u64, side: Side, bytes: &[Vec<u8>]) -> Transfer {
    Transfer { at, side, bytes: bytes.concat(), skipped: 0, ends: true }
}

#[track_caller]
fn check(from_start: bool, transfers: &[Transfer], expected: &str) {
    let mut run = Run::new((super::ENTRY.start)(from_start));
    for transfer in transfers {
        run.feed(transfer);
    }
    same(&run.shown(), expected);
}

#[test]
fn commands_and_answers() {
    check(
        true,
        &[
            transfer(1, Client, &[set(1, "user:42", b"hello", 7)]),
            transfer(2, Server, &[says(1, 0, b"", 7)]),
            transfer(3, Client, &[get(0, "user:42", 8)]),
            transfer(4, Server, &[says(0, 0, b"hello", 8)]),
            transfer(5, Client, &[get(0, "user:1", 9)]),
            transfer(6, Server, &[says(0, 1, b"Not found", 9)]),
            transfer(7, Client, &[get(0x0a, "", 0)]),
            transfer(8, Server, &[says(0x0a, 0, b"", 0)]),
            transfer(9, Client, &[set(1, "big", b"x", 0)]),
            transfer(10, Server, &[says(1, 3, b"Too large.", 0)]),
        ],
        "1 2 2 44/24 rows=1 set user:?
         3 4 4 31/33 rows=1 get user:?
         5 6 6 30/33 rows=0 get user:?
         7 8 8 24/24 rows=0 noop
         9 10 10 36/34 rows=0 set big E2BIG",
    );
}

#[test]
fn case_45_answers_are_found_by_opaque() {
    // GetKQ three times and Noop: misses are silent.
    check(
        true,
        &[
            transfer(1, Client, &[get(0x0d, "a", 1), get(0x0d, "b", 2), get(0x0d, "c", 3), get(0x0a, "", 4)]),
            transfer(
                2,
                Server,
                &[encode(
                    Server,
                    &Message { opcode: 0x0d, extras: &[0; 4], key: "b", value: b"v", opaque: 2, ..NONE },
                )],
            ),
            transfer(3, Server, &[says(0x0a, 0, b"", 4)]),
        ],
        "1 2 2 25/30 rows=1 get b
         1 3 3 24/24 rows=0 noop",
    );
    // A quiet set that fails.
    check(
        true,
        &[
            transfer(1, Client, &[set(0x11, "a", b"x", 1), set(0x12, "b", b"x", 2), get(0x0a, "", 0)]),
            transfer(2, Server, &[says(0x12, 2, b"Data exists for key.", 2), says(0x0a, 0, b"", 0)]),
        ],
        "1 2 2 34/44 rows=0 add b
         1 2 2 24/24 rows=0 noop",
    );
}

#[test]
fn stats_are_one_request() {
    let stat =
        |key, value: &'static [u8]| encode(Server, &Message { opcode: 0x10, key, value, opaque: 5, ..NONE });
    check(
        true,
        &[
            transfer(1, Client, &[get(0x10, "", 5)]),
            transfer(2, Server, &[stat("pid", b"1")]),
            transfer(3, Server, &[stat("uptime", b"22"), stat("", b"")]),
        ],
        "1 2 3 24/84 rows=2 stats",
    );
}

#[test]
fn no_password_is_kept() {
    let auth = encode(Client, &Message { opcode: 0x21, key: "PLAIN", value: b"\0user\0secret", ..NONE });
    check(
        true,
        &[
            transfer(1, Client, &[get(0x20, "", 0)]),
            transfer(2, Server, &[says(0x20, 0, b"PLAIN", 0)]),
            transfer(3, Client, std::slice::from_ref(&auth)),
            transfer(4, Server, &[says(0x21, 0x20, b"Auth failure", 0)]),
        ],
        "1 2 2 24/29 rows=0 sasl list mechanisms
         3 4 4 41/36 rows=0 sasl authenticate AUTH_ERROR",
    );
}

#[test]
fn no_value_is_kept() {
    let mut framer: Framer<Requesting> = Framer::default();
    let moment =
        Moment { at: crate::time::Nanos(1), task: Task::default(), ends_transfer: false, load: None };
    let bytes = set(1, "key", &[b'v'; 1000], 7);
    assert!(matches!(framer.next(moment, &mut &bytes[..200], kept_bytes), Step::More));
    assert_eq!(framer.unfinished().unwrap().1, b"\0\0\0\0\0\0\0\0key");
}

#[test]
fn answers_that_say_their_key_are_found_by_it() {
    for quiet in [0x0d, 0x24] {
        let got = Message { opcode: quiet, extras: &[0; 4], key: "cart:1", value: b"abc", ..NONE };
        let asked = |key| {
            let extras: &[u8] = if quiet == 0x24 { &[0; 4] } else { &[] };
            encode(Client, &Message { opcode: quiet, key, extras, ..NONE })
        };
        let name = if quiet == 0x24 { "gat" } else { "get" };
        let bytes = 30 + if quiet == 0x24 { 4 } else { 0 };
        check(
            true,
            &[
                transfer(1, Client, &[asked("user:1"), asked("cart:1"), get(0x0a, "", 0)]),
                transfer(2, Server, &[encode(Server, &got), says(0x0a, 0, b"", 0)]),
            ],
            &format!("1 2 2 {bytes}/37 rows=1 {name} cart:?\n1 2 2 24/24 rows=0 noop"),
        );
    }
}

#[test]
fn holes_and_joins() {
    let half =
        Transfer { skipped: 1000, ..transfer(3, Client, &[set(1, "k:1", &[b'x'; 1000], 3)[..35].to_vec()]) };
    check(
        false,
        &[
            transfer(1, Server, &[says(0, 1, b"Not found", 1)]),
            transfer(2, Client, &[get(0, "k:2", 2)]),
            transfer(2, Server, &[says(0, 1, b"Not found", 2)]),
            half,
            transfer(4, Server, &[says(1, 0, b"", 3)]),
            Transfer { skipped: 100, ..transfer(5, Client, &[get(0, "k:3", 4)]) },
            transfer(6, Server, &[says(0, 1, b"", 4), says(0, 1, b"", 5)]),
            transfer(7, Client, &[get(0, "k:4", 6)]),
            transfer(8, Server, &[says(0, 1, b"", 6)]),
        ],
        "2 2 2 27/33 rows=0 get k:?
         3 4 4 1035/24 rows=1 set k:?
         7 8 8 27/24 rows=0 get k:?
         started_before=1
         unmatched=2
         resyncs=1",
    );
}

/// The server answers a value that is too large before it has read it.
#[test]
fn an_early_answer_is_paired() {
    let whole = set(1, "k", &[b'x'; 100], 3);
    let (head, tail) = whole.split_at(60);
    check(
        true,
        &[
            Transfer { ends: false, ..transfer(1, Client, &[head.to_vec()]) },
            transfer(2, Server, &[says(1, 3, b"Too large.", 3)]),
            transfer(3, Client, &[tail.to_vec(), get(0, "a", 4)]),
            transfer(4, Server, &[says(0, 1, b"", 4)]),
        ],
        "1 2 2 133/34 rows=0 set k E2BIG
         3 4 4 25/24 rows=0 get a",
    );
}
