//! Packets: 3 bytes of length, a sequence number, the payload. A payload of exactly 2^24 - 1 bytes is continued by the
//! next packet (MySQL Source Code Documentation, "MySQL Packets").

use crate::proto::framing::{Format, Frame};

/// A payload of this length goes on in the next packet.
pub(super) const LONGEST_PAYLOAD: u32 = 0xff_ffff;

/// The format, for the framer.
#[derive(Debug)]
pub(super) struct Packet;

/// A packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub payload_bytes: u32,
    pub sequence: u8,
}

impl Header {
    /// The next packet continues this one.
    pub(super) fn is_continued(self) -> bool {
        self.payload_bytes == LONGEST_PAYLOAD
    }
}

/// A packet, or one part of it.
pub(super) type PacketFrame<'a> = Frame<'a, Header>;

impl Format for Packet {
    const HEADER_BYTES: usize = 4;
    type Header = Header;

    fn header(bytes: &[u8]) -> Option<Header> {
        let [a, b, c, sequence] = *bytes else { return None };
        Some(Header { payload_bytes: u32::from_le_bytes([a, b, c, 0]), sequence })
    }

    fn body_bytes(header: &Header) -> u64 {
        u64::from(header.payload_bytes)
    }
}

/// The first packet of some bytes, as far as it is in them, and what follows it. `None`: the header is cut.
pub(super) fn split(bytes: &[u8]) -> Option<(Header, &[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(Packet::HEADER_BYTES)?;
    let header = Packet::header(header)?;
    let len = usize::try_from(header.payload_bytes).unwrap_or(usize::MAX).min(rest.len());
    let (payload, rest) = rest.split_at(len);
    Some((header, payload, rest))
}
