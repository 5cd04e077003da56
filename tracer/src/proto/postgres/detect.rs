//! Recognises PostgreSQL from the first pieces of a connection: on any port, from either side, also in the middle.
//!
//! Believes a start-up packet, or messages with fitting content that chain; a lone message that could be anything else
//! is not enough. Never looks at ports.

use super::frame::{Direction, HEADER_BYTES};
use super::resync;
use super::startup::{self, Opening};
use crate::proto::{Detection, Piece, Side};

/// Evidence that decides.
const ENOUGH: u32 = 4;
/// Pieces that read as nothing before the answer is No.
const MISSES: usize = 4;
/// A piece is searched for rows only up to here.
const SEARCHED_BYTES: usize = 4 << 10;

/// Decides from the pieces.
pub(super) fn detect(pieces: &[Piece<'_>]) -> Detection {
    if pieces.iter().filter(|piece| !piece.bytes.is_empty()).take(2).any(|piece| is_other(piece)) {
        return Detection::No;
    }
    let client = evidence(pieces, Side::Client);
    let server = evidence(pieces, Side::Server);
    match (client.points, server.points) {
        (client, server) if client >= ENOUGH && client > server => Detection::Yes(Side::Client),
        (client, server) if server >= ENOUGH && server > client => Detection::Yes(Side::Server),
        _ if client.misses.min(server.misses) >= MISSES => Detection::No,
        _ => Detection::Maybe,
    }
}

#[derive(Default)]
struct Evidence {
    points: u32,
    misses: usize,
}

/// What the pieces say if the traced process is on this side.
fn evidence(pieces: &[Piece<'_>], side: Side) -> Evidence {
    let mut evidence = Evidence::default();
    // A start-up packet, and an answer to it, come at the beginning of their direction only.
    let mut opening = true;
    let mut one_byte_answer = false;
    let mut frontend = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.bytes.is_empty()) {
        let direction =
            if piece.sent == (side == Side::Client) { Direction::Frontend } else { Direction::Backend };
        let bytes = piece.bytes;
        if direction == Direction::Frontend && opening {
            frontend.extend_from_slice(&bytes[..bytes.len().min(startup::LONGEST)]);
            match startup::opening(&frontend) {
                Opening::Packet(_) => {
                    evidence.points += ENOUGH;
                    one_byte_answer = true;
                    frontend.clear();
                    continue;
                }
                Opening::More if piece.skipped == 0 => continue,
                _ => opening = false,
            }
        }
        if direction == Direction::Backend && std::mem::take(&mut one_byte_answer) && bytes.len() == 1 {
            continue;
        }
        match points(direction, bytes, piece.skipped) {
            0 => evidence.misses += 1,
            points => evidence.points += points,
        }
    }
    evidence
}

/// How sure a piece is to hold messages of this direction. 0: it reads as none.
fn points(direction: Direction, bytes: &[u8], skipped: u64) -> u32 {
    let chain = resync::chain(direction, bytes);
    let to_the_end = chain.complete_bytes == bytes.len();
    if !chain.broken && (to_the_end || chain.partial && skipped > 0 || chain.complete > 0) {
        let complete = &bytes[..chain.complete_bytes];
        let strong =
            messages(direction, complete).map(|(tag, body)| weight(direction, tag, body)).sum::<u32>();
        return if chain.complete == 0 { 1 } else { strong.max(1) };
    }
    if direction == Direction::Backend && chain.broken {
        // In the middle of a result: rows that chain to the end, or into a message that the next piece continues.
        let end = &bytes[bytes.len().saturating_sub(SEARCHED_BYTES)..];
        for (open, least) in [(false, 3), (true, 6)] {
            let Some(from) = resync::earliest(direction, end, open) else { continue };
            let strong =
                messages(direction, &end[from..]).map(|(tag, body)| weight(direction, tag, body)).sum();
            if strong >= least {
                return strong;
            }
        }
    }
    0
}

fn messages(direction: Direction, mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, body, _) = resync::message(direction, bytes)?;
        bytes = bytes.get(HEADER_BYTES + body.len()..)?;
        Some((tag, body))
    })
}

/// How unlikely it is that other bytes read as this message.
fn weight(direction: Direction, tag: u8, body: &[u8]) -> u32 {
    match (direction, tag) {
        (Direction::Frontend, b'Q') if starts_like_sql(body) => ENOUGH,
        (Direction::Frontend, b'P') => match body.iter().position(|byte| *byte == 0) {
            Some(end) if starts_like_sql(&body[end + 1..]) => ENOUGH,
            _ => 1,
        },
        (Direction::Frontend, b'B') if body.len() >= 8 => 2,
        (Direction::Frontend, b'Q' | b'E' | b'S' | b'C' | b'D' | b'B') => 1,
        (Direction::Backend, b'Z') => 2,
        (Direction::Backend, b'C' | b'E' | b'N' | b'S' | b'K' | b'R') => 2,
        (Direction::Backend, b'T' | b'D') if body.len() > 2 => 2,
        (Direction::Backend, b'1' | b'2' | b'3' | b'n' | b'T' | b'D' | b't' | b's' | b'I' | b'A') => 1,
        _ => 0,
    }
}

fn starts_like_sql(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 30] = [
        b"select",
        b"insert",
        b"update",
        b"delete",
        b"with",
        b"begin",
        b"commit",
        b"rollback",
        b"set",
        b"show",
        b"start",
        b"create",
        b"alter",
        b"drop",
        b"copy",
        b"call",
        b"values",
        b"table",
        b"listen",
        b"notify",
        b"prepare",
        b"execute",
        b"deallocate",
        b"discard",
        b"explain",
        b"declare",
        b"fetch",
        b"merge",
        b"truncate",
        b"savepoint",
    ];
    let text = text.trim_ascii_start();
    let word = &text[..text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len())];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || text.starts_with(b"/*")
        || text.starts_with(b"--")
}

/// The beginning of a well-known protocol that is not this one.
fn is_other(piece: &Piece<'_>) -> bool {
    let bytes = piece.bytes;
    let tls = matches!(bytes, [0x14..=0x17, 3, 0..=4, ..]);
    let text = [
        &b"SSH-"[..],
        b"HTTP/",
        b"GET /",
        b"POST /",
        b"PUT /",
        b"HEAD /",
        b"DELETE /",
        b"OPTIONS ",
        b"PATCH /",
        b"CONNECT ",
        b"PRI * HTTP/2",
    ];
    // RESP: a type byte, a line, CR LF.
    let redis = matches!(bytes.first(), Some(b'*' | b'$' | b'+' | b'-' | b':' | b'%' | b'>'))
        && bytes
            .iter()
            .take(64)
            .position(|byte| *byte == b'\n')
            .is_some_and(|at| at > 1 && bytes[at - 1] == b'\r');
    // MySQL: a packet length of 24 bits that is exact, and a sequence number.
    let mysql = match bytes {
        [a, b, c, 0..=3, _, ..] if piece.skipped == 0 => {
            usize::from(*a) + (usize::from(*b) << 8) + (usize::from(*c) << 16) + 4 == bytes.len()
                && resync::chain(Direction::Frontend, bytes).broken
                && resync::chain(Direction::Backend, bytes).broken
        }
        _ => false,
    };
    tls || redis || mysql || text.iter().any(|start| bytes.starts_with(start))
}
