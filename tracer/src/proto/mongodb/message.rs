//! Message headers, and the fixed parts of the bodies behind them.
//!
//! Source: MongoDB manual, "MongoDB Wire Protocol"; driver specifications "OP_MSG" and "OP_COMPRESSED". Never looks into a
//! document.

use crate::proto::framing::Format;

/// Size of a header.
pub(super) const HEADER_BYTES: usize = 16;
/// Servers refuse longer messages (`maxMessageSizeBytes` of hello).
const LONGEST_MESSAGE_BYTES: u32 = 48_000_000;

pub(super) const OP_REPLY: i32 = 1;
pub(super) const OP_QUERY: i32 = 2004;
pub(super) const OP_GET_MORE: i32 = 2005;
pub(super) const OP_COMPRESSED: i32 = 2012;
pub(super) const OP_MSG: i32 = 2013;

/// Flags of OP_MSG.
pub(super) mod flag {
    /// The message ends with a CRC-32C.
    pub const CHECKSUM_PRESENT: u32 = 1;
    /// Another message follows without the other side saying anything.
    pub const MORE_TO_COME: u32 = 1 << 1;
    /// The client takes more than one answer.
    pub const EXHAUST_ALLOWED: u32 = 1 << 16;
    /// An unknown flag among the lower 16 bits is an error.
    pub const REQUIRED: u32 = 0xffff;
}

/// The header of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Length of the message with this header.
    pub message_bytes: u32,
    pub request_id: i32,
    pub response_to: i32,
    pub opcode: i32,
}

impl Header {
    /// None: no header that a driver or a server sends.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = Self {
            message_bytes: u32::from_le_bytes(*bytes.first_chunk()?),
            request_id: int32(bytes, 4)?,
            response_to: int32(bytes, 8)?,
            opcode: int32(bytes, 12)?,
        };
        let least = match header.opcode {
            // Flags, kind of a section, an empty document.
            OP_MSG => 26,
            OP_COMPRESSED => 25,
            OP_REPLY => 36,
            OP_QUERY => 34,
            2001 | 2002 | OP_GET_MORE | 2006 | 2007 => 20,
            _ => return None,
        };
        (least..=LONGEST_MESSAGE_BYTES).contains(&header.message_bytes).then_some(header)
    }

    /// Length of what follows the header.
    pub fn body_bytes(&self) -> u32 {
        self.message_bytes.saturating_sub(16)
    }
}

/// The framing of both directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Messages;

impl Format for Messages {
    const HEADER_BYTES: usize = HEADER_BYTES;
    type Header = Header;

    fn header(bytes: &[u8]) -> Option<Header> {
        Header::read(bytes)
    }
    fn body_bytes(header: &Header) -> u64 {
        u64::from(header.body_bytes())
    }
}

/// The integer at an offset.
pub(super) fn int32(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..)?.first_chunk().map(|bytes| i32::from_le_bytes(*bytes))
}

/// The length at an offset; None also where it is negative.
pub(super) fn length(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(int32(bytes, at)?).ok()
}

/// The text before the next zero byte, and what follows that byte.
pub(super) fn cstring(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

/// A section of OP_MSG, or its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section<'a> {
    /// Kind 0: one document.
    Body(&'a [u8]),
    /// Kind 1: documents one after the other that stand for an array of this name.
    Sequence { name: &'a [u8], documents: &'a [u8], cut: bool },
}

/// Walks the sections of OP_MSG.
#[derive(Clone, Debug)]
pub(super) struct Sections<'a> {
    rest: &'a [u8],
    /// The message has more bytes than are known.
    cut: bool,
}

impl<'a> Sections<'a> {
    /// `body`: what follows the header, or its beginning. `body_bytes`: its whole length.
    pub fn new(body: &'a [u8], body_bytes: u64) -> Self {
        let checksum = flags(body) & flag::CHECKSUM_PRESENT != 0;
        let end = body_bytes.saturating_sub(if checksum { 4 } else { 0 });
        let known = body.get(..usize::try_from(end).unwrap_or(usize::MAX)).unwrap_or(body);
        Self { rest: known.get(4..).unwrap_or_default(), cut: (known.len() as u64) < end }
    }

    /// A section may be missing.
    pub fn is_cut(&self) -> bool {
        self.cut
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        let (kind, rest) = self.rest.split_first()?;
        let size = length(rest, 0)?;
        let known = rest.get(..size).unwrap_or(rest);
        self.rest = rest.get(size..).unwrap_or_default();
        match kind {
            0 => Some(Section::Body(known)),
            1 => {
                let (name, documents) = cstring(known.get(4..)?)?;
                Some(Section::Sequence { name, documents, cut: known.len() < size })
            }
            _ => None,
        }
    }
}

/// The flags at the beginning of OP_MSG's body.
pub(super) fn flags(body: &[u8]) -> u32 {
    body.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The body of OP_QUERY: full name of the collection, and the query's document.
pub(super) fn query(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (collection, rest) = cstring(body.get(4..)?)?;
    Some((collection, rest.get(8..)?))
}
