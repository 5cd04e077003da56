//! The values themselves, for `--show-values` only.

use std::collections::HashMap;

/// Values kept.
const MAX_VALUES: usize = 65_536;
/// Bytes kept of each, without the mark of a cut.
const MAX_BYTES: usize = 64;

/// From hash to value. Raw text: outputs make it safe.
#[derive(Default)]
pub(super) struct Shown {
    values: HashMap<u64, Box<str>>,
    left_out: u64,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values", self.values.len())
    }
}

impl Shown {
    /// Keeps a value's text, unless it is known or the table is full.
    #[cold]
    #[inline(never)]
    pub(super) fn keep(&mut self, hash: u64, text: impl FnOnce() -> String) {
        if self.values.contains_key(&hash) {
            return;
        }
        if self.values.len() >= MAX_VALUES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let mut text = text();
        if text.len() > MAX_BYTES {
            text.truncate(text.floor_char_boundary(MAX_BYTES));
            text.push('…');
        }
        self.values.insert(hash, text.into_boxed_str());
    }

    pub(super) fn get(&self, hash: u64) -> Option<&str> {
        self.values.get(&hash).map(Box::as_ref)
    }

    /// Whether any value holds this text.
    #[cfg(test)]
    pub(super) fn holds(&self, text: &str) -> bool {
        self.values.values().any(|value| value.contains(text))
    }

    /// All that are kept.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.values().map(Box::as_ref)
    }

    pub(super) fn forget(&mut self, hash: u64) {
        self.values.remove(&hash);
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// A text, as far as it is kept.
pub(super) fn text(text: &[u8]) -> String {
    // A few bytes more than are kept, so that the cut is seen and no character is broken by it.
    String::from_utf8_lossy(text.get(..MAX_BYTES + 8).unwrap_or(text)).into_owned()
}

/// Bytes, as PostgreSQL writes them.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let mut shown = String::from("\\x");
    for byte in bytes.iter().take(MAX_BYTES) {
        shown.push_str(&format!("{byte:02x}"));
    }
    shown
}

/// A UUID.
pub(super) fn uuid(uuid: u128) -> String {
    let mut shown = String::with_capacity(36);
    for (at, byte) in uuid.to_be_bytes().iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            shown.push('-');
        }
        shown.push_str(&format!("{byte:02x}"));
    }
    shown
}
