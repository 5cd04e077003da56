//! A histogram as bytes that every HdrHistogram library reads: the encoding "V2 compressed".
//!
//! Format: HdrHistogram's `AbstractHistogram.encodeIntoByteBuffer` and `encodeIntoCompressedByteBuffer`, and
//! RFC 1950 and 1951 for the zlib stream. Written here from the counts in use, because a report of 10,000 statements
//! would otherwise fill, scan and deflate 20,000 arrays of 264 KiB.

use super::{HIGHEST_NS, SIGNIFICANT_DIGITS};

const V2: u32 = 0x1c84_9303 | 0x10;
const V2_COMPRESSED: u32 = 0x1c84_9304 | 0x10;
/// Longest stored block of a deflate stream.
const BLOCK: usize = 0xffff;

/// Encodes (bucket, count) pairs in ascending order, each bucket once.
pub(super) fn v2_compressed(counts: &[(u64, u64)]) -> Vec<u8> {
    let stream = zlib(&v2(counts));
    let mut bytes = V2_COMPRESSED.to_be_bytes().to_vec();
    bytes.extend(length(stream.len()).to_be_bytes());
    bytes.extend(stream);
    bytes
}

/// Header, then every count from bucket 0 on; a run of zeros is one negative number.
fn v2(counts: &[(u64, u64)]) -> Vec<u8> {
    let mut payload = Vec::new();
    let mut next = 0;
    for (bucket, count) in counts {
        match bucket.saturating_sub(next) {
            0 => {}
            1 => payload.push(0),
            // ZigZag of a negative number n is 2 |n| - 1.
            zeros => varint(2 * zeros - 1, &mut payload),
        }
        // ZigZag of a positive number is its double.
        varint((*count).min(i64::MAX.unsigned_abs()) << 1, &mut payload);
        next = bucket + 1;
    }
    if payload.is_empty() {
        payload.push(0);
    }
    let mut bytes = V2.to_be_bytes().to_vec();
    bytes.extend(length(payload.len()).to_be_bytes());
    // No normalizing index offset.
    bytes.extend(0_u32.to_be_bytes());
    bytes.extend(u32::from(SIGNIFICANT_DIGITS).to_be_bytes());
    // Lowest discernible and highest trackable value.
    bytes.extend(1_u64.to_be_bytes());
    bytes.extend(HIGHEST_NS.to_be_bytes());
    // Integers are the values themselves.
    bytes.extend(1_f64.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// LEB128 of at most 9 bytes: the ninth holds 8 bits.
fn varint(mut number: u64, out: &mut Vec<u8>) {
    for _ in 0..8 {
        let [low, ..] = number.to_le_bytes();
        if number < 0x80 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
        number >>= 7;
    }
    let [last, ..] = number.to_le_bytes();
    out.push(last);
}

/// A zlib stream that stores its content: the counts are dense already, and a compressor costs more than it saves.
fn zlib(content: &[u8]) -> Vec<u8> {
    // Deflate with a 32 KiB window, fastest level.
    let mut stream = vec![0x78, 0x01];
    let mut blocks = content.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(content).to_be_bytes());
    stream
}

fn adler32(content: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in content {
        a = (a + u32::from(*byte)) % PRIME;
        b = (b + a) % PRIME;
    }
    (b << 16) | a
}

/// At most 33,421 counts of 9 bytes each: fits by far.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
