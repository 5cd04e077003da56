//! The coarse features of a value, packed into one word.

use super::{Kind, Size};

/// What a [`super::Value`] holds beside its hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Features {
    pub(super) kind: Kind,
    /// By kind: text, the class of the first character and whether any is outside ASCII; UUID, the version; Boolean, the
    /// truth.
    pub(super) detail: u8,
    pub(super) elements: u16,
    pub(super) residue: u16,
    pub(super) size: Size,
}

/// [`Features`] in one word. Fields of their own would be written one by one and then read together, for which a
/// processor has to wait until all of them have left its store buffer: that was a third of the cost of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed(u64);

impl Features {
    /// Of one value of which no more is known.
    pub(super) const UNSEEN: Self =
        Self { kind: Kind::Unseen, detail: 0, elements: 1, residue: 0, size: Size::ZERO };

    #[inline]
    pub(super) const fn pack(self) -> Packed {
        let [s0, s1] = self.size.code().to_le_bytes();
        let [r0, r1] = self.residue.to_le_bytes();
        let [e0, e1] = self.elements.to_le_bytes();
        Packed(u64::from_le_bytes([self.kind as u8, self.detail, e0, e1, r0, r1, s0, s1]))
    }
}

impl Packed {
    #[inline]
    pub(super) const fn unpack(self) -> Features {
        let [kind, detail, e0, e1, r0, r1, s0, s1] = self.0.to_le_bytes();
        Features {
            kind: kind_of(kind),
            detail,
            elements: u16::from_le_bytes([e0, e1]),
            residue: u16::from_le_bytes([r0, r1]),
            size: Size::from_code(i16::from_le_bytes([s0, s1])),
        }
    }
}

const fn kind_of(code: u8) -> Kind {
    const KINDS: [Kind; 10] = [
        Kind::Unseen,
        Kind::Null,
        Kind::Integer,
        Kind::Decimal,
        Kind::Text,
        Kind::Boolean,
        Kind::Uuid,
        Kind::Time,
        Kind::Bytes,
        Kind::List,
    ];
    if (code as usize) < KINDS.len() { KINDS[code as usize] } else { Kind::Unseen }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.unpack().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, Kind, Size, kind_of};

    #[test]
    fn packing_loses_nothing() {
        for code in 0..10 {
            let kind = kind_of(code);
            assert_eq!(kind as u8, code);
            let features =
                Features { kind, detail: 0xab, elements: 65_535, residue: 5_039, size: Size::of_i64(-77) };
            assert_eq!(features.pack().unpack(), features);
        }
        assert_eq!(kind_of(10), Kind::Unseen);
    }
}
