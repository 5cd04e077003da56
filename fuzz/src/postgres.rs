//! What is said in PostgreSQL's protocol.

use tracer::proto::Side;

use super::observer::{self, Language};

/// PostgreSQL's messages: the byte before a body is its type.
pub const LANGUAGE: Language =
    Language { protocol: "postgresql", message, unframe, client: client_messages, server: server_messages };

/// The free side is the client.
pub(super) fn client(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Client, data);
}

/// The free side is the server.
pub(super) fn server(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Server, data);
}

/// Type byte, length, body.
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![tag];
    message.extend_from_slice(&u32::try_from(body.len() + 4).unwrap_or(u32::MAX).to_be_bytes());
    message.extend_from_slice(body);
    message
}

fn unframe(message: &[u8]) -> Option<(u8, &[u8])> {
    let (kind, rest) = message.split_first().filter(|(kind, _)| **kind != 0)?;
    Some((*kind, rest.get(4..)?))
}

/// A packet without a type byte: StartupMessage and its like.
fn packet(body: &[u8]) -> Vec<u8> {
    message(0, body)[1..].to_vec()
}

/// One of each frontend message, in the order of [`super::seeds`].
pub fn client_messages() -> Vec<Vec<u8>> {
    vec![
        packet(b"\0\x03\0\0user\0u\0database\0d\0\0"),
        message(b'Q', b"select 1\0"),
        message(b'P', b"s\0select $1\0\0\0"),
        message(b'B', b"\0s\0\0\0\0\x01\0\0\0\x011\0\0"),
        message(b'D', b"P\0"),
        message(b'E', b"\0\0\0\0\0"),
        message(b'S', b""),
        message(b'H', b""),
        message(b'P', b"\0select 2\0\0\0"),
        message(b'B', b"p\0\0\0\0\0\0\0\0"),
        message(b'E', b"p\0\0\0\0\x05"),
        message(b'C', b"Pp\0"),
        message(b'C', b"Ss\0"),
        message(b'D', b"Ss\0"),
        message(b'Q', b"select 1; select 2; commit\0"),
        message(b'Q', b"prepare q as select 3; execute q; deallocate all\0"),
        message(b'Q', b"copy t from stdin\0"),
        message(b'd', b"1\t2\n"),
        message(b'c', b""),
        message(b'f', b"stop\0"),
        message(b'F', b"\0\0\0\x01\0\0\0\0\0\0"),
        message(b'Q', b"\0"),
        message(b'p', b"secret\0"),
        message(b'X', b""),
        packet(b"\x04\xd2\x16\x2f"),
        packet(b"\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02"),
    ]
}

/// One of each backend message, in the order of [`super::seeds`].
pub fn server_messages() -> Vec<Vec<u8>> {
    vec![
        message(b'R', b"\0\0\0\0"),
        message(b'S', b"TimeZone\0UTC\0"),
        message(b'K', b"\0\0\0\x01\0\0\0\x02"),
        message(b'Z', b"I"),
        message(b'Z', b"T"),
        message(b'Z', b"E"),
        message(b'1', b""),
        message(b'2', b""),
        message(b'3', b""),
        message(b'n', b""),
        message(b'T', b"\0\x01a\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"),
        message(b'D', b"\0\x01\0\0\0\x011"),
        message(b'C', b"SELECT 1\0"),
        message(b'C', b"COPY 2\0"),
        message(b's', b""),
        message(b'I', b""),
        message(b'E', b"SERROR\0VERROR\0C22012\0Mdivision by zero\0\0"),
        message(b'E', b"SFATAL\0VFATAL\0C57P01\0Mgoing down\0\0"),
        message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mlook\0\0"),
        message(b'A', b"\0\0\0\x01c\0p\0"),
        message(b't', b"\0\x01\0\0\0\x17"),
        message(b'G', b"\0\0\x02\0\0\0\0"),
        message(b'H', b"\0\0\x02\0\0\0\0"),
        message(b'W', b"\0\0\0"),
        message(b'd', b"1\t2\n"),
        message(b'c', b""),
        message(b'V', b"\xff\xff\xff\xff"),
        b"N".to_vec(),
        b"S".to_vec(),
    ]
}
