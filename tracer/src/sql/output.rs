//! The text under construction, in two forms of equal length: as it is shown, and folded as the identity of its group.
//!
//! Whatever is pushed here is safe for a terminal: nothing that moves a cursor or turns the reading direction.

/// Shown and folded form. Positions are valid in both.
#[derive(Debug, Default)]
pub(super) struct Output {
    shown: Vec<u8>,
    key: Vec<u8>,
}

impl Output {
    pub(super) fn clear(&mut self) {
        self.shown.clear();
        self.key.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.key.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.shown.truncate(len);
        self.key.truncate(len);
    }

    /// The folded form.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The form to show. Always UTF-8.
    pub(super) fn shown(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.shown)
    }

    /// Text that is the same in both forms and known to be harmless.
    pub(super) fn push(&mut self, text: &[u8]) {
        self.shown.extend_from_slice(text);
        self.key.extend_from_slice(text);
    }

    /// A parameter.
    pub(super) fn push_param(&mut self, n: u64) {
        let mut digits = [0; 20];
        let (mut at, mut rest) = (digits.len(), n);
        loop {
            at -= 1;
            if let Some(digit) = digits.get_mut(at) {
                *digit = b"0123456789"[usize::try_from(rest % 10).unwrap_or(0)];
            }
            rest /= 10;
            if rest == 0 || at == 0 {
                break;
            }
        }
        self.push(b"$");
        self.push(digits.get(at..).unwrap_or_default());
    }

    /// Text from the statement. `fold`: upper and lower case are the same (ASCII only, as the server folds).
    pub(super) fn push_foreign(&mut self, text: &[u8], fold: bool) {
        let start = self.key.len();
        if text.iter().all(|b| matches!(b, b' '..=b'~')) {
            self.push(text);
        } else {
            self.push_escaped(text);
        }
        if fold && let Some(new) = self.key.get_mut(start..) {
            new.make_ascii_lowercase();
        }
    }

    fn push_escaped(&mut self, text: &[u8]) {
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                if is_unsafe(c) {
                    let code = u32::from(c);
                    let escape =
                        if code < 0x100 { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") };
                    self.push(escape.as_bytes());
                } else {
                    self.push(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            for b in chunk.invalid() {
                self.push(format!("\\x{b:02x}").as_bytes());
            }
        }
    }
}

/// Text from the target that is no SQL, made safe to show.
pub(super) fn printable(text: &[u8]) -> String {
    let mut output = Output::default();
    output.push_foreign(text, false);
    output.shown().into_owned()
}

/// Control characters, and what Unicode has to hide or to reorder text (bidirectional controls, zero-width
/// characters, line and paragraph separators, byte order mark, tags).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
