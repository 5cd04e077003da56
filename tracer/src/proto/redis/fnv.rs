//! A hash that is the same on every host and for any cut of its bytes: 64-bit FNV-1a (draft-eastlake-fnv).
//!
//! For names of scripts and for tables that are bounded anyway; never for a secret.

/// The hash of the bytes so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(super) fn of(bytes: &[u8]) -> u64 {
        let mut hash = Self::default();
        hash.add(bytes);
        hash.hash()
    }
    #[inline]
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    pub(super) fn hash(self) -> u64 {
        self.0
    }
}
