//! The stable identity of a normalised text.

use crate::fnv::Fnv;

/// 64-bit FNV-1a of the folded text (offset basis and prime of the FNV reference, 64-bit).
///
/// Reports print it as 16 hex digits. It must stay the same on every host and in every version 1 release: golden
/// values in the tests hold it.
pub(super) fn text_id(key: &[u8]) -> u64 {
    Fnv::of(key)
}

#[cfg(test)]
mod tests {
    use super::text_id;

    /// The reference's own test vectors.
    #[test]
    fn is_fnv_1a() {
        assert_eq!(text_id(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(text_id(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(text_id(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
