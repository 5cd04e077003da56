//! What is said in MySQL's protocol.

use tracer::proto::Side;

use super::observer::{self, Language};
use super::seeds::{self, Dialogue};

/// MySQL's packets: the byte before a body is its sequence number.
pub const LANGUAGE: Language =
    Language { protocol: "mysql", message, unframe, client: client_packets, server: server_packets };

/// The free side is the client.
pub(super) fn client(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Client, data);
}

/// The free side is the server.
pub(super) fn server(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Server, data);
}

/// Length of 24 bits, sequence number, payload.
fn message(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&len[..3], &[sequence], payload].concat()
}

fn unframe(message: &[u8]) -> Option<(u8, &[u8])> {
    Some((*message.get(3)?, message.get(4..)?))
}

/// A compressed packet that holds others as they are.
fn stored(sequence: u8, packets: &[u8]) -> Vec<u8> {
    let len = u32::try_from(packets.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&len[..3], &[sequence, 0, 0, 0], packets].concat()
}

fn login(flags: u32) -> Vec<u8> {
    [&flags.to_le_bytes()[..], &[0, 0, 0, 1, 45], &[0; 23], b"u\0\x02xxd\0"].concat()
}

/// Packets of the client, in the order that the dialogues name.
fn client_packets() -> Vec<Vec<u8>> {
    let execute = b"\x17\x01\0\0\0\0\x01\0\0\0\0\x01\x03\0\x05\0\0\0";
    vec![
        message(1, &login(0x0100_8208)),
        message(0, b"\x03select a from t where b = 1"),
        message(0, b"\x03select 1; update t set a = 2; call p()"),
        message(0, b"\x16select a from t where b = ?"),
        message(0, execute),
        message(0, b"\x17\x01\0\0\0\x01\x01\0\0\0\0\0\x05\0\0\0"),
        message(0, b"\x1c\x01\0\0\0\x02\0\0\0"),
        message(0, b"\x19\x01\0\0\0"),
        message(0, b"\x1a\x01\0\0\0"),
        message(0, b"\x18\x01\0\0\0\0\0data"),
        message(0, b"\x0e"),
        message(0, b"\x09"),
        message(0, b"\x04t\0"),
        message(0, b"\x1f"),
        message(0, b"\x11u\0\x02xxd\0"),
        message(3, b"secret"),
        message(0, b"\x03load data local infile 'x' into table t"),
        message(2, b"1\t2\n"),
        message(3, b""),
        message(0, b"\x17\xff\xff\xff\xff\0\x01\0\0\0\0\x01\x03\0\x05\0\0\0"),
        message(0, b"\x03\x01\x01\0\x01\xfe\0\x01a\x01bselect 1"),
        message(0, b"\x03kill query 7"),
        message(0, b"\x01"),
        message(1, &login(0x8a08)[..32]),
        message(1, &login(0x0100_8228)),
        stored(0, &message(0, b"\x03select 1")),
        message(0, b"\xfa\x01\0\0\0\x80\0\x03\0\0\x01\0\0\0"),
        message(0, b"\x12\x04\0\0\0\0\0\x01\0\0\0"),
        message(0, b"\x02d"),
    ]
}

/// Packets of the server, in the order that the dialogues name.
fn server_packets() -> Vec<Vec<u8>> {
    let greeting = b"\x0a5.5.5-10.11.4-MariaDB\0\x07\0\0\0saltsalt\0\xff\xff-\x02\0\xff\x0f\x15";
    let definition = b"\x03def\x01d\x01t\x01t\x01c\x01c\x0c-\0\x01\0\0\0\x03\0\0\0\0\0";
    let ok = [0, 1, 0, 2, 0, 0, 0];
    let end = [0xfe, 0, 0, 2, 0, 0, 0];
    vec![
        message(0, greeting),
        message(2, &ok),
        message(1, &ok),
        message(1, b"\x01"),
        message(2, definition),
        message(3, b"\x01x"),
        message(3, b"\0\0\x07"),
        message(4, &end),
        message(4, &[0xfe, 0, 0, 10, 0, 0, 0]),
        message(3, &[0xfe, 0, 0, 0x42, 0, 0, 0]),
        message(2, &[0xfe, 0, 0, 0x82, 0, 0, 0]),
        message(3, &[0xfe, 0, 0, 2, 0]),
        message(5, &[0xfe, 0, 0, 2, 0]),
        message(1, b"\xff\x28\x04#42000message"),
        message(1, b"\0\x01\0\0\0\x01\0\x01\0\0\0\0"),
        message(3, definition),
        message(1, b"\xfbx"),
        message(4, &ok),
        message(1, b"Uptime: 5"),
        message(2, b"\xfea\0b"),
        message(1, b"\0\0\x07"),
        message(1, b"\xff\xff\xff\x01\x01\x02\0\0\0\x05stage"),
        stored(
            0,
            &[message(1, &[1]), message(2, definition), message(3, b"\x01x"), message(4, &end)].concat(),
        ),
        message(5, &[1]),
        message(6, definition),
        message(1, b"\x01\0"),
        message(2, b"\xff\x25\x05#70100message"),
    ]
}

const DIALOGUES: &[Dialogue] = &[
    // Login; a query; several statements; an error.
    &[(&[], &[0]), (&[0], &[1]), (&[1], &[3, 4, 5, 7]), (&[2], &[3, 4, 5, 8, 23, 24]), (&[1], &[13])],
    // Prepare, execute, again without types, close; the old form with EOF.
    &[(&[], &[0]), (&[0], &[1]), (&[3], &[14, 4, 15]), (&[4], &[3, 4, 6, 7]), (&[7, 4], &[13])],
    &[(&[3], &[14, 4, 11]), (&[4], &[3, 4, 11, 6, 12])],
    // A cursor, read and left.
    &[(&[3], &[14, 4, 15]), (&[5], &[3, 4, 9]), (&[6], &[20, 10]), (&[5], &[3, 4, 9]), (&[8], &[2])],
    // Long data; a file; other commands.
    &[
        (&[3], &[14, 4, 15]),
        (&[9, 4], &[2]),
        (&[16], &[16]),
        (&[17, 18], &[17]),
        (&[11], &[18]),
        (&[12], &[4, 7]),
    ],
    &[
        (&[13], &[2]),
        (&[14], &[19]),
        (&[15], &[17]),
        (&[10], &[2]),
        (&[28], &[2]),
        (&[21], &[2]),
        (&[22], &[]),
    ],
    // Ahead of the answer; attributes; progress; bulk; replication.
    &[
        (&[3, 19], &[14, 4, 15, 3, 4, 6, 7]),
        (&[20], &[3, 4, 5, 7]),
        (&[1], &[21, 2]),
        (&[26], &[2]),
        (&[27], &[2]),
    ],
    // TLS; compressed; metadata left out; killed.
    &[(&[], &[0]), (&[23], &[]), (&[1], &[2])],
    &[(&[], &[0]), (&[24], &[1]), (&[25], &[22]), (&[25], &[22])],
    &[(&[25], &[22]), (&[1], &[25, 26]), (&[1], &[3, 4, 5])],
];

pub(super) fn client_seeds() -> Vec<Vec<u8>> {
    seeds::dialogues(&LANGUAGE, Side::Client, DIALOGUES)
}

pub(super) fn server_seeds() -> Vec<Vec<u8>> {
    seeds::dialogues(&LANGUAGE, Side::Server, DIALOGUES)
}
