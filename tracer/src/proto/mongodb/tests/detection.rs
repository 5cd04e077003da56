//! What is MongoDB, and what is not.

use super::dialogue::{message, transfers};
use crate::proto::{Detection, Piece, Side};
use proptest::prelude::*;

fn detect(sides: &[(bool, &[u8])]) -> Detection {
    let pieces: Vec<_> = sides.iter().map(|(sent, bytes)| Piece { sent: *sent, bytes, skipped: 0 }).collect();
    super::super::detect::detect(&pieces)
}

/// The same dialogue, seen by its client and by its server.
#[track_caller]
fn recognised(dialogue: &str) {
    for side in [Side::Client, Side::Server] {
        let transfers = transfers(dialogue);
        let pieces: Vec<_> = transfers
            .iter()
            .map(|transfer| Piece {
                sent: transfer.side == side,
                bytes: &transfer.bytes,
                skipped: transfer.skipped,
            })
            .collect();
        assert_eq!(super::super::detect::detect(&pieces), Detection::Yes(side), "{dialogue}");
    }
}

#[test]
fn first_messages() {
    recognised(r#"1 > 1 query admin.$cmd {isMaster: 1, client: {}}"#);
    recognised(r#"1 > 0 {hello: 1, client: {}, $db: "admin"}"#);
    recognised(r#"1 > 1 {ping: 1, $db: "admin"}"#);
}

#[test]
fn case_46_pooled_connections() {
    recognised(
        r#"1 > 99 {find: "u", filter: {}, lsid: {id: uuid(550e8400e29b41d4a716446655440000)}, $db: "d"}"#,
    );
    recognised(r#"1 > 99 {aggregate: "u", pipeline: [], cursor: {}, $db: "d"}"#);
    recognised(r#"1 < 99:98 {cursor: {firstBatch: [{a: repeat(30000)}], id: long(0), ns: "d.u"}, ok: 1.0}"#);
    recognised(r#"1 < 99:0 {n: 1, ok: 1.0}"#);
    recognised(r#"1 > 99 {insert: "u", $db: "d"} documents {a: repeat(9000)}"#);
    recognised(r#"1 < 99:98 reply {ok: 1.0}"#);
    // A header that is read by itself.
    recognised(
        "1 < hex 26000000 09000000 05000000 dd070000
         1 < hex 00000000 00 11000000 01 6f6b00 000000000000f03f 00",
    );
    // Inside an answer, then a request.
    recognised("1 < hex 00112233445566778899aabbccddeeff0011223344\n2 > 5 {ping: 1, $db: \"admin\"}");
    for compressor in ["snappy", "zlib", "zstd"] {
        recognised(&format!(r#"1 > {compressor} 99 {{find: "u", filter: {{}}, $db: "d"}}"#));
        recognised(&format!(r#"1 < {compressor} 99:98 {{n: 1, ok: 1.0}}"#));
    }
}

#[test]
fn too_little_to_tell() {
    let ping = message(r#"5 {ping: 1, $db: "admin"}"#);
    for end in [0, 1, 4, 15, 16, 20, 25] {
        assert_eq!(detect(&[(true, &ping[..end])]), Detection::Maybe, "{end}");
    }
}

#[test]
fn other_protocols() {
    let others: [(&[u8], &[u8]); 9] = [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n", b"+PONG\r\n+PONG\r\n+PONG\r\n"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"),
        (
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03abcdefgh",
            b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03abcdefgh",
        ),
        (
            b"\x09\0\0\0\x03select 1\x09\0\0\0\x03select 1",
            b"\x01\0\0\x01\x01\x17\0\0\x02\x03def\0\0\0\x011\0\x0c",
        ),
        (b"AMQP\0\0\x09\x01\x01\0\0\0\0\0\x1f\0\x0a", b"\x01\0\0\0\0\x01\xfe\0\x0a\0\x0a\0\x09\0\0\x01\xd9"),
        (
            b"\x10\x20\0\x04MQTT\x04\xc2\0\x3c\0\x06abcdef",
            b"\x20\x02\0\0\x90\x03\0\x01\0\x90\x03\0\x02\0\x90\x03",
        ),
        (b"INFO {\"server_id\":\"x\"}\r\nPING\r\n", b"CONNECT {\"verbose\":false}\r\nPONG\r\n"),
        (
            b"\0\x1d\xab\xcd\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01",
            b"\0\x2d\xab\xcd\x81\x80\0\x01\0\x01\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01",
        ),
    ];
    for (sent, received) in others {
        assert_eq!(detect(&[(true, sent), (false, received)]), Detection::No, "{sent:?}");
        assert_eq!(detect(&[(false, received), (true, sent)]), Detection::No, "{sent:?}");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no(pieces in prop::collection::vec(
        (any::<bool>(), prop::collection::vec(any::<u8>(), 40..200)), 10..14,
    )) {
        let pieces: Vec<_> = pieces.iter().map(|(sent, bytes)| (*sent, &bytes[..])).collect();
        prop_assert_eq!(detect(&pieces), Detection::No);
    }

    #[test]
    fn random_bodies_behind_a_header_are_never_yes(body in prop::collection::vec(any::<u8>(), 20..200), sent: bool) {
        let bytes = super::dialogue::framed(1, 0, 2013, &body);
        prop_assert!(!matches!(detect(&[(sent, &bytes)]), Detection::Yes(_)));
    }
}
