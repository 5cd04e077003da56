//! Is it memcached? From the first pieces of a connection.
//!
//! Text: a command and an answer that only memcached gives to it. One side alone is enough where it shows a data block of
//! exactly the length that its line says. `delete 5` is never enough: a beanstalkd answers as memcached does.
//! Nor is a command without answer: Redis takes `get key` too, typed by hand.
//! Binary: headers that chain, each as its opcode has it.

use super::answer::{self, Answer};
use super::binary;
use super::command::{self, Kind};
use crate::proto::{Detection, Piece, Side};

/// Pieces that read as nothing of memcached, before it is none.
const MISSES: usize = 4;

pub(super) fn detect(pieces: &[Piece<'_>]) -> Detection {
    let mut maybe = false;
    for side in [Side::Client, Side::Server] {
        match evidence(pieces, side) {
            Evidence::Enough => return Detection::Yes(side),
            Evidence::Some => maybe = true,
            Evidence::None => {}
        }
    }
    if maybe { Detection::Maybe } else { Detection::No }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    None,
    Some,
    Enough,
}

/// What the pieces say if the traced process is on this side.
fn evidence(pieces: &[Piece<'_>], side: Side) -> Evidence {
    let (mut misses, mut fits) = (0, 0);
    // The commands of the client's last piece, and whether their keys are numbers.
    let mut asked: Vec<(Kind, bool)> = Vec::new();
    let mut binary_frames = 0;
    for piece in pieces.iter().filter(|piece| !piece.bytes.is_empty()) {
        let speaker = if piece.sent == (side == Side::Client) { Side::Client } else { Side::Server };
        if let Some(frames) = binary::chain(piece.bytes, speaker, piece.skipped) {
            binary_frames += frames;
            continue;
        }
        let read = match speaker {
            Side::Client => commands(piece, &mut asked),
            Side::Server => answers(piece, &asked),
        };
        match read {
            Evidence::Enough => return Evidence::Enough,
            Evidence::Some => fits += 1,
            Evidence::None => misses += 1,
        }
    }
    // One header has twenty bytes and more that are as its opcode has them.
    if binary_frames > 0 && fits == 0 {
        return if misses == 0 || binary_frames > misses { Evidence::Enough } else { Evidence::None };
    }
    if misses > fits && (misses >= MISSES || fits == 0) { Evidence::None } else { Evidence::Some }
}

/// A line, and what is behind it. CR LF only: so much discipline every client has.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at(end + 1);
    Some((line.strip_suffix(b"\r\n")?, rest))
}

/// What is behind a data block. `Some(None)`: it goes on behind the piece.
fn behind_data(rest: &[u8], data: u64) -> Option<Option<&[u8]>> {
    let Some(data) = usize::try_from(data).ok().filter(|data| *data <= rest.len()) else {
        return Some(None);
    };
    let (_, behind) = rest.split_at(data);
    match behind {
        [] | [b'\r'] => Some(None),
        [b'\r', b'\n', behind @ ..] => Some(Some(behind)),
        _ => None,
    }
}

fn commands(piece: &Piece<'_>, asked: &mut Vec<(Kind, bool)>) -> Evidence {
    asked.clear();
    let mut rest = piece.bytes;
    let mut blocks = 0;
    while !rest.is_empty() {
        let Some((text, behind)) = line(rest) else {
            let begins = asked.is_empty() && [&b"get "[..], b"gets "].iter().any(|get| rest.starts_with(get));
            if begins {
                asked.push((Kind::Get, false));
            }
            return if begins || !asked.is_empty() { Evidence::Some } else { Evidence::None };
        };
        let command = command::parse(text);
        if command.kind == Kind::Wrong {
            return Evidence::None;
        }
        if !command.silent {
            asked.push((command.kind, command.keys.iter().all(u8::is_ascii_digit)));
        }
        rest = behind;
        if let Some(data) = command.data {
            match behind_data(rest, data) {
                Some(Some(behind)) => rest = behind,
                Some(None) => break,
                None => return Evidence::None,
            }
            blocks += 1;
        }
    }
    // Two data blocks of exact length chain.
    if blocks >= 2 { Evidence::Enough } else { Evidence::Some }
}

fn answers(piece: &Piece<'_>, asked: &[(Kind, bool)]) -> Evidence {
    let mut rest = piece.bytes;
    let (mut blocks, mut items, mut first) = (0, 0, None);
    while !rest.is_empty() {
        let Some((text, behind)) = line(rest) else { break };
        let Some((answer, data)) = answer::parse(text) else { return Evidence::None };
        rest = behind;
        items += u32::from(answer == Answer::Item);
        if !answer.is_part() && first.is_none() {
            first = Some(answer);
        }
        // Values that end, each with exactly its data: nothing else speaks so.
        if answer == Answer::End && (blocks >= 1 || items >= 3) {
            return Evidence::Enough;
        }
        if let Some(data) = data {
            match behind_data(rest, data) {
                Some(Some(behind)) => rest = behind,
                Some(None) => break,
                None => return Evidence::None,
            }
            blocks += 1;
        }
    }
    if rest.len() == piece.bytes.len() {
        return Evidence::None;
    }
    if blocks >= 2 {
        return Evidence::Enough;
    }
    let Some(((kind, numeric), answer)) = asked.first().copied().zip(first) else { return Evidence::Some };
    if answer.ends(kind).is_none() {
        return Evidence::None;
    }
    let own = match (kind, answer) {
        (Kind::Version, Answer::Version)
        | (Kind::Get | Kind::Stats, Answer::End)
        | (Kind::Count, Answer::Number)
        | (Kind::Meta | Kind::MetaGet, Answer::Meta { .. })
        | (Kind::MetaNoop, Answer::MetaNoop) => true,
        (Kind::Store | Kind::Touch, Answer::Word(_)) => true,
        (Kind::Delete, Answer::Word(_)) => !numeric,
        _ => false,
    };
    if own { Evidence::Enough } else { Evidence::Some }
}
