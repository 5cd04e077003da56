//! What is memcached, and what is not.

use super::binary::{get, says, set};
use crate::proto::text_dialogue::{bytes, transfers};
use crate::proto::{Detection, Piece, Side};
use proptest::prelude::*;

fn detect(sides: &[(bool, &[u8])]) -> Detection {
    let pieces: Vec<_> = sides.iter().map(|(sent, bytes)| Piece { sent: *sent, bytes, skipped: 0 }).collect();
    (super::ENTRY.detect)(&pieces)
}

/// The same dialogue, seen by its client and by its server.
#[track_caller]
fn recognised(dialogue: &str) {
    let transfers = transfers(dialogue);
    for side in [Side::Client, Side::Server] {
        let pieces: Vec<_> = transfers
            .iter()
            .map(|transfer| Piece {
                sent: transfer.side == side,
                bytes: &transfer.bytes,
                skipped: transfer.skipped,
            })
            .collect();
        assert_eq!((super::ENTRY.detect)(&pieces), Detection::Yes(side), "{dialogue}");
    }
}

#[test]
fn commands_with_their_answers() {
    recognised("1 > get a~\n2 < END~");
    recognised("1 > get a~\n2 < VALUE a 0 3~abc~END~");
    recognised("1 > set a 0 0 3~abc~\n2 < STORED~");
    recognised("1 > set a 0 0 300~abc...300\n2 < STORED~");
    recognised("1 > version~\n2 < VERSION 1.6.18~");
    recognised("1 > stats~\n2 < STAT pid 1~STAT uptime 2~STAT time 3~END~");
    recognised("1 > touch 5 60~\n2 < TOUCHED~");
    recognised("1 > delete a~\n2 < NOT_FOUND~");
    recognised("1 > incr a 1~\n2 < 5~");
    recognised("1 > mg a v~\n2 < EN~");
    recognised("1 > ms a 1~x~\n2 < HD~");
    recognised("1 > mn~\n2 < MN~");
    // Joined in the middle.
    recognised("1 < VALUE a 0 3~abc~VALUE b 0 1~x~END~");
    recognised("1 > dddddd~\n2 < STORED~\n3 > get a~\n4 < END~");
    recognised("1 > set a 0 0 1 noreply~x~set b 0 0 1 noreply~y~");
}

#[test]
fn binary_headers() {
    for (sent, bytes) in [
        (true, get(0, "key", 1)),
        (true, set(1, "key", b"value", 1)),
        (false, says(0, 0, b"value", 1)),
        (false, says(1, 0, b"", 1)),
        (true, [get(0x0d, "a", 1), get(0x0d, "b", 2), get(0x0a, "", 3)].concat()),
    ] {
        assert_eq!(detect(&[(sent, &bytes)]), Detection::Yes(Side::Client), "{bytes:?}");
        assert_eq!(detect(&[(!sent, &bytes)]), Detection::Yes(Side::Server), "{bytes:?}");
    }
}

#[test]
fn too_little_to_tell() {
    for text in ["get a~", "delete 5~", "stats~", "quit~", "set a 0 0 5~hello~", "DELETED~", "get a b"] {
        assert_eq!(detect(&[(true, &bytes(text))]), Detection::Maybe, "{text}");
    }
    // As a beanstalkd says it.
    assert_eq!(detect(&[(true, b"delete 5\r\n"), (false, b"DELETED\r\n")]), Detection::Maybe);
    assert_eq!(detect(&[(true, b"touch 5\r\n"), (false, b"TOUCHED\r\n")]), Detection::Maybe);
}

#[test]
fn other_protocols() {
    for text in [
        "GET / HTTP/1.1~Host: x~~",
        "HTTP/1.1 200 OK~~",
        "*1~$4~PING~",
        "+PONG~",
        "$3~abc~",
        "SSH-2.0-OpenSSH_9.2~",
        "INFO {}~",
        "PUB a 5~hello~",
        "+OK~",
        "put 0 0 60 5~hello~",
        "INSERTED 5~",
        "220 mail.example.org ESMTP~",
        "EHLO x~",
        "\\x16\\x03\\x01\\x02\\x00\\x01",
        "\\x80\\x00\\x00\\x01\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
    ] {
        assert_eq!(detect(&[(true, &bytes(text))]), Detection::No, "{text}");
        assert_eq!(detect(&[(false, &bytes(text))]), Detection::No, "{text}");
    }
    // Redis, with a command typed by hand.
    for answer in ["$-1~", "$3~abc~", "-ERR no~", "+OK~", ":1~"] {
        assert!(
            !matches!(detect(&[(true, b"get a\r\n"), (false, &bytes(answer))]), Detection::Yes(_)),
            "{answer}"
        );
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no(pieces in prop::collection::vec(
        (any::<bool>(), prop::collection::vec(any::<u8>(), 40..200)), 2..12,
    )) {
        let pieces: Vec<_> = pieces.iter().map(|(sent, bytes)| (*sent, &bytes[..])).collect();
        prop_assert_eq!(detect(&pieces), Detection::No);
    }

    #[test]
    fn few_random_bytes_are_never_yes(bytes in prop::collection::vec(any::<u8>(), 0..40), sent: bool) {
        prop_assert!(!matches!(detect(&[(sent, &bytes)]), Detection::Yes(_)));
    }
}
