//! The compressed protocol: packets travel inside compressed ones, zlib or zstd, each told by its first bytes.
//!
//! Format: 3 bytes of compressed length, a sequence number, 3 bytes of length before compression (0: stored as it is),
//! payload (MySQL Source Code Documentation, "Compressed Packet"). Never inflates to more than the header says, which is
//! at most 16 MiB; what cannot be inflated passes as bytes that were not captured.

use super::observer::{Observer, Phase};
use crate::proto::decompress::{Compression, decompress};
use crate::proto::framing::{Format, Framer, Step};
use crate::proto::{Chunk, Moment, Side};
use crate::request::Requests;
use crate::sql::Texts;

/// A buffer larger than this is given back after use.
const RETAINED_BYTES: usize = 64 << 10;
/// First bytes of a zstd frame (RFC 8878, 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Servers and clients compress nothing shorter (`MIN_COMPRESS_LENGTH`).
const LEAST_PLAIN_BYTES: u32 = 50;

/// The format, for the framer.
#[derive(Debug)]
pub(super) struct CompressedPacket;

/// A compressed packet's header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    payload_bytes: u32,
    sequence: u8,
    /// 0: not compressed.
    plain_bytes: u32,
}

impl Format for CompressedPacket {
    const HEADER_BYTES: usize = 7;
    type Header = Header;

    fn header(bytes: &[u8]) -> Option<Header> {
        let [a, b, c, sequence, d, e, f] = *bytes else { return None };
        let number = |a, b, c| u32::from_le_bytes([a, b, c, 0]);
        Some(Header { payload_bytes: number(a, b, c), sequence, plain_bytes: number(d, e, f) })
    }

    fn body_bytes(header: &Header) -> u64 {
        u64::from(header.payload_bytes)
    }
}

/// The compressed packets of both directions.
#[derive(Debug, Default)]
pub(super) struct Compressed {
    client: Framer<CompressedPacket>,
    server: Framer<CompressedPacket>,
    plain: Plain,
}

/// Inflated bytes. Its `Debug` shows no content.
#[derive(Default)]
struct Plain(Vec<u8>);

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Compressed {
    pub(super) fn reset(&mut self) {
        self.client.reset();
        self.server.reset();
    }
}

/// What the first bytes of a client's transfer say, once they are enough.
pub(super) fn begins(bytes: &[u8]) -> Option<bool> {
    let (head, body) = bytes.split_at_checked(CompressedPacket::HEADER_BYTES)?;
    let header = CompressedPacket::header(head)?;
    if header.sequence != 0 || header.payload_bytes == 0 {
        return Some(false);
    }
    if header.plain_bytes > 0 {
        let enough = header.plain_bytes >= LEAST_PLAIN_BYTES;
        return body.get(..2).map(|start| enough && (is_zlib(start) || start == &ZSTD_MAGIC[..2]));
    }
    // A packet of its own begins in it.
    let [a, b, c, sequence, command, ..] = *body else { return None };
    let inner = u32::from_le_bytes([a, b, c, 0]);
    let fits = super::command::Command::of(command).is_some_and(|command| command.fits(inner));
    Some(inner.saturating_add(4) == header.payload_bytes && sequence == 0 && fits)
}

/// Compression method 8, and a header checksum (RFC 1950, 2.2).
fn is_zlib(start: &[u8]) -> bool {
    matches!(start, [method, flags] if method & 0x0f == 8
        && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31))
}

/// Most that is inflated of a beginning, to look at it.
const LOOKED_AT_BYTES: u32 = 64 << 10;

/// The packets inside the compressed ones of a whole transfer. `None`: it is none.
pub(super) fn unpack_all(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(CompressedPacket::HEADER_BYTES)?;
        let header = CompressedPacket::header(head)?;
        let (body, behind) = rest.split_at_checked(usize::try_from(header.payload_bytes).ok()?)?;
        bytes = behind;
        if header.plain_bytes == 0 {
            all.extend_from_slice(body);
        } else if header.plain_bytes <= LOOKED_AT_BYTES {
            let mut plain = Vec::new();
            all.extend_from_slice(unpack(body, header.plain_bytes, &mut plain)?);
        } else {
            return None;
        }
    }
    Some(all)
}

impl Observer {
    /// Bytes of either side where packets travel compressed.
    pub(super) fn inflate(
        &mut self,
        side: Side,
        moment: Moment,
        chunk: Chunk<'_>,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if chunk.is_empty() {
            return;
        }
        let Some(mut layer) = self.compressed.take() else { return };
        if self.hole.is_some() {
            if side == Side::Server {
                self.compressed = Some(layer);
                return self.search_tail(moment, chunk, texts, out);
            }
            self.end_hole(out);
            layer.server.reset();
        }
        let (mut input, skipped) = match chunk {
            Chunk::Bytes(bytes) => (bytes, 0),
            Chunk::Skipped(skipped) => (&[][..], skipped),
        };
        let Compressed { client, server, plain } = &mut *layer;
        let framer = if side == Side::Client { client } else { server };
        loop {
            let step = if skipped > 0 {
                framer.skip(moment, skipped)
            } else {
                framer.next(moment, &mut input, |header| {
                    usize::try_from(header.payload_bytes).unwrap_or(usize::MAX)
                })
            };
            match step {
                Step::More => break,
                Step::Lost => {
                    match side {
                        Side::Client => self.lose(out),
                        Side::Server => {
                            let first_byte_at = framer.first_byte_at().unwrap_or(moment.at);
                            let wire_bytes = framer.unfinished_bytes().saturating_add(skipped);
                            self.hole_begins(moment, first_byte_at, wire_bytes, out);
                        }
                    }
                    break;
                }
                Step::Frame(frame) => {
                    self.exchange.count_wire(side, frame.wire_bytes);
                    let Header { payload_bytes, plain_bytes, .. } = frame.header;
                    let unknown = if plain_bytes == 0 { payload_bytes } else { plain_bytes };
                    let whole = match plain_bytes {
                        _ if frame.is_cut() => None,
                        0 => Some(frame.body),
                        _ => unpack(frame.body, plain_bytes, &mut plain.0),
                    };
                    match whole {
                        Some(bytes) => self.feed_inner(side, frame.first, frame.last, bytes, texts, out),
                        None => {
                            let hole = Chunk::Skipped(u64::from(unknown));
                            let moment = Moment { ends_transfer: true, ..frame.last };
                            self.inner(side, moment, hole, texts, out);
                        }
                    }
                }
            }
            if skipped > 0 || self.phase != Phase::Commands || self.hole.is_some() {
                break;
            }
        }
        if side == Side::Server && self.hole.is_some() {
            self.exchange.answer_unframed(moment.at, input.len() as u64);
        }
        // No literal stays behind in it.
        plain.0.fill(0);
        plain.0.clear();
        if plain.0.capacity() > RETAINED_BYTES {
            plain.0 = Vec::new();
        }
        framer.trim();
        if self.phase != Phase::Ended {
            self.compressed = Some(layer);
        }
    }

    /// The first inner byte came with the first of the packet, the rest with the last one.
    fn feed_inner(
        &mut self,
        side: Side,
        first: Moment,
        last: Moment,
        bytes: &[u8],
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let last = Moment { ends_transfer: true, ..last };
        let mut rest = bytes;
        if first.at != last.at
            && let Some((head, tail)) = bytes.split_at_checked(1)
        {
            self.inner(side, Moment { ends_transfer: false, ..first }, Chunk::Bytes(head), texts, out);
            rest = tail;
        }
        self.inner(side, last, Chunk::Bytes(rest), texts, out);
    }

    fn inner(&mut self, side: Side, moment: Moment, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        match side {
            _ if self.phase != Phase::Commands => {}
            Side::Client => self.client_packets(moment, chunk, texts, out),
            Side::Server => self.server_packets(moment, chunk, texts, out),
        }
    }
}

fn unpack<'a>(body: &[u8], plain_bytes: u32, out: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let compression = if body.starts_with(&ZSTD_MAGIC) { Compression::Zstd } else { Compression::Zlib };
    let most = usize::try_from(plain_bytes).ok()?;
    decompress(compression, body, most, out)?;
    (out.len() == most).then_some(out.as_slice())
}
