//! Reads bytes eight at a time, without `unsafe`.

/// Every byte has this value.
const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The first eight bytes, little-endian; of a shorter text all of them, and zeros.
#[inline]
pub(super) fn first_word(bytes: &[u8]) -> u64 {
    if let Some(word) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // They overlap where the text is shorter than both, and agree there.
        return u64::from(u32::from_le_bytes(*first))
            | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4));
    }
    match *bytes {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, ..] => u64::from(u32::from_le_bytes([a, b, c, 0])),
    }
}

/// Is any byte outside ASCII, and does `:` or `=` stand anywhere?
#[inline]
pub(super) fn scan(bytes: &[u8]) -> (bool, bool) {
    let mut high = 0;
    let (words, rest) = bytes.as_chunks::<8>();
    // The last eight bytes once more are cheaper than the odd ones one by one.
    let last = bytes.last_chunk::<8>().map_or_else(|| first_word(rest), |last| u64::from_le_bytes(*last));
    for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]) {
        // Leaving early also keeps the compiler from code for long texts, which is slow for the short ones that
        // values are.
        if holds_sign(word) {
            return (!bytes.is_ascii(), true);
        }
        high |= word;
    }
    (high & every(0x80) != 0, false)
}

/// Is any byte of `word` a `:` or `=`?
#[inline]
pub(super) fn holds_sign(word: u64) -> bool {
    holds(word, b':') | holds(word, b'=') != 0
}

/// Not zero when a byte of `word` is `byte`.
#[inline]
fn holds(word: u64, byte: u8) -> u64 {
    let zero = word ^ every(byte);
    zero.wrapping_sub(every(1)) & !zero & every(0x80)
}

/// The number that at most eight digits write; `None` if any byte is no digit, or there is none.
#[inline]
pub(super) fn short_digits(digits: &[u8]) -> Option<u32> {
    let len = digits.len();
    if len == 0 || len > 8 {
        return None;
    }
    packed_digits(first_word(digits), len)
}

/// The number that the lowest `len` bytes write, 1 to 8, the first digit lowest; the others must be zero.
#[inline]
pub(super) fn packed_digits(word: u64, len: usize) -> Option<u32> {
    // To the top, so that the missing digits are leading zeros.
    let shift = 64 - 8 * len;
    let digits = (word ^ (every(b'0') >> shift)) << shift;
    // Over 9, or a high bit set before.
    if (digits.wrapping_add(every(0x76)) | digits) & every(0x80) != 0 {
        return None;
    }
    // Pairs, then fours, then all eight; the first digit is in the lowest byte.
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    u32::try_from(fours.wrapping_mul(10_000 << 32 | 1) >> 32).ok()
}

/// The number that at most 19 digits write.
#[inline]
pub(super) fn digits(text: &[u8]) -> Option<u64> {
    match text.len() {
        0..=8 => short_digits(text).map(u64::from),
        9..=19 => long_digits(text),
        _ => None,
    }
}

#[inline(never)]
fn long_digits(text: &[u8]) -> Option<u64> {
    let (head, last) = text.split_last_chunk::<8>()?;
    let tail = u64::from(short_digits(last)?);
    let head = match head.split_last_chunk::<8>() {
        Some((first, middle)) if !first.is_empty() => {
            u64::from(short_digits(first)?) * 100_000_000 + u64::from(short_digits(middle)?)
        }
        _ => u64::from(short_digits(head)?),
    };
    Some(head * 100_000_000 + tail)
}

#[cfg(test)]
mod tests {
    use super::{digits, first_word, scan};

    #[test]
    fn the_first_word_is_padded_with_zeros() {
        let text = b"abcdefghij";
        for len in 0..=text.len() {
            let mut padded = [0; 8];
            padded[..len.min(8)].copy_from_slice(&text[..len.min(8)]);
            assert_eq!(first_word(&text[..len]), u64::from_le_bytes(padded), "{len}");
        }
    }

    #[test]
    fn digits_are_read_as_the_standard_library_reads_them() {
        let text = "9876543210123456789";
        for len in 0..=text.len() {
            assert_eq!(digits(&text.as_bytes()[..len]), text[..len].parse().ok(), "{len}");
            for at in 0..len {
                for wrong in [b'/', b':', b' ', b'a', 0, 0xb0, 0xff] {
                    let mut bytes = text.as_bytes()[..len].to_vec();
                    bytes[at] = wrong;
                    assert_eq!(digits(&bytes), None, "{bytes:?}");
                }
            }
        }
        assert_eq!(digits(b"98765432101234567890"), None);
    }

    #[test]
    fn scanning_finds_a_byte_anywhere() {
        for len in 0..40 {
            assert_eq!(scan(&vec![b'x'; len]), (false, false));
            for at in 0..len {
                for (byte, found) in [
                    (b':', (false, true)),
                    (b'=', (false, true)),
                    (0x80, (true, false)),
                    (0xff, (true, false)),
                ] {
                    let mut bytes = vec![b'x'; len];
                    bytes[at] = byte;
                    assert_eq!(scan(&bytes), found, "{len} {at} {byte}");
                }
            }
        }
    }
}
