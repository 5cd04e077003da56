//! Which bytes are taken for MySQL's.

use super::dialogue::transfers;
use crate::proto::mysql::detect::detect;
use crate::proto::{Detection, Piece, Side};

fn pieces_of(dialogue: &str, client_sends: bool) -> Vec<(bool, Vec<u8>, u64)> {
    transfers(dialogue)
        .into_iter()
        .map(|transfer| ((transfer.side == Side::Client) == client_sends, transfer.bytes, transfer.skipped))
        .collect()
}

fn decide(pieces: &[(bool, Vec<u8>, u64)]) -> Detection {
    let pieces: Vec<Piece<'_>> =
        pieces.iter().map(|(sent, bytes, skipped)| Piece { sent: *sent, bytes, skipped: *skipped }).collect();
    detect(&pieces)
}

/// From either side; with no less than all of it.
#[track_caller]
fn check(dialogue: &str, expected: bool) {
    for (client_sends, side) in [(true, Side::Client), (false, Side::Server)] {
        let pieces = pieces_of(dialogue, client_sends);
        let found = decide(&pieces);
        if expected {
            assert_eq!(found, Detection::Yes(side), "{dialogue}");
        } else {
            assert!(!matches!(found, Detection::Yes(_)), "{dialogue}");
        }
    }
}

#[test]
fn a_greeting_is_enough() {
    check("0 < greet 5", true);
    check("0 < greet 5\n1 > login u", true);
    check("0 < seq 1 | hex 0a 35 2e 35", false);
    // Its last 30 bytes, or one more.
    for (missing, expected) in [(30, Detection::Yes(Side::Client)), (31, Detection::No)] {
        let mut pieces = pieces_of("0 < greet 5", true);
        let known = pieces[0].1.len() - 30;
        pieces[0].1.truncate(known);
        pieces[0].2 = missing;
        let found = decide(&pieces);
        assert!(found == expected || expected == Detection::No && found == Detection::Maybe, "{found:?}");
    }
}

#[test]
fn a_statement_is_enough() {
    check("0 > Q select 1", true);
    check("0 > P select ?", true);
    check("0 > Q hello", false);
    check("0 > Q selected", false);
}

#[test]
fn other_commands_need_their_answer() {
    check("0 > ping", false);
    check("0 > X 5 00 01 0300 05000000", false);
    check("0 < seq 1 | cols 1 | row 1 | okeof", false);
    check("0 > Q select 1\n1 < cols 1 | row 1 | okeof", true);
    check("0 > Q select 1\n1 < cols 1 | def | ...500", true);
    check("0 > Q insert into t values (1)\n1 < ok 1", true);
    check("0 > Q select x\n1 < err 1054 42S22", true);
    check("0 > P select ?\n1 < prepared 1 1 1 | def | def", true);
    check("0 > X 5 00 01 0300 05000000\n1 < cols 1 | brow | okeof", true);
    // MariaDB's client knows the columns.
    check("0 > X 5 00 01 0300 05000000\n1 < count 01 00 | brow | okeof", true);
    check("0 > X 5 00 01 0300 05000000\n1 < count 01 00 | seq 7 | brow | okeof", false);
    check("0 > C 5 | X 6\n1 < ok", true);
    check("0 > ping\n1 < ok", false);
    check("0 > ping\n1 < ok\n2 > ping\n3 < ok", true);
    check("9 < seq 7 | row x | okeof\n10 > Q select 1\n11 < cols 1 | row 1 | okeof", true);
}

#[test]
fn answers_that_do_not_fit() {
    check("0 > Q select 1\n1 < seq 2 | ok", false);
    check("0 > Q select 1\n1 < hex 00 00", false);
    check("0 > Q select 1\n1 < count 01 | hex 010203", false);
    check("0 > Q hello world\n1 < ok", false);
}

#[test]
fn other_protocols_are_not_this_one() {
    let others: [&[&[u8]]; 9] = [
        &[b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
        &[b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x16\x03\x03\x00\x7a\x02"],
        &[b"SSH-2.0-OpenSSH_9.2\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"],
        &[b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n", b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"],
        &[b"AMQP\x00\x00\x09\x01", b"\x01\x00\x00\x00\x00\x01\xd8\x00\x0a\x00\x0a\x00\x09"],
        &[b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02id", b"\x20\x02\x00\x00"],
        &[b"INFO {\"server_id\":\"x\"}\r\n", b"CONNECT {}\r\n"],
        &[b"\x00\x1d\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"],
        &[b"Q\0\0\0\x0dselect 1\0", b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"],
    ];
    for other in others {
        for client_sends in [true, false] {
            let pieces: Vec<_> = other
                .iter()
                .enumerate()
                .map(|(n, bytes)| ((n % 2 == 0) == client_sends, bytes.to_vec(), 0))
                .collect();
            assert!(!matches!(decide(&pieces), Detection::Yes(_)), "{:?}", other[0]);
        }
    }
}
