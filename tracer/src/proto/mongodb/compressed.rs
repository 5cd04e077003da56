//! OP_COMPRESSED: another message's body, compressed.
//!
//! Source: driver specification "OP_COMPRESSED". Never makes more than a bounded number of bytes of it.

use super::message::{self, Header};
use crate::proto::decompress::{Compression, decompress};
use crate::proto::framing::Frame;

/// Made of one message at most. What lies behind is not read: of a request its shape stands at the beginning.
const MOST_BYTES: usize = 1 << 20;
/// What precedes the compressed bytes: original opcode, original length, compressor.
const PREFIX_BYTES: usize = 9;
/// Room that is kept between two messages.
const RETAINED_BYTES: usize = 16 << 10;

/// The compressors of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compressor {
    Noop,
    Of(Compression),
}

/// The fields before the compressed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub opcode: i32,
    /// Length of the body once it is decompressed.
    pub body_bytes: u32,
    pub compressor: Compressor,
}

impl Prefix {
    /// None: the fields cannot be.
    pub fn read(body: &[u8]) -> Option<Self> {
        let compressor = match body.get(8)? {
            0 => Compressor::Noop,
            1 => Compressor::Of(Compression::Snappy),
            2 => Compressor::Of(Compression::Zlib),
            3 => Compressor::Of(Compression::Zstd),
            _ => return None,
        };
        let body_bytes = u32::try_from(message::int32(body, 4)?).ok()?;
        Some(Self { opcode: message::int32(body, 0)?, body_bytes, compressor })
    }
}

/// A message's body, as it was before it was compressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unpacked<'a> {
    pub opcode: i32,
    /// The body, or its beginning.
    pub body: &'a [u8],
    pub body_bytes: u64,
}

/// The buffer for decompressed bodies. `Debug` shows no content.
#[derive(Default)]
pub(super) struct Unpacker(Vec<u8>);

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Unpacker {
    /// The message inside of one, or the message itself. None: it is compressed and cannot be read.
    pub fn unpack<'a>(&'a mut self, frame: &Frame<'a, Header>) -> Option<Unpacked<'a>> {
        let Header { opcode, .. } = frame.header;
        if opcode != message::OP_COMPRESSED {
            return Some(Unpacked { opcode, body: frame.body, body_bytes: frame.body_bytes });
        }
        let prefix = Prefix::read(frame.body)?;
        let input = frame.body.get(PREFIX_BYTES..)?;
        let body = match prefix.compressor {
            Compressor::Noop => input,
            Compressor::Of(compression) => {
                // Of a cut stream what came before the cut is good.
                let whole = decompress(compression, input, MOST_BYTES, &mut self.0).is_some();
                if !whole && self.0.is_empty() {
                    return None;
                }
                &self.0
            }
        };
        Some(Unpacked { opcode: prefix.opcode, body, body_bytes: u64::from(prefix.body_bytes) })
    }

    /// Gives a large buffer back. `all`: also a small one, because it held a secret.
    pub fn trim(&mut self, all: bool) {
        if all || self.0.capacity() > RETAINED_BYTES {
            self.0 = Vec::new();
        } else {
            self.0.clear();
        }
    }
}
