//! Finds message boundaries in bytes of which only some are known: after a join in the middle, and after a hole.
//!
//! A boundary is believed only where messages with fitting content chain up to the end of what is known. Never guesses
//! from a single type byte.

use super::frame::{Direction, HEADER_BYTES};
use super::{backend, frontend};
use crate::proto::Moment;
use std::collections::VecDeque;

/// The longest tail that is searched for messages. Longer tails are cut at their front.
pub(super) const TAIL_BYTES: usize = 8 << 10;

/// How far bytes read as messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Complete messages.
    pub complete: usize,
    /// Bytes of complete messages.
    pub complete_bytes: usize,
    /// The bytes end inside a message whose header is known and whose beginning fits.
    pub partial: bool,
    /// The bytes do not chain.
    pub broken: bool,
}

fn plausible(direction: Direction, tag: u8, body: &[u8], body_bytes: u32) -> bool {
    match direction {
        Direction::Frontend => frontend::plausible(tag, body, body_bytes),
        Direction::Backend => backend::plausible(tag, body, body_bytes),
    }
}

/// The message at the start of `bytes`: type, body as far as known, and length on the wire.
pub(super) fn message(direction: Direction, bytes: &[u8]) -> Option<(u8, &[u8], u32)> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let (tag, body_bytes) = direction.header(*header)?;
    let body = rest.get(..body_bytes as usize).unwrap_or(rest);
    plausible(direction, tag, body, body_bytes).then_some((tag, body, body_bytes))
}

/// Reads `bytes` as messages of one direction.
pub(super) fn chain(direction: Direction, bytes: &[u8]) -> Chain {
    let mut chain = Chain::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        if rest.len() < HEADER_BYTES {
            // A type byte and zeroes: almost every length is below 2^24.
            chain.broken =
                direction.longest_body(rest[0]).is_none() || rest.get(1).is_some_and(|byte| *byte != 0);
            break;
        }
        let Some((_, body, body_bytes)) = message(direction, rest) else {
            chain.broken = true;
            break;
        };
        if body.len() < body_bytes as usize {
            chain.partial = true;
            break;
        }
        chain.complete += 1;
        chain.complete_bytes += HEADER_BYTES + body.len();
        rest = &rest[HEADER_BYTES + body.len()..];
    }
    chain
}

/// The bytes end with a ReadyForQuery.
pub(super) fn ends_ready(bytes: &[u8]) -> bool {
    matches!(bytes, [.., b'Z', 0, 0, 0, 5, b'I' | b'T' | b'E'])
}

/// Where in `bytes`, which end with ReadyForQuery, the backend messages begin that chain exactly to their end.
pub(super) fn tail(bytes: &[u8]) -> Option<usize> {
    if !ends_ready(bytes) {
        return None;
    }
    earliest(Direction::Backend, bytes, false)
}

/// The first offset from which messages chain exactly to the end of `bytes`; with `open`, also to a message that goes on
/// behind them.
pub(super) fn earliest(direction: Direction, bytes: &[u8], open: bool) -> Option<usize> {
    let mut chains = vec![false; bytes.len() + 1];
    chains[bytes.len()] = true;
    let mut earliest = None;
    for at in (0..bytes.len().saturating_sub(HEADER_BYTES - 1)).rev() {
        let Some(header) = bytes[at..].first_chunk::<HEADER_BYTES>() else { continue };
        let Some((tag, body_bytes)) = direction.header(*header) else { continue };
        let begin = at + HEADER_BYTES;
        let end = begin.saturating_add(body_bytes as usize);
        let continues = chains.get(end).copied().unwrap_or(open);
        let body = &bytes[begin..end.min(bytes.len())];
        if continues && plausible(direction, tag, body, body_bytes) {
            chains[at] = true;
            earliest = Some(at);
        }
    }
    earliest
}

/// The last bytes of a stretch without holes, and when they moved. `Debug` shows no content.
#[derive(Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    chunks: VecDeque<(usize, Moment)>,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Tail {
    /// More bytes without a hole.
    pub(super) fn push(&mut self, moment: Moment, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        let surplus = (self.bytes.len() + bytes.len()).saturating_sub(TAIL_BYTES);
        self.bytes.drain(..surplus);
        self.bytes.extend_from_slice(bytes);
        self.chunks.push_back((bytes.len(), moment));
        let mut surplus = surplus;
        while let Some((length, _)) = self.chunks.front_mut() {
            let cut = surplus.min(*length);
            *length -= cut;
            surplus -= cut;
            if *length > 0 {
                break;
            }
            self.chunks.pop_front();
        }
    }
    /// A hole.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// The chunk that carried the byte at `offset`.
    pub(super) fn moment_at(&self, offset: usize) -> Option<Moment> {
        let mut end = 0;
        self.chunks.iter().find_map(|(length, moment)| {
            end += length;
            (offset < end).then_some(*moment)
        })
    }
}
