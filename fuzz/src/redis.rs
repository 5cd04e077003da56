//! What is said in Redis' protocol.

use tracer::proto::Side;

use super::observer::{self, Language, flag, op};
use super::seeds::{Dialogue, dialogues};

/// RESP: the byte before a body is its type. A string has its length before it, everything else is a line.
pub const LANGUAGE: Language =
    Language { protocol: "redis", message, unframe, client: client_messages, server: server_messages };

/// The free side is the client.
pub(super) fn client(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Client, data);
}

/// The free side is the server.
pub(super) fn server(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Server, data);
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    if matches!(kind, b'$' | b'=' | b'!' | b';') {
        return [&[kind][..], body.len().to_string().as_bytes(), b"\r\n", body, b"\r\n"].concat();
    }
    [&[kind][..], body, b"\r\n"].concat()
}

fn unframe(message: &[u8]) -> Option<(u8, &[u8])> {
    let (kind, rest) = message.split_first()?;
    if matches!(kind, b'$' | b'=' | b'!' | b';') {
        return None;
    }
    Some((*kind, rest.strip_suffix(b"\r\n")?))
}

fn command(words: &str) -> Vec<u8> {
    let words: Vec<&str> = words.split(' ').collect();
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|word| bytes.extend(message(b'$', word.as_bytes())));
    bytes
}

/// Commands, by number in [`DIALOGUES`].
pub fn client_messages() -> Vec<Vec<u8>> {
    let commands = [
        "GET user:1",
        "SET user:1 value",
        "MULTI",
        "EXEC",
        "DISCARD",
        "SUBSCRIBE a b",
        "UNSUBSCRIBE",
        "MONITOR",
        "HELLO 3 AUTH user secret",
        "AUTH secret",
        "CLIENT REPLY SKIP",
        "CLIENT REPLY ON",
        "CLIENT REPLY OFF",
        "EVAL return(1) 1 key:1 argument",
        "EVALSHA 1fa00e76656cc152ad327c13fe365858fd7be306 0",
        "XREAD BLOCK 0 STREAMS s 0",
        "PSYNC ? -1",
        "REPLCONF ACK 7",
        "RESET",
        "QUIT",
        "SELECT 3",
        "CONFIG SET requirepass secret",
        "MIGRATE h 1 k 0 9 AUTH2 user secret KEYS a b",
        "NOSUCH a",
    ];
    let inline = [&b"PING\r\n"[..], b"set a \"b c\"\r\n", b"\r\n", b"*0\r\n", b"*-1\r\n"];
    commands.iter().map(|words| command(words)).chain(inline.iter().map(|line| line.to_vec())).collect()
}

/// Answers, by number in [`DIALOGUES`].
pub fn server_messages() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 27] = [
        b"+OK\r\n",
        b"-ERR bad\r\n",
        b":1\r\n",
        b"$5\r\nhello\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"+QUEUED\r\n",
        b"*2\r\n$1\r\na\r\n:2\r\n",
        b"*2\r\n*1\r\n:1\r\n-ERR x\r\n",
        b"%1\r\n+a\r\n:1\r\n",
        b"~1\r\n+a\r\n",
        b"_\r\n",
        b",1.5\r\n",
        b"#t\r\n",
        b"(123456789012345678901234567890\r\n",
        b"!5\r\nERR x\r\n",
        b"=5\r\ntxt:x\r\n",
        b"|1\r\n+ttl\r\n:1\r\n",
        b"$?\r\n;3\r\nabc\r\n;0\r\n",
        b"*?\r\n:1\r\n.\r\n",
        b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
        b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n",
        b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n",
        b"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n",
        b"+1700000000.123456 [0 127.0.0.1:1] \"GET\" \"a\"\r\n",
        b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n7\r\n",
        b"+RESET\r\n",
    ];
    texts.iter().map(|text| text.to_vec()).collect()
}

/// Dialogues in these messages.
const DIALOGUES: &[Dialogue] = &[
    &[(&[1], &[0]), (&[0, 0], &[3, 4]), (&[23], &[1])],
    &[(&[2], &[0]), (&[0, 1], &[6, 6]), (&[3], &[8]), (&[2, 1, 4], &[0, 6, 0]), (&[2, 1, 3], &[0, 6, 5])],
    &[(&[5], &[20, 20]), (&[0], &[21, 3, 22]), (&[6], &[23, 23])],
    &[(&[7], &[0]), (&[], &[24, 24]), (&[18], &[26])],
    &[(&[8], &[9]), (&[9], &[1]), (&[20], &[0]), (&[21], &[0]), (&[22], &[0])],
    &[(&[10, 0, 1], &[0]), (&[12, 0, 11, 0], &[0, 3])],
    &[(&[13, 14, 15], &[17, 12, 13, 5])],
    &[(&[0, 0, 0, 0], &[14, 15, 16, 18]), (&[0, 0, 0], &[19, 10, 11])],
    &[(&[24], &[0]), (&[25], &[0]), (&[26, 27, 28], &[]), (&[19], &[0])],
    &[(&[0], &[3]), (&[16], &[0, 3]), (&[17], &[])],
    &[(&[17], &[25])],
];

fn seeds(free: Side) -> Vec<Vec<u8>> {
    let mut seeds = dialogues(&LANGUAGE, free, DIALOGUES);
    // A hole inside a value, one over its end, and a command that is cut.
    seeds.push(vec![
        1,
        op::BEGIN,
        1,
        b'*',
        b'2',
        b'\r',
        b'\n',
        b'$',
        3,
        b'1',
        b'\r',
        b'\n',
        op::SKIP,
        1,
        9,
        0,
    ]);
    seeds.push(vec![
        1,
        op::ANSWER | flag::ENDS,
        1,
        0,
        op::SKIP_OTHER | flag::HUGE,
        1,
        9,
        9,
        op::ANSWER | flag::ENDS,
        1,
        3,
        op::ANSWER | flag::ENDS,
        1,
        0,
    ]);
    seeds
}

pub(super) fn client_seeds() -> Vec<Vec<u8>> {
    seeds(Side::Client)
}

pub(super) fn server_seeds() -> Vec<Vec<u8>> {
    seeds(Side::Server)
}
