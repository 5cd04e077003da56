//! Single messages, on literal bytes: whole, cut anywhere, and damaged.

use super::super::frame::{Direction, HEADER_BYTES};
use super::super::frontend::{self, Object, UNREAD};
use super::super::{backend, resync};
use super::dialogue::{client, server};
use crate::request::{ErrorCode, TransactionStatus};

const CLIENT: [&str; 14] = [
    "P s select 1",
    "P - ",
    "B p s",
    "D S s",
    "D P -",
    "C S s",
    "E p 7",
    "S",
    "H",
    "Q select 1",
    "F",
    "d 9",
    "c",
    "f",
];
const SERVER: [&str; 24] = [
    "1",
    "2",
    "3",
    "n",
    "s",
    "I",
    "c",
    "T",
    "t",
    "D 7",
    "d 9",
    "G",
    "H",
    "W",
    "V",
    "A",
    "N",
    "par",
    "C SELECT 1",
    "C INSERT 0 1",
    "Z I",
    "E 42601",
    "FATAL 57P01",
    "K 7 abcd",
];

fn all() -> impl Iterator<Item = (Direction, Vec<u8>)> {
    let sent = CLIENT.iter().map(|text| (Direction::Frontend, client(text)));
    sent.chain(SERVER.iter().map(|text| (Direction::Backend, server(text))))
}

#[test]
fn every_message_is_plausible_whole_and_cut() {
    for (direction, bytes) in all() {
        let (_, body, body_bytes) = resync::message(direction, &bytes).unwrap_or_else(|| panic!("{bytes:?}"));
        assert_eq!(body.len(), body_bytes as usize);
        for end in HEADER_BYTES..bytes.len() {
            assert!(resync::message(direction, &bytes[..end]).is_some(), "{direction:?} {:?}", &bytes[..end]);
        }
        let chain = resync::chain(direction, &bytes);
        assert!(chain.complete == 1 && chain.complete_bytes == bytes.len() && !chain.broken);
    }
}

#[test]
fn a_wrong_length_is_not_plausible() {
    // Data has no structure; of these only length and shape of the fixed part are known.
    let loose = |tag| matches!(tag, b'd' | b'F' | b'V' | b'K');
    for (direction, bytes) in all().filter(|(_, bytes)| !loose(bytes[0])) {
        for wrong in [bytes[4].wrapping_add(1), bytes[4].wrapping_sub(1)] {
            let mut damaged = bytes.clone();
            damaged[4] = wrong;
            damaged.push(b'~');
            assert!(resync::chain(direction, &damaged).broken, "{direction:?} {damaged:?}");
        }
    }
}

#[test]
fn hostile_lengths() {
    for length in [0u32, 1, 2, 3, 0x4000_0004, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let [a, b, c, d] = length.to_be_bytes();
        for tag in 0..=u8::MAX {
            for direction in [Direction::Frontend, Direction::Backend] {
                assert_eq!(direction.header([tag, a, b, c, d]), None, "{tag} {length}");
            }
        }
    }
}

#[test]
fn rows_of_command_tags() {
    for (tag, rows) in [
        (&b"SELECT 5\0"[..], 5),
        (b"INSERT 0 12\0", 12),
        (b"COPY 1000000\0", 1_000_000),
        (b"UPDATE 0\0", 0),
        (b"CREATE TABLE\0", 0),
        (b"BEGIN\0", 0),
        (b"SELECT 99999999999999999999999\0", 0),
        (b"SELECT 5", 5),
        (b"", 0),
    ] {
        assert_eq!(backend::rows(tag), rows, "{tag:?}");
    }
}

#[test]
fn error_fields() {
    let failure = |text: &str| backend::failure(&server(text)[HEADER_BYTES..]);
    assert_eq!(failure("E 42P01").code, ErrorCode::new(b"42P01"));
    assert!(!failure("E 42P01").ends_session && failure("FATAL 57P01").ends_session);
    // Translated severity; cut; damaged.
    assert!(backend::failure(b"SFATALA\0VFATAL\0C57P01\0\0").ends_session);
    assert_eq!(backend::failure(b"SERROR\0C42").code, ErrorCode::new(b"42"));
    for body in [&b""[..], b"\0", b"S", b"SERROR"] {
        assert_eq!(backend::failure(body).code, ErrorCode::new(b"?"));
    }
}

#[test]
fn names_and_limits() {
    assert_eq!(frontend::parse(b"s\0select 1\0\0\0"), (&b"s"[..], &b"select 1"[..], Some(&b"\0\0"[..])));
    assert_eq!(frontend::parse(b"s\0sele"), (&b"s"[..], &b"sele"[..], None));
    assert_eq!(frontend::parse(b"s"), (UNREAD, &b""[..], None));
    assert_eq!(frontend::bind(b"p\0s\0rest"), (&b"p"[..], &b"s"[..]));
    assert_eq!(frontend::bind(b"p\0s"), (&b"p"[..], UNREAD));
    assert_eq!(frontend::execute(b"p\0\0\0\0\x05"), (&b"p"[..], 5));
    assert_eq!(frontend::execute(b"\0\xff\xff\xff\xff"), (&b""[..], 0));
    assert_eq!(frontend::execute(b"p\0\0\0"), (&b"p"[..], 0));
    assert_eq!(frontend::object(b"Ss\0"), Some(Object::Statement(b"s")));
    assert_eq!(frontend::object(b"P\0"), Some(Object::Portal(b"")));
    assert_eq!(frontend::object(b"X\0"), None);
    assert_eq!(frontend::object(b""), None);
}

#[test]
fn ready_for_query_status() {
    assert_eq!(backend::status(b"I"), Some(TransactionStatus::Idle));
    assert_eq!(backend::status(b"T"), Some(TransactionStatus::InTransaction));
    assert_eq!(backend::status(b"E"), Some(TransactionStatus::Failed));
    assert_eq!(backend::status(b"x"), None);
    assert_eq!(backend::status(b""), None);
}

#[test]
fn the_end_of_an_answer_is_found_in_its_tail() {
    let answer = [server("D 9"), server("C SELECT 2"), server("Z I")].concat();
    for junk in [&b""[..], b"vvvv", b"D\0\0\0\x07", b"\0\0\0\0"] {
        let tail = [junk, &answer].concat();
        assert_eq!(resync::tail(&tail), Some(junk.len()));
    }
    assert_eq!(resync::tail(&answer[..answer.len() - 1]), None);
    assert_eq!(resync::tail(b""), None);
}
