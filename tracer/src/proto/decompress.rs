//! Decompresses the whole compressed frames that some protocols send.
//!
//! Never makes more bytes than the caller allows, whatever the input promises; damaged input gives `None`.

use std::io::Read as _;

/// How a frame is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1950.
    Zlib,
    /// RFC 8878.
    Zstd,
    /// Snappy's raw block format (google/snappy, format_description.txt).
    Snappy,
}

/// What RFC 8878, 3.1.1.1.2, asks of every decoder. A frame with a larger window could cost as much memory.
const MOST_WINDOW_BYTES: u64 = 8 << 20;

/// Decompresses `input` into `out`, which is emptied before. `most_bytes`: a frame that gives more is cut there.
/// `None`: the input is damaged or cut, or the compression needs more memory than it may have; `out` may
/// hold what came before.
pub fn decompress(
    compression: Compression,
    input: &[u8],
    most_bytes: usize,
    out: &mut Vec<u8>,
) -> Option<()> {
    out.clear();
    let limit = u64::try_from(most_bytes).unwrap_or(u64::MAX);
    match compression {
        Compression::Zlib => {
            zlib(input, most_bytes, out)?;
        }
        Compression::Zstd => {
            let mut decoder = ruzstd::decoding::FrameDecoder::new();
            decoder.set_max_window_size(MOST_WINDOW_BYTES);
            let stream = ruzstd::decoding::StreamingDecoder::new_with_decoder(input, decoder).ok()?;
            stream.take(limit).read_to_end(out).ok()?;
        }
        Compression::Snappy => {
            let len = snap::raw::decompress_len(input).ok()?;
            if len <= most_bytes {
                out.resize(len, 0);
                if snap::raw::Decoder::new().decompress(input, out).is_ok() {
                    return Some(());
                }
                out.clear();
                snappy_beginning(input, len, out);
                return None;
            }
            snappy_beginning(input, most_bytes, out)?;
        }
    }
    Some(())
}

/// `flate2`'s readers take the end of a cut stream for the end of the data, so that they cannot be used here.
fn zlib(mut input: &[u8], most_bytes: usize, out: &mut Vec<u8>) -> Option<()> {
    let mut stream = flate2::Decompress::new(true);
    while out.len() < most_bytes {
        let room = (input.len() * 4).clamp(64, 64 << 10).min(most_bytes - out.len());
        let (before, start) = (stream.total_in(), out.len());
        out.resize(start + room, 0);
        let status = stream.decompress(input, out.get_mut(start..)?, flate2::FlushDecompress::None);
        let (taken, made) = (stream.total_in() - before, stream.total_out());
        out.truncate(usize::try_from(made).ok()?);
        input = input.get(usize::try_from(taken).ok()?..)?;
        match status.ok()? {
            flate2::Status::StreamEnd => return Some(()),
            _ if taken == 0 && out.len() == start => return None,
            _ => {}
        }
    }
    Some(())
}

/// Up to `most_bytes`, or to where the input is cut or damaged; `snap` reads whole frames only.
fn snappy_beginning(input: &[u8], most_bytes: usize, out: &mut Vec<u8>) -> Option<()> {
    // The length comes first, seven bits a byte.
    let mut input = input.get(input.iter().position(|byte| byte & 0x80 == 0)? + 1..)?;
    while out.len() < most_bytes {
        let room = most_bytes - out.len();
        let (tag, rest) = input.split_first()?;
        let count = usize::from(tag >> 2);
        let number = |bytes: usize| {
            let bytes = rest.get(..bytes)?.iter().rev();
            Some(bytes.fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
        };
        if tag & 3 == 0 {
            // A literal; its length is in the tag, or in up to four bytes behind it.
            let extra = count.saturating_sub(59);
            let length = if extra > 0 { number(extra)? } else { count }.saturating_add(1);
            let data = rest.get(extra..)?;
            out.extend_from_slice(data.get(..length.min(room)).unwrap_or(data));
            input = data.get(length..).unwrap_or_default();
            continue;
        }
        let (length, offset, extra) = match tag & 3 {
            1 => (4 + (count & 7), usize::from(tag >> 5) << 8 | number(1)?, 1),
            2 => (1 + count, number(2)?, 2),
            _ => (1 + count, number(4)?, 4),
        };
        let from = out.len().checked_sub(offset).filter(|_| offset > 0)?;
        // It may overlap with what it makes.
        for at in from..from + length.min(room) {
            out.push(*out.get(at)?);
        }
        input = rest.get(extra..)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const TEXT: &[u8] = b"select * from t where a = 1 and a = 1 and a = 1 and a = 1";

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn snappy(bytes: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(bytes).unwrap()
    }

    fn check(compression: Compression, compress: fn(&[u8]) -> Vec<u8>) {
        let (mut out, packed) = (Vec::new(), compress(TEXT));
        assert_eq!(decompress(compression, &packed, 1000, &mut out), Some(()));
        assert_eq!(out, TEXT);
        assert_eq!(
            decompress(compression, &packed[..packed.len() - 8], 1000, &mut out),
            None,
            "{compression:?}"
        );
        assert_eq!(
            decompress(compression, b"\xff\xff\xff\xff\x7f nothing", 1000, &mut out),
            None,
            "{compression:?}"
        );
        assert_eq!(decompress(compression, &compress(b""), 1000, &mut out), Some(()));
        assert_eq!(out, b"");
        decompress(compression, &compress(&vec![7; 1 << 20]), 1000, &mut out);
        assert!(out.len() == 1000 && out.iter().all(|byte| *byte == 7), "{compression:?}: {}", out.len());
        // Of a cut frame what came before is right.
        let long: Vec<u8> = (0..20_000_u32).flat_map(|n| (n % 70 * n).to_le_bytes()).collect();
        let packed = compress(&long);
        assert_eq!(decompress(compression, &packed[..packed.len() / 2], 1 << 20, &mut out), None);
        assert!(long.starts_with(&out) && out.len() < long.len(), "{compression:?}");
        assert!(compression != Compression::Snappy || out.len() > long.len() / 4, "{}", out.len());
        for most_bytes in [1, 70, 3000, 79_999] {
            assert_eq!(decompress(compression, &packed, most_bytes, &mut out), Some(()));
            assert!(out == long[..most_bytes], "{compression:?} {most_bytes}");
        }
    }

    #[test]
    fn whole_frames_only_and_never_too_much() {
        check(Compression::Zlib, zlib);
        check(Compression::Zstd, zstd);
        check(Compression::Snappy, snappy);
    }

    /// Header, window, one block that repeats a byte.
    fn window(descriptor: u8) -> Option<()> {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, descriptor, 3, 0, 0x10, b'x'];
        decompress(Compression::Zstd, &frame, 1000, &mut Vec::new())
    }

    #[test]
    fn a_window_is_bounded() {
        // 8 MiB, 9 MiB, 120 MiB.
        assert_eq!((window(0x68), window(0x69), window(0x87)), (Some(()), None, None));
    }
}
