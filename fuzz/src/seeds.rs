//! Inputs to begin with, made from the protocol's own messages: `cargo run --example seeds` writes them into `corpus`.

use std::net::SocketAddr;

use tracer::event::{Address, End, Event, ProcessChange, SocketFacts, SocketId, Transfer};
use tracer::proto::Side;
use tracer::request::Task;
use tracer::source::replay;
use tracer::time::Nanos;

use super::observer::{Language, flag, op};
use super::postgres::{self, message};
use super::records;

/// Dialogues in PostgreSQL's messages.
const DIALOGUES: &[Dialogue] = &[
    // Start-up, then a simple query.
    &[(&[0], &[0, 1, 2, 3]), (&[1], &[10, 11, 12, 3])],
    // Extended, with a prepared statement, twice.
    &[(&[0], &[0, 3]), (&[2, 3, 4, 5, 6], &[6, 7, 10, 11, 12, 3]), (&[3, 5, 6], &[7, 11, 12, 3])],
    // A portal read in pieces, closed.
    &[(&[0], &[0, 3]), (&[8, 9, 10, 7], &[6, 7, 11, 14]), (&[10, 11, 12, 6], &[12, 8, 8, 3])],
    // Several statements; a transaction; an error between.
    &[(&[0], &[0, 3]), (&[14], &[10, 12, 10, 16, 5]), (&[14], &[16, 5])],
    // PREPARE, EXECUTE, DEALLOCATE in SQL.
    &[(&[0], &[0, 3]), (&[15], &[12, 10, 12, 12, 3])],
    // COPY in, well and failed; empty query.
    &[(&[0], &[0, 3]), (&[16], &[21]), (&[17, 17, 18], &[13, 3]), (&[16], &[21]), (&[17, 19], &[16, 3])],
    &[(&[0], &[0, 3]), (&[21], &[15, 3]), (&[20], &[26, 3])],
    // An error in a pipeline; notices at any time.
    &[(&[0], &[0, 3]), (&[2, 3, 5, 3, 5, 6, 1], &[6, 18, 16, 3, 19, 10, 12, 3])],
    // TLS refused, then a password; TLS accepted; a cancel request; the server ends the session.
    &[(&[24], &[27]), (&[0], &[0]), (&[22], &[0, 3]), (&[1], &[12, 3]), (&[], &[17])],
    &[(&[24], &[28]), (&[1], &[12])],
    &[(&[25], &[])],
    &[(&[0], &[0, 3]), (&[1], &[22, 24, 24, 25, 13, 3]), (&[23], &[])],
    // Joined in the middle.
    &[(&[3, 5, 6], &[7, 11, 12, 3]), (&[1], &[10, 12, 3]), (&[13, 6], &[20, 10, 3])],
    // Replication.
    &[(&[0], &[0, 3]), (&[1], &[23, 24, 24]), (&[17], &[24, 25, 12, 3])],
];

/// A dialogue: for each turn the numbers of client messages, and of the server messages that answer them.
pub type Dialogue = &'static [(&'static [u8], &'static [u8])];

/// Each dialogue from its first byte and joined late, with one side free to be changed.
pub fn dialogues(language: &Language, free: Side, dialogues: &[Dialogue]) -> Vec<Vec<u8>> {
    let (from_client, from_server) = (language.messages(Side::Client), language.messages(Side::Server));
    let mut seeds = Vec::new();
    for dialogue in dialogues {
        for from_start in [1, 0] {
            let mut seed = vec![from_start];
            for (client, server) in *dialogue {
                speak(&mut seed, language, free == Side::Client, client, &from_client);
                speak(&mut seed, language, free == Side::Server, server, &from_server);
            }
            seeds.push(seed);
        }
    }
    seeds
}

fn postgres(free: Side) -> Vec<Vec<u8>> {
    let mut seeds = dialogues(&postgres::LANGUAGE, free, DIALOGUES);
    // Holes, beginnings, and a cancel.
    seeds.push(vec![
        1,
        op::ANSWER,
        1,
        0,
        op::SKIP | flag::ENDS,
        1,
        40,
        0,
        op::SKIP_OTHER | flag::HUGE,
        1,
        9,
        9,
    ]);
    seeds.push(vec![0, op::BEGIN, 1, b'D', 0, 1, 0, 0, 3, 0, 1, 0, op::SKIP, 1, 0xfc, 0xff, op::CANCEL, 1]);
    seeds
}

fn speak(seed: &mut Vec<u8>, language: &Language, free: bool, numbers: &[u8], messages: &[Vec<u8>]) {
    for (index, number) in numbers.iter().enumerate() {
        let ends = if index + 1 == numbers.len() { flag::ENDS } else { 0 };
        if !free {
            seed.extend_from_slice(&[op::ANSWER | ends, 1, *number]);
            continue;
        }
        let Some(bytes) = messages.get(usize::from(*number)) else { continue };
        match (language.unframe)(bytes) {
            Some((kind, body)) => {
                seed.extend_from_slice(&[op::MESSAGE | ends, 1, kind, u8::try_from(body.len()).unwrap_or(0)]);
                seed.extend_from_slice(body);
            }
            None => {
                let [low, high] = u16::try_from(bytes.len()).unwrap_or(0).to_le_bytes();
                seed.extend_from_slice(&[op::LONG_BYTES | ends, 1, low, high]);
                seed.extend_from_slice(bytes);
            }
        }
    }
}

pub(super) fn postgres_client() -> Vec<Vec<u8>> {
    postgres(Side::Client)
}

pub(super) fn postgres_server() -> Vec<Vec<u8>> {
    postgres(Side::Server)
}

/// Statement texts, each behind its byte that says whether it is cut.
pub(super) fn statements() -> Vec<Vec<u8>> {
    let texts = [
        "select a, 'x', 1.5e3 from t where b in ($1, $2) and c = any(array[1,2]) -- note",
        "insert into t (a, b) values (1, 'it''s'), (2, E'\\'x'), (3, U&'\\0061' uescape '!') returning *",
        "/*+ SeqScan(t) */ select $$a$$, $b$ ; $b$ /* a /* b */ */; select 2;",
        "prepare q (int) as select $1; execute q(1); deallocate \"Q\"; discard all",
        "create function f() returns int begin atomic select case when true then 1 end; end",
        "with x as (select 1) update t set a = -1::int8, b = date '2020-01-01', c = interval '1' day",
        "select \"a\"\"b\", u&\"d\\0061\", x'1f', b'01', n'n', 0x1F, 1_000, .5, a.b.c, a::text[], @ -1, a ?| b",
        "set password to 'x'; alter role r password 'y'",
        "\u{1b}[31m\u{202e}",
    ];
    texts.iter().flat_map(|text| [0u8, 1].map(|cut| [&[cut][..], text.as_bytes()].concat())).collect()
}

fn facts(local: Address, peer: Address) -> SocketFacts {
    SocketFacts { local, peer, inode: 7, netns: 9, opened_before: false }
}

fn inet(text: &str) -> Option<Address> {
    text.parse::<SocketAddr>().ok().map(Address::Inet)
}

/// One record of each kind.
pub(super) fn records() -> Vec<Vec<u8>> {
    let (at, socket) = (Nanos::from_secs(1), SocketId(3));
    let piece = Transfer {
        socket,
        at,
        task: Task { pid: 5, tid: 6 },
        sent: true,
        position: 0,
        bytes: b"hello",
        skipped: 4,
        ends_transfer: true,
        unreadable: false,
    };
    let mut events = vec![
        Event::Transfer(piece),
        Event::Transfer(Transfer { bytes: b"", unreadable: true, sent: false, ..piece }),
        Event::Facts(socket, facts(Address::Unix(Vec::new()), Address::Unix(b"/run/x".to_vec()))),
        Event::Facts(socket, facts(Address::Unix(b"\0abstract".to_vec()), Address::Unix(Vec::new()))),
    ];
    for (local, peer) in [("127.0.0.1:40000", "10.0.0.1:5432"), ("[::1]:40000", "[fe80::1]:5432")] {
        if let (Some(local), Some(peer)) = (inet(local), inet(peer)) {
            events.push(Event::Facts(socket, facts(local, peer)));
        }
    }
    for reason in [End::Closed, End::PeerClosed, End::Failed { errno: 104 }] {
        events.push(Event::SocketEnd { socket, at, reason });
    }
    for change in [ProcessChange::Executed, ProcessChange::Exited, ProcessChange::Forked { parent: 1 }] {
        events.push(Event::Process { pid: 5, at, change });
    }
    events.iter().map(records::encode).collect()
}

/// Each dialogue as the recording of a client; and as that of a server, joined late.
pub(super) fn recordings() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        DIALOGUES.iter().flat_map(|d| [recording(d, true), recording(d, false)]).collect();
    seeds.push(recorded(&records()));
    seeds
}

fn recording(dialogue: &[(&[u8], &[u8])], of_client: bool) -> Vec<u8> {
    let socket = SocketId(3);
    let (local, peer) = (inet("127.0.0.1:40000"), inet("10.0.0.1:5432"));
    let mut all = Vec::new();
    if let (true, Some(local), Some(peer)) = (of_client, local, peer) {
        all.push(records::encode(&Event::Facts(socket, facts(local, peer))));
    }
    let mut position = [0u64; 2];
    let mut at = Nanos::from_secs(1);
    for (client, server) in dialogue {
        for (numbers, messages, sent) in [
            (client, postgres::client_messages(), of_client),
            (server, postgres::server_messages(), !of_client),
        ] {
            let bytes: Vec<u8> = numbers
                .iter()
                .filter_map(|number| messages.get(usize::from(*number)))
                .flatten()
                .copied()
                .collect();
            let piece = Transfer {
                socket,
                at,
                task: Task { pid: 5, tid: 6 },
                sent,
                position: position[usize::from(sent)],
                bytes: &bytes,
                skipped: 0,
                ends_transfer: true,
                unreadable: false,
            };
            position[usize::from(sent)] += piece.len();
            at = at + Nanos::from_millis(1);
            all.push(records::transfer(&piece));
        }
    }
    all.push(records::encode(&Event::SocketEnd { socket, at, reason: End::Closed }));
    recorded(&all)
}

fn recorded(records: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    let _ = replay::begin(&mut file);
    for record in records {
        let _ = replay::append(&mut file, record);
    }
    file
}

/// A struct with an int, an anonymous union and a typedef; and the same, cut.
pub(super) fn btf() -> Vec<Vec<u8>> {
    let strings = b"\0int\0sock\0a\0b\0";
    let ty = |name: u32, kind: u32, count: u32, size: u32, rest: &[u32]| -> Vec<u8> {
        let words = [name, kind << 24 | count, size];
        words.iter().chain(rest).flat_map(|word| word.to_le_bytes()).collect()
    };
    let types = [
        ty(1, 1, 0, 4, &[32]),
        ty(0, 5, 1, 4, &[12, 1, 0]),
        ty(5, 4, 2, 8, &[10, 1, 0, 0, 2, 32]),
        ty(5, 8, 0, 3, &[]),
        ty(0, 3, 0, 0, &[1, 1, 4]),
        ty(0, 13, 1, 0, &[10, 1]),
        ty(10, 12, 0, 6, &[]),
        ty(0, 15, 1, 4, &[1, 0, 4]),
        ty(10, 19, 1, 8, &[12, 1, 0]),
    ]
    .concat();
    let lengths = [types.len(), types.len(), strings.len()].map(|len| u32::try_from(len).unwrap_or(0));
    let mut file = vec![0x9f, 0xeb, 1, 0];
    for word in [24, 0, lengths[0], lengths[1], lengths[2]] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(&types);
    file.extend_from_slice(strings);
    let cut = file[..file.len() - 20].to_vec();
    vec![file, cut, message(0x9f, b"\x01")]
}
