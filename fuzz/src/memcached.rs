//! What is said in memcached's protocols: text, meta and binary.

use tracer::proto::Side;

use super::observer::{self, Language};
use super::seeds::{Dialogue, dialogues};

/// Lines with their data blocks, and binary frames.
pub const LANGUAGE: Language = Language {
    protocol: "memcached",
    message,
    unframe: |_| None,
    client: client_messages,
    server: server_messages,
};

/// The free side is the client.
pub(super) fn client(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Client, data);
}

/// The free side is the server.
pub(super) fn server(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Server, data);
}

/// A binary frame with the body as its key: an answer where the highest bit of the opcode is set, else a request.
fn message(opcode: u8, body: &[u8]) -> Vec<u8> {
    frame(0x80 | opcode >> 7, opcode & 0x7f, &[], body, 0)
}

fn frame(magic: u8, opcode: u8, extras: &[u8], key: &[u8], status: u8) -> Vec<u8> {
    let byte = |len: usize| u8::try_from(len).unwrap_or(u8::MAX);
    let mut frame = vec![magic, opcode, 0, byte(key.len()), byte(extras.len()), 0, 0, status, 0, 0, 0];
    frame.push(byte(extras.len() + key.len()));
    frame.extend_from_slice(&[0; 12]);
    frame.extend_from_slice(extras);
    frame.extend_from_slice(key);
    frame
}

fn client_messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = [
        "get user:42\r\n",
        "gets a b:1 b:2 c@d.e\r\n",
        "set user:42 0 60 5\r\nhello\r\n",
        "set a 0 0 1 noreply\r\nx\r\n",
        "cas a 0 0 1 9\r\nx\r\n",
        "delete a\r\n",
        "incr n 1\r\n",
        "touch a 9\r\n",
        "gat 9 a b\r\n",
        "stats\r\n",
        "version\r\n",
        "mg a v q O1\r\n",
        "mg Zm9v b v k\r\n",
        "ms a 2 q\r\nhi\r\n",
        "md a\r\n",
        "mn\r\n",
        "me a\r\n",
        "watch fetchers\r\n",
        "set a 0 0 x\r\nx\r\n",
        "quit\r\n",
    ]
    .into_iter()
    .map(|line| line.as_bytes().to_vec())
    .collect();
    messages.push(frame(0x80, 0x00, &[], b"user:42", 0));
    messages.push(frame(0x80, 0x01, &[0; 8], b"a", 0));
    messages.push(frame(0x80, 0x0d, &[], b"a", 0));
    messages.push(frame(0x80, 0x0a, &[], b"", 0));
    messages.push(frame(0x80, 0x10, &[], b"", 0));
    messages.push(frame(0x80, 0x21, &[], b"PLAIN\0u\0secret", 0));
    messages
}

fn server_messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = [
        "END\r\n",
        "VALUE user:42 0 5\r\nhello\r\nEND\r\n",
        "VALUE a 0 1 9\r\nx\r\n",
        "STORED\r\n",
        "EXISTS\r\n",
        "DELETED\r\n",
        "NOT_FOUND\r\n",
        "12\r\n",
        "TOUCHED\r\n",
        "STAT pid 1\r\nSTAT time 2\r\nEND\r\n",
        "VERSION 1.6.18\r\n",
        "VA 2 O1 t5\r\nhi\r\n",
        "EN\r\n",
        "HD O1\r\n",
        "NS\r\n",
        "MN\r\n",
        "ME a exp=-1\r\n",
        "OK\r\n",
        "ERROR\r\n",
        "SERVER_ERROR object too large for cache\r\n",
    ]
    .into_iter()
    .map(|line| line.as_bytes().to_vec())
    .collect();
    messages.push(frame(0x81, 0x00, &[0; 4], b"", 0));
    messages.push(frame(0x81, 0x01, &[], b"", 3));
    messages.push(frame(0x81, 0x0d, &[0; 4], b"a", 0));
    messages.push(frame(0x81, 0x0a, &[], b"", 0));
    messages.push(frame(0x81, 0x10, &[], b"pid", 0));
    messages.push(frame(0x81, 0x10, &[], b"", 0));
    messages
}

const DIALOGUES: &[Dialogue] = &[
    &[(&[0], &[1]), (&[2], &[3]), (&[1], &[2, 2, 0]), (&[5], &[6]), (&[6], &[7]), (&[7], &[8])],
    &[(&[3, 3, 4], &[4]), (&[8, 9], &[0, 9]), (&[10], &[10]), (&[18], &[19, 18])],
    &[(&[11, 11, 15], &[11, 15]), (&[13, 12], &[14, 12]), (&[14, 16], &[13, 16])],
    &[(&[17], &[17]), (&[0], &[9]), (&[19], &[])],
    &[(&[20], &[20]), (&[21], &[21]), (&[22, 22, 23], &[22, 23]), (&[24], &[24, 24, 25]), (&[25], &[21])],
];

fn seeds(free: Side) -> Vec<Vec<u8>> {
    dialogues(&LANGUAGE, free, DIALOGUES)
}

pub(super) fn client_seeds() -> Vec<Vec<u8>> {
    seeds(Side::Client)
}

pub(super) fn server_seeds() -> Vec<Vec<u8>> {
    seeds(Side::Server)
}
