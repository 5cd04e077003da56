//! What is PostgreSQL, and what is not.

use super::dialogue::{client, server, transfers};
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
        assert_eq!(super::super::detect::detect(&pieces), Detection::Yes(side));
    }
}

#[test]
fn start_up_packets() {
    recognised("1 > startup user=u database=d");
    recognised("1 > ssl");
    recognised("1 > ssl\n2 < byte N\n3 > startup user=u");
    recognised("1 > gss\n2 < byte S\n3 > hex 160301");
    recognised("1 > cancel 5 abcd");
}

#[test]
fn case_46_pooled_connections() {
    recognised("1 > B - s1 | E - | S\n2 < 2 | D | C SELECT 1 | Z I");
    recognised("2 < 2 | D | C SELECT 1 | Z I\n3 > B - s1 | E - | S");
    recognised("1 > Q select 1");
    recognised("2 < T | D | C SELECT 1 | Z I");
    recognised("1 > P - select 1 | D S - | S\n2 < 1 | t | T | Z I");
    recognised("2 < hex 76767676 | D 20 | D 30 | C SELECT 2 | Z T");
    // A large result: every piece begins and ends inside a row.
    recognised("2 < hex 767676 | D 20 | D 30 | D 9 | D 9 | hex 4400000014000100");
}

#[test]
fn too_little_to_tell() {
    let sync = client("S");
    let ready = server("Z I");
    for bytes in [&sync[..], &ready, b"", b"Q", b"\0\0\0"] {
        assert_eq!(detect(&[(true, bytes)]), Detection::Maybe);
    }
}

#[test]
fn other_protocols() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"+PONG\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc",
        b"\x17\x03\x03\0\x20",
        // MySQL: greeting, and COM_QUERY.
        b"\x07\0\0\0\x0a8.0.1\0",
        b"\x09\0\0\0\x03select 1",
    ] {
        assert_eq!(detect(&[(true, bytes)]), Detection::No, "{bytes:?}");
        assert_eq!(detect(&[(false, bytes)]), Detection::No, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no(pieces in prop::collection::vec(
        (any::<bool>(), prop::collection::vec(any::<u8>(), 40..200)), 8..12,
    )) {
        let pieces: Vec<_> = pieces.iter().map(|(sent, bytes)| (*sent, &bytes[..])).collect();
        prop_assert_eq!(detect(&pieces), Detection::No);
    }

    #[test]
    fn few_random_bytes_are_never_yes(bytes in prop::collection::vec(any::<u8>(), 0..40), sent: bool) {
        prop_assert!(!matches!(detect(&[(sent, &bytes)]), Detection::Yes(_)));
    }
}
