//! UUIDs as text.

use super::words::first_word;

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, in either case, also in braces. The first digit is the highest.
#[inline]
pub(super) fn parse(text: &[u8]) -> Option<u128> {
    let text: &[u8; 36] = match text {
        [b'{', inner @ .., b'}'] => inner.try_into().ok()?,
        _ => text.try_into().ok()?,
    };
    if text[8] != b'-' || text[13] != b'-' || text[18] != b'-' || text[23] != b'-' {
        return None;
    }
    let four = |at: usize| text[at..].first_chunk().map(|four| u64::from(u32::from_le_bytes(*four)));
    let first = hex(first_word(&text[..8]))?;
    let second = hex(four(9)? | four(14)? << 32)?;
    let third = hex(four(19)? | four(24)? << 32)?;
    let last = hex(first_word(&text[28..]))?;
    Some(u128::from(first << 32 | second) << 64 | u128::from(third << 32 | last))
}

/// 32 digits with dashes between any of them, also in braces: what the server reads, and more.
#[cold]
pub(super) fn parse_any(text: &[u8]) -> Option<u128> {
    let inner = text.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}")).unwrap_or(text);
    let (mut number, mut len) = (0_u128, 0);
    for byte in inner.iter().filter(|byte| **byte != b'-') {
        let digit = char::from(*byte).to_digit(16)?;
        number = number << 4 | u128::from(digit);
        len += 1;
    }
    (len == 32).then_some(number)
}

/// The number of eight hexadecimal digits, the first digit in the lowest byte.
#[inline]
fn hex(word: u64) -> Option<u64> {
    const EVERY: u64 = 0x0101_0101_0101_0101;
    // Sums below stay within their bytes only for ASCII.
    if word & (0x80 * EVERY) != 0 {
        return None;
    }
    // The high bit of each byte: it is at least `from`.
    let at_least = |word: u64, from: u64| (word + (0x80 - from) * EVERY) & (0x80 * EVERY);
    let lower = word | (0x20 * EVERY);
    let digit = at_least(word, 0x30) & !at_least(word, 0x3a);
    let letter = at_least(lower, 0x61) & !at_least(lower, 0x67);
    if digit | letter != 0x80 * EVERY {
        return None;
    }
    let nibbles = (word & (0x0f * EVERY)) + (letter >> 7) * 9;
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs << 8 | pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some((fours << 16 | fours >> 32) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_byte_at_every_place() {
        let good = b"0189abcd-efAB-CDEF-0123-456789abcdef";
        let uuid = 0x0189_abcd_efab_cdef_0123_4567_89ab_cdef;
        assert_eq!(parse(good), Some(uuid));
        assert_eq!(parse(b"{0189abcd-efAB-CDEF-0123-456789abcdef}"), Some(uuid));
        assert_eq!(parse(&good[..35]), None);
        for at in 0..good.len() {
            for byte in 0..=u8::MAX {
                let mut text = *good;
                text[at] = byte;
                let dash = good[at] == b'-';
                let fits = if dash { byte == b'-' } else { byte.is_ascii_hexdigit() };
                assert_eq!(parse(&text).is_some(), fits, "{byte} at {at}");
                if fits && !dash {
                    let plain: String = text.iter().map(|b| char::from(*b)).filter(|c| *c != '-').collect();
                    let expected = u128::from_str_radix(&plain, 16).unwrap();
                    assert_eq!(parse(&text), Some(expected));
                }
            }
        }
    }
}
