//! A hash that is the same on every host and for any cut of its bytes: 64-bit FNV-1a (draft-eastlake-fnv).
//!
//! For ids of texts, names of scripts, and tables that are bounded anyway; never for a secret.

/// The hash of the bytes so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// The hash of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> u64 {
        let mut hash = Self::default();
        hash.add(bytes);
        hash.hash()
    }

    /// Takes more bytes.
    #[inline]
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The hash of all bytes so far.
    pub(crate) fn hash(self) -> u64 {
        self.0
    }
}
