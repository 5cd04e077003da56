//! Tells MongoDB from anything else by its messages: headers with a known opcode, and bodies that are as long and begin as the
//! header says.

use super::bson::Elements;
use super::message::{
    self, HEADER_BYTES, Header, OP_COMPRESSED, OP_MSG, OP_QUERY, OP_REPLY, Section, Sections,
};
use super::search::{Judgement, judge};
use crate::proto::{Detection, Piece, Side};

/// So many pieces that do not begin a message, and it is another protocol, or the middle of a long answer.
const MISSES: usize = 6;
/// Looked at of a message.
const JOINED_BYTES: usize = 4 << 10;

/// Decides from the pieces.
pub(super) fn detect(pieces: &[Piece<'_>]) -> Detection {
    let mut misses = 0;
    let mut joined = Vec::new();
    // A message that began in an earlier piece of a direction may take all of the next one.
    let mut open = [false; 2];
    for (n, piece) in pieces.iter().enumerate() {
        if piece.bytes.is_empty() || open[usize::from(piece.sent)] {
            continue;
        }
        joined.clear();
        let complete = join(pieces.get(n..).unwrap_or_default(), piece.sent, &mut joined);
        match judge(&joined, None) {
            Judgement::Message(header) => match sender(&header, &joined, complete) {
                Some(Side::Client) => return Detection::Yes(side(piece.sent, Side::Client)),
                Some(Side::Server) => return Detection::Yes(side(piece.sent, Side::Server)),
                None => open[usize::from(piece.sent)] = true,
            },
            Judgement::More if complete => open[usize::from(piece.sent)] = true,
            Judgement::More | Judgement::No => misses += 1,
        }
    }
    if misses >= MISSES || begins_otherwise(pieces) { Detection::No } else { Detection::Maybe }
}

/// Side of the traced process when this side sent or received the piece.
fn side(sent: bool, speaker: Side) -> Side {
    match (sent, speaker) {
        (true, speaker) => speaker,
        (false, Side::Client) => Side::Server,
        (false, Side::Server) => Side::Client,
    }
}

/// The bytes of a direction from here on, up to a hole. False: a hole ends them.
fn join(pieces: &[Piece<'_>], sent: bool, joined: &mut Vec<u8>) -> bool {
    for piece in pieces.iter().filter(|piece| piece.sent == sent) {
        let room = JOINED_BYTES.saturating_sub(joined.len());
        joined.extend_from_slice(piece.bytes.get(..room).unwrap_or(piece.bytes));
        if piece.skipped > 0 || joined.len() >= JOINED_BYTES {
            return false;
        }
    }
    true
}

/// Who sends such a message. None: it cannot be told yet, or these are not its bytes after all.
fn sender(header: &Header, bytes: &[u8], complete: bool) -> Option<Side> {
    let body = bytes.get(HEADER_BYTES..)?;
    match header.opcode {
        OP_MSG => {
            let document =
                Sections::new(body, u64::from(header.body_bytes())).find_map(|section| match section {
                    Section::Body(document) => Some(document),
                    Section::Sequence { .. } => None,
                })?;
            speaker(document).or_else(|| {
                // The rest of a long one was not captured: a first request has responseTo 0, every later answer has not.
                (!complete).then_some(if header.response_to == 0 { Side::Client } else { Side::Server })
            })
        }
        OP_REPLY => Some(Side::Server),
        OP_QUERY => message::query(body).map(|_| Side::Client),
        OP_COMPRESSED => {
            let start = body.get(8..)?;
            let magic = match start {
                [1, size @ ..] => snappy_length(size)? == u64::try_from(message::int32(body, 4)?).ok()?,
                [2, 0x78, ..] | [3, 0x28, 0xb5, 0x2f, 0xfd, ..] => true,
                _ => false,
            };
            magic.then_some(if header.response_to == 0 { Side::Client } else { Side::Server })
        }
        _ => None,
    }
}

/// A command names its database, an answer says whether it succeeded.
fn speaker(document: &[u8]) -> Option<Side> {
    Elements::new(document).find_map(|element| match element.name {
        b"$db" => Some(Side::Client),
        // Not `cursor`: it stands in answers, but also in the command aggregate.
        b"ok" => Some(Side::Server),
        _ => None,
    })
}

/// The length at the beginning of Snappy's raw format: seven bits a byte, the lowest first.
fn snappy_length(bytes: &[u8]) -> Option<u64> {
    let mut length = 0;
    for (shift, byte) in (0..).step_by(7).zip(bytes.iter().take(5)) {
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

/// The first bytes of either direction are no header of any message, and both directions spoke.
fn begins_otherwise(pieces: &[Piece<'_>]) -> bool {
    let begins = |sent: bool| {
        let first = pieces.iter().find(|piece| piece.sent == sent && !piece.bytes.is_empty());
        first.map(|piece| judge(piece.bytes, None) == Judgement::No)
    };
    begins(true) == Some(true) && begins(false) == Some(true)
}
