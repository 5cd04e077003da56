//! What is said in MongoDB's protocol.

use tracer::proto::Side;

use super::observer::{self, Language, flag, op};
use super::seeds::{self, Dialogue};

/// MongoDB's messages: the byte before a body chooses the opcode.
pub const LANGUAGE: Language = Language {
    protocol: "mongodb",
    message,
    unframe: |_| None,
    client: client_messages,
    server: server_messages,
};

/// Dialogues in MongoDB's messages.
const DIALOGUES: &[Dialogue] = &[
    // A handshake, then reads with a second batch.
    &[(&[0], &[0]), (&[1], &[1]), (&[2], &[2])],
    // The old handshake; a heartbeat that waits, and its answers.
    &[(&[3], &[3]), (&[4], &[4, 5])],
    // Writes in sequences, with errors; one without answer.
    &[(&[5], &[6]), (&[6], &[7]), (&[7], &[8]), (&[8], &[]), (&[2], &[2])],
    // Compressed by each compressor.
    &[(&[9], &[9]), (&[10], &[10]), (&[11], &[11]), (&[12], &[12])],
    // Secrets, an aggregation, legacy messages.
    &[(&[13], &[8]), (&[14], &[1]), (&[15], &[13]), (&[16], &[]), (&[17], &[13])],
];

/// The free side is the client.
pub(super) fn client(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Client, data);
}

/// The free side is the server.
pub(super) fn server(data: &[u8]) {
    observer::run(&LANGUAGE, Side::Server, data);
}

/// Seeds with a free client.
pub(super) fn client_seeds() -> Vec<Vec<u8>> {
    all_seeds(Side::Client)
}

/// Seeds with a free server.
pub(super) fn server_seeds() -> Vec<Vec<u8>> {
    all_seeds(Side::Server)
}

fn all_seeds(free: Side) -> Vec<Vec<u8>> {
    let mut all = seeds::dialogues(&LANGUAGE, free, DIALOGUES);
    // A message that the free side begins, with a hole in it and a hole of the other side.
    for kind in 0..4 {
        all.push(vec![
            1,
            op::MESSAGE,
            1,
            kind,
            4,
            0,
            0,
            0,
            0,
            op::SKIP | flag::ENDS,
            1,
            40,
            0,
            op::ANSWER,
            1,
            1,
        ]);
        all.push(vec![0, op::ANSWER, 1, 1, op::SKIP_OTHER | flag::HUGE, 1, 9, 9, op::MESSAGE, 1, kind, 0]);
    }
    all
}

/// Header and body. The lower bits of the byte choose the opcode, the upper ones the ids.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    const OPCODES: [i32; 8] = [2013, 2012, 2004, 1, 2005, 2002, 2007, 2013];
    let opcode = OPCODES.get(usize::from(kind & 7)).copied().unwrap_or(2013);
    framed(i32::from(kind >> 6), i32::from(kind >> 3 & 7), opcode, body)
}

fn framed(request_id: i32, response_to: i32, opcode: i32, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len() + 16).unwrap_or(i32::MAX);
    let header = [length, request_id, response_to, opcode].map(i32::to_le_bytes).concat();
    [&header, body].concat()
}

/// Type, name and value of each element.
fn document(elements: &[&[u8]]) -> Vec<u8> {
    let elements = elements.concat();
    let length = i32::try_from(elements.len() + 5).unwrap_or(i32::MAX).to_le_bytes();
    [&length[..], &elements, &[0]].concat()
}

fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind][..], name.as_bytes(), &[0], value].concat()
}

fn text(name: &str, text: &str) -> Vec<u8> {
    let length = i32::try_from(text.len() + 1).unwrap_or(i32::MAX).to_le_bytes();
    element(2, name, &[&length[..], text.as_bytes(), &[0]].concat())
}

fn number(name: &str, number: i32) -> Vec<u8> {
    element(16, name, &number.to_le_bytes())
}

fn inside(name: &str, elements: &[&[u8]]) -> Vec<u8> {
    element(3, name, &document(elements))
}

fn array(name: &str, elements: &[&[u8]]) -> Vec<u8> {
    element(4, name, &document(elements))
}

fn body(flags: u32, document: &[u8]) -> Vec<u8> {
    [&flags.to_le_bytes()[..], &[0], document].concat()
}

fn with_sequence(flags: u32, command: &[u8], name: &str, documents: &[&[u8]]) -> Vec<u8> {
    let sequence = [name.as_bytes(), &[0], &documents.concat()].concat();
    let size = u32::try_from(sequence.len() + 4).unwrap_or(u32::MAX);
    [&body(flags, command)[..], &[1], &size.to_le_bytes(), &sequence].concat()
}

fn compressed(compressor: u8, body: &[u8]) -> Vec<u8> {
    let size = i32::try_from(body.len()).unwrap_or(i32::MAX).to_le_bytes();
    let packed = match compressor {
        // Snappy: the length, then one literal of up to 60 bytes.
        1 => {
            let start = body.get(..body.len().min(60)).unwrap_or(body);
            let length = u8::try_from(start.len()).unwrap_or(60);
            return framed_prefix(
                i32::from(length).to_le_bytes(),
                1,
                &[&[length, (length - 1) << 2], start].concat(),
            );
        }
        // RFC 1950 with one stored block of RFC 1951, and a checksum that nobody has computed.
        2 => {
            let length = u16::try_from(body.len()).unwrap_or(0);
            let block =
                [&[0x78, 0x01, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), body].concat();
            [&block, &[0, 0, 0, 1][..]].concat()
        }
        // RFC 8878: a frame with one raw block.
        3 => {
            let length = u32::try_from(body.len()).unwrap_or(0);
            let [b0, b1, b2, _] = (length << 3 | 1).to_le_bytes();
            [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, b0, b1, b2][..], body].concat()
        }
        _ => body.to_vec(),
    };
    framed_prefix(size, compressor, &packed)
}

fn framed_prefix(size: [u8; 4], compressor: u8, packed: &[u8]) -> Vec<u8> {
    [&2013_i32.to_le_bytes()[..], &size, &[compressor], packed].concat()
}

fn database() -> Vec<u8> {
    text("$db", "d")
}

/// One of each message of a client, in the order of [`DIALOGUES`].
fn client_messages() -> Vec<Vec<u8>> {
    let filter = inside("filter", &[&number("a", 1), &array("b.0.c", &[&number("0", 1), &number("1", 2)])]);
    let find = document(&[&text("find", "u"), &filter, &number("limit", 5), &database()]);
    let insert = document(&[&text("insert", "u"), &database()]);
    let update = document(&[&text("update", "u"), &database()]);
    let change =
        document(&[&inside("q", &[&number("_id", 1)]), &inside("u", &[&inside("$set", &[&text("n", "x")])])]);
    let one = document(&[&number("_id", 1)]);
    let awaited = document(&[
        &number("hello", 1),
        &inside("topologyVersion", &[]),
        &number("maxAwaitTimeMS", 10),
        &database(),
    ]);
    let pipeline = array(
        "pipeline",
        &[&inside("0", &[&inside("$match", &[&number("a", 1)])]), &inside("1", &[&number("$limit", 1)])],
    );
    let old = document(&[&number("isMaster", 1), &inside("client", &[])]);
    let find_body = body(0, &find);
    vec![
        framed(1, 0, 2013, &body(0, &document(&[&number("hello", 1), &inside("client", &[]), &database()]))),
        framed(2, 0, 2013, &find_body),
        framed(
            3,
            0,
            2013,
            &body(0, &document(&[&number("getMore", 5), &text("collection", "u"), &database()])),
        ),
        framed(1, 0, 2004, &[&[0; 4][..], b"admin.$cmd\0", &[0; 8], &old].concat()),
        framed(4, 0, 2013, &body(1 << 16, &awaited)),
        framed(5, 0, 2013, &with_sequence(0, &insert, "documents", &[&one, &one])),
        framed(6, 0, 2013, &with_sequence(0, &update, "updates", &[&change])),
        framed(
            7,
            0,
            2013,
            &[&body(1, &document(&[&number("ping", 1), &database()]))[..], &[1, 2, 3, 4]].concat(),
        ),
        framed(8, 0, 2013, &with_sequence(2, &insert, "documents", &[&one])),
        framed(9, 0, 2012, &compressed(0, &find_body)),
        framed(10, 0, 2012, &compressed(1, &find_body)),
        framed(11, 0, 2012, &compressed(2, &find_body)),
        framed(12, 0, 2012, &compressed(3, &find_body)),
        framed(
            7,
            0,
            2013,
            &body(
                0,
                &document(&[
                    &number("saslStart", 1),
                    &text("mechanism", "SCRAM-SHA-256"),
                    &element(5, "payload", b"\x0e\0\0\0\0n,,n=bob,r=abc"),
                    &database(),
                ]),
            ),
        ),
        framed(2, 0, 2013, &body(0, &document(&[&text("aggregate", "u"), &pipeline, &database()]))),
        framed(13, 0, 2004, &[&[0; 4][..], b"d.u\0", &[0; 8], &one].concat()),
        framed(14, 0, 2002, &[0; 12]),
        framed(13, 0, 2005, &[0; 24]),
    ]
}

/// One of each message of a server, in the order of [`DIALOGUES`].
fn server_messages() -> Vec<Vec<u8>> {
    let ok = number("ok", 1);
    let row = inside("0", &[&number("a", 1)]);
    let batch =
        |name: &str| document(&[&inside("cursor", &[&array(name, &[&row, &row]), &number("id", 5)]), &ok]);
    let first = body(0, &batch("firstBatch"));
    let answer = |document: &[u8]| body(0, document);
    let reply = |document: &[u8]| [&[0; 16][..], &[1, 0, 0, 0], document].concat();
    let write_error = inside("0", &[&number("index", 0), &number("code", 11000)]);
    vec![
        framed(50, 1, 2013, &answer(&document(&[&element(8, "isWritablePrimary", &[1]), &ok]))),
        framed(51, 2, 2013, &first),
        framed(52, 3, 2013, &answer(&batch("nextBatch"))),
        framed(53, 1, 1, &reply(&document(&[&element(8, "ismaster", &[1]), &ok]))),
        framed(54, 4, 2013, &body(2, &document(&[&ok]))),
        framed(55, 54, 2013, &body(2, &document(&[&ok]))),
        framed(
            56,
            5,
            2013,
            &answer(&document(&[&number("n", 1), &array("writeErrors", &[&write_error]), &ok])),
        ),
        framed(
            57,
            6,
            2013,
            &answer(&document(&[&number("ok", 0), &number("code", 2), &text("codeName", "BadValue")])),
        ),
        framed(58, 7, 2013, &answer(&document(&[&number("n", 1), &ok]))),
        framed(59, 9, 2012, &compressed(0, &first)),
        framed(60, 10, 2012, &compressed(1, &first)),
        framed(61, 11, 2012, &compressed(2, &first)),
        framed(62, 12, 2012, &compressed(3, &first)),
        framed(63, 13, 1, &reply(&document(&[&number("a", 1)]))),
    ]
}
