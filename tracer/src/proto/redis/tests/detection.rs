//! What is taken for Redis, and what is not.

use crate::proto::redis::detect::detect;
use crate::proto::{Detection, Piece, Side};

fn raw(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r").replace("\\n", "\n").into_bytes()
}

/// Pieces, one a line: `>` the traced process sent it, `<` it received it; ` ...` at the end: more was not captured.
#[track_caller]
fn check(pieces: &str, expected: Detection) {
    let lines: Vec<(bool, Vec<u8>, u64)> = pieces
        .lines()
        .map(str::trim)
        .map(|line| {
            let (text, skipped) = line.strip_suffix(" ...").map_or((line, 0), |line| (line, 1000));
            (text.starts_with('>'), raw(text.get(2..).unwrap_or_default()), skipped)
        })
        .collect();
    let pieces: Vec<Piece<'_>> =
        lines.iter().map(|(sent, bytes, skipped)| Piece { sent: *sent, bytes, skipped: *skipped }).collect();
    assert_eq!(detect(&pieces), expected, "{lines:?}");
}

const CLIENT: Detection = Detection::Yes(Side::Client);
const SERVER: Detection = Detection::Yes(Side::Server);

#[test]
fn commands_are_recognised_from_both_sides() {
    check("> *1\\r\\n$4\\r\\nPING\\r\\n", CLIENT);
    check("< *2\\r\\n$3\\r\\nget\\r\\n$1\\r\\na\\r\\n", SERVER);
    check("> *3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\na\\r\\n$90000\\r\\nxxxxx ...", CLIENT);
    check("> *3\\r\\n\n> $3\\r\\nSET\\r\\n$1\\r\\na\\r\\n$1\\r\\nx\\r\\n", CLIENT);
    check("< +OK\\r\\n\n> *2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n", CLIENT);
    check("< of a value\\r\\n\n> *2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n", CLIENT);
}

#[test]
fn what_only_redis_publishes_is_recognised() {
    check("< *3\\r\\n$7\\r\\nmessage\\r\\n$4\\r\\nnews\\r\\n$5\\r\\nhello\\r\\n", CLIENT);
    check("> >2\\r\\n$10\\r\\ninvalidate\\r\\n*1\\r\\n$1\\r\\na\\r\\n", Detection::Maybe);
    check("> *4\\r\\n$8\\r\\npmessage\\r\\n$1\\r\\n*\\r\\n$4\\r\\nnews\\r\\n$5\\r\\nhello\\r\\n", SERVER);
    check("< $5\\r\\nhello\\r\\n$5\\r\\nhello\\r\\n", CLIENT);
}

#[test]
fn case_41_inline_commands_need_their_answer() {
    check("> PING\\r\\n", Detection::Maybe);
    check("> PING\\r\\n\n< +PONG\\r\\n", CLIENT);
    check("> GET a\\r\\n\n< $1\\r\\nx\\r\\n", CLIENT);
    check("< GET a\\r\\n\n> $-1\\r\\n", SERVER);
    check("> INCR a\\r\\n\n< :1\\r\\n\n> INCR a\\r\\n\n< :2\\r\\n", CLIENT);
}

#[test]
fn other_protocols_are_not_taken_for_redis() {
    let never = |pieces: &str| {
        let pieces = pieces.lines().map(str::trim).collect::<Vec<_>>();
        for upto in 1..=pieces.len() {
            let lines: Vec<(bool, Vec<u8>)> =
                pieces[..upto].iter().map(|line| (line.starts_with('>'), raw(&line[2..]))).collect();
            let pieces: Vec<Piece<'_>> =
                lines.iter().map(|(sent, bytes)| Piece { sent: *sent, bytes, skipped: 0 }).collect();
            assert!(!matches!(detect(&pieces), Detection::Yes(_)), "{lines:?}");
        }
    };
    // memcached
    never(
        "> get x\\r\\n\n< VALUE x 0 1\\r\\n1\\r\\nEND\\r\\n\n> set x 0 0 1\\r\\n1\\r\\n\n< STORED\\r\\n\n> get y\\r\\n\n< END\\r\\n",
    );
    never(
        "> incr x 1\\r\\n\n< 2\\r\\n\n> touch x 1\\r\\n\n< TOUCHED\\r\\n\n> append x 0 0 1\\r\\n1\\r\\n\n< STORED\\r\\n",
    );
    // SMTP
    never(
        "< 220 mail ESMTP\\r\\n\n> EHLO me\\r\\n\n< 250-mail\\r\\n250 OK\\r\\n\n> QUIT\\r\\n\n< 221 Bye\\r\\n",
    );
    // POP3
    never(
        "< +OK ready\\r\\n\n> USER me\\r\\n\n< +OK\\r\\n\n> PASS x\\r\\n\n< +OK\\r\\n\n> TYPE\\r\\n\n< -ERR\\r\\n\n> QUIT\\r\\n\n< +OK\\r\\n",
    );
    // FTP
    never("< 220 ready\\r\\n\n> USER me\\r\\n\n< 331 password\\r\\n\n> TYPE I\\r\\n\n< 200 OK\\r\\n");
    // NATS, from its beginning and in the middle
    never(
        "< INFO {\"server_id\":\"x\"}\\r\\n\n> CONNECT {\"verbose\":true}\\r\\nPING\\r\\n\n< +OK\\r\\nPONG\\r\\n\n> PUB a 5\\r\\nhello\\r\\n\n< +OK\\r\\n",
    );
    never(
        "> PING\\r\\n\n< PONG\\r\\n\n< PING\\r\\n\n> PONG\\r\\n\n< MSG a 1 5\\r\\nhello\\r\\n\n> PUB a 2\\r\\nhi\\r\\n\n< +OK\\r\\n",
    );
    // HTTP
    never(
        "> GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\n< HTTP/1.1 200 OK\\r\\n\\r\\n*1\\r\\n$4\\r\\nPING\\r\\n",
    );
    // A list that has no lengths, and lengths that are not exact
    never(
        "> *2\\r\\n\n< *2\\r\\n\n> *1\\r\\n$5\\r\\nPING\\r\\n\n> *2\\r\\n$3\\r\\nGET\\r\\n$9\\r\\na\\r\\n$1\\r\\nb\\r\\n",
    );
}
