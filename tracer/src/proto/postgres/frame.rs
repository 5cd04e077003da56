//! Cuts one direction of the byte stream into messages: a type byte, an `i32` length that counts itself, a body
//! (PostgreSQL documentation, "Message Formats").
//!
//! A message that lies whole in one chunk is borrowed from it. Otherwise only the prefix of the body that somebody
//! reads is kept ([`Direction::keep`]); the rest passes by length. Never looks into a body, and never keeps a byte of a
//! password message.

use crate::proto::Moment;
use crate::time::Nanos;

/// Wire size of a message header.
pub(super) const HEADER_BYTES: usize = 5;
/// Longest message body that PostgreSQL accepts or sends (`MaxAllocSize`, memutils.h).
const LARGE_BODY_BYTES: u32 = 0x3fff_ffff;
/// Longest body of the messages that carry only names (`PQ_SMALL_MESSAGE_LIMIT`, libpq.h).
const SMALL_BODY_BYTES: u32 = 10_000;
/// Longest authentication answer (`PG_MAX_AUTH_TOKEN_LENGTH`, auth.h).
const AUTH_BODY_BYTES: u32 = 65_535;
/// Kept of a statement text that comes in several chunks.
const TEXT_BYTES: usize = 64 << 10;
/// Kept of a Bind that comes in several chunks: values behind it are not seen.
const BIND_BYTES: usize = 16 << 10;
/// Kept of messages that carry names.
const NAMES_BYTES: usize = 2 << 10;
/// A body buffer larger than this is given back after use, so that an idle connection is small.
const RETAINED_BYTES: usize = 4 << 10;

/// Which message set a stream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the client.
    Frontend,
    /// From the server.
    Backend,
}

impl Direction {
    /// The longest body that this type can have; `None` for a type that this direction does not know.
    pub(super) fn longest_body(self, tag: u8) -> Option<u32> {
        match self {
            Direction::Frontend => match tag {
                b'Q' | b'P' | b'B' | b'F' | b'd' => Some(LARGE_BODY_BYTES),
                b'C' | b'D' | b'E' | b'f' => Some(SMALL_BODY_BYTES),
                b'p' => Some(AUTH_BODY_BYTES),
                b'S' | b'H' | b'X' | b'c' => Some(0),
                _ => None,
            },
            Direction::Backend => match tag {
                b'D' | b'd' | b'T' | b't' | b'E' | b'N' | b'A' | b'V' | b'R' => Some(LARGE_BODY_BYTES),
                b'S' | b'G' | b'H' | b'W' | b'v' => Some(AUTH_BODY_BYTES),
                b'C' => Some(SMALL_BODY_BYTES),
                b'K' => Some(4 + 256),
                b'Z' => Some(1),
                b'1' | b'2' | b'3' | b'n' | b's' | b'I' | b'c' => Some(0),
                _ => None,
            },
        }
    }

    /// How much of a body is worth a copy.
    fn keep(self, tag: u8) -> usize {
        match (self, tag) {
            (Direction::Frontend, b'Q' | b'P') => TEXT_BYTES,
            (Direction::Frontend, b'B') => BIND_BYTES,
            (Direction::Frontend, b'E' | b'D' | b'C') => NAMES_BYTES,
            (Direction::Backend, b'E') => 1024,
            (Direction::Backend, b't') => 2 + 4 * 256,
            (Direction::Backend, b'K') => 4 + 256,
            (Direction::Backend, b'C') => 128,
            (Direction::Backend, b'd') => 18,
            (Direction::Backend, b'R') => 4,
            (Direction::Backend, b'Z') => 1,
            _ => 0,
        }
    }

    /// Type and body length of a header, if this direction can send it.
    pub(super) fn header(self, header: [u8; HEADER_BYTES]) -> Option<(u8, u32)> {
        let [tag, length @ ..] = header;
        let body = u32::from_be_bytes(length).checked_sub(4)?;
        (body <= self.longest_body(tag)?).then_some((tag, body))
    }
}

/// One message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// Type byte.
    pub tag: u8,
    /// The body, or its beginning.
    pub body: &'a [u8],
    /// Length of the body on the wire.
    pub body_bytes: u32,
    /// The chunk that carried the first byte.
    pub first: Moment,
    /// The chunk that carried the last byte.
    pub last: Moment,
}

impl Frame<'_> {
    /// Size on the wire with its header.
    pub(super) fn wire_bytes(&self) -> u64 {
        u64::from(self.body_bytes) + HEADER_BYTES as u64
    }
}

/// What a framer makes of the next bytes.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A message is complete.
    Frame(Frame<'a>),
    /// All input is used up.
    More,
    /// This is no message of this direction, or bytes are missing over a message boundary.
    Lost,
}

/// Body bytes kept over chunks. Its `Debug` shows no content.
#[derive(Default)]
struct Kept(Vec<u8>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[derive(Debug)]
struct Open {
    tag: u8,
    body_bytes: u32,
    remaining: u32,
    keep: usize,
}

/// The framer of one direction.
#[derive(Debug)]
pub(super) struct Framer {
    direction: Direction,
    header: [u8; HEADER_BYTES],
    header_len: usize,
    open: Option<Open>,
    kept: Kept,
    first: Option<Moment>,
}

impl Framer {
    /// Stands at a message boundary.
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            header: [0; HEADER_BYTES],
            header_len: 0,
            open: None,
            kept: Kept::default(),
            first: None,
        }
    }

    /// Forgets where it was: the next byte begins a message.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.direction);
    }

    /// Between two messages.
    pub(super) fn at_boundary(&self) -> bool {
        self.header_len == 0 && self.open.is_none()
    }

    /// Bytes of the unfinished message so far.
    pub(super) fn unfinished_bytes(&self) -> u64 {
        let body = self.open.as_ref().map_or(0, |open| open.body_bytes - open.remaining);
        self.header_len as u64 + u64::from(body)
    }

    /// When the unfinished message began.
    pub(super) fn first_byte_at(&self) -> Option<Nanos> {
        if self.at_boundary() { None } else { self.first.map(|first| first.at) }
    }

    /// Takes bytes off the front of `input` up to the end of the next message.
    pub(super) fn next<'s, 'i: 's>(&'s mut self, moment: Moment, input: &mut &'i [u8]) -> Step<'s> {
        if self.open.is_none() {
            if input.is_empty() {
                return Step::More;
            }
            if self.header_len == 0 {
                self.first = Some(moment);
                if let Some((header, rest)) = input.split_first_chunk::<HEADER_BYTES>() {
                    let Some((tag, body_bytes)) = self.direction.header(*header) else { return Step::Lost };
                    if let Some((body, rest)) = rest.split_at_checked(body_bytes as usize) {
                        *input = rest;
                        return Step::Frame(Frame { tag, body, body_bytes, first: moment, last: moment });
                    }
                }
            }
            if !self.take_header(input) {
                return Step::Lost;
            }
        }
        let Some(open) = &mut self.open else { return Step::More };
        let wanted = (open.remaining as usize).min(input.len());
        let (body, rest) = input.split_at(wanted);
        *input = rest;
        let room = open.keep.saturating_sub(self.kept.0.len()).min(wanted);
        self.kept.0.extend_from_slice(&body[..room]);
        // `wanted` is at most `remaining`, a u32.
        open.remaining = open.remaining.saturating_sub(u32::try_from(wanted).unwrap_or(u32::MAX));
        if open.remaining == 0 { self.finish(moment) } else { Step::More }
    }

    /// So many bytes moved unseen.
    pub(super) fn skip(&mut self, moment: Moment, skipped: u64) -> Step<'_> {
        if skipped == 0 {
            return Step::More;
        }
        let Some(open) = &mut self.open else { return Step::Lost };
        let Some(rest) = u64::from(open.remaining).checked_sub(skipped) else { return Step::Lost };
        open.remaining = u32::try_from(rest).unwrap_or(0);
        // What follows the hole does not continue the kept prefix.
        open.keep = self.kept.0.len();
        if open.remaining == 0 { self.finish(moment) } else { Step::More }
    }

    /// False: this is no header.
    fn take_header(&mut self, input: &mut &[u8]) -> bool {
        let missing = (HEADER_BYTES - self.header_len).min(input.len());
        let (head, rest) = input.split_at(missing);
        *input = rest;
        self.header[self.header_len..self.header_len + missing].copy_from_slice(head);
        self.header_len += missing;
        if self.header_len < HEADER_BYTES {
            return self.direction.longest_body(self.header[0]).is_some();
        }
        let Some((tag, body_bytes)) = self.direction.header(self.header) else { return false };
        self.kept.0.clear();
        self.open = Some(Open { tag, body_bytes, remaining: body_bytes, keep: self.direction.keep(tag) });
        true
    }

    fn finish(&mut self, last: Moment) -> Step<'_> {
        let (tag, body_bytes) = self.open.take().map_or((0, 0), |open| (open.tag, open.body_bytes));
        self.header_len = 0;
        let first = self.first.take().unwrap_or(last);
        Step::Frame(Frame { tag, body: &self.kept.0, body_bytes, first, last })
    }

    /// Gives a large buffer back. For use between messages.
    pub(super) fn trim(&mut self) {
        if self.at_boundary() && self.kept.0.capacity() > RETAINED_BYTES {
            self.kept.0 = Vec::new();
        }
    }
}
