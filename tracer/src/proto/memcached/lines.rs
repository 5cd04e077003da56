//! Cuts one direction of the text protocol into lines, and lets the data blocks between them pass by length.
//!
//! Never keeps a byte of a data block.

use crate::proto::Moment;
use crate::time::Nanos;

/// Bytes kept of a line that comes in several chunks.
const KEPT_BYTES: usize = 16 << 10;
/// A line buffer larger than this is given back after use.
const RETAINED_BYTES: usize = 1 << 10;
/// What is longer is no line.
const LONGEST_BYTES: u64 = 1 << 20;

/// One line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Without its end (CR LF, or LF alone).
    pub text: &'a [u8],
    /// Length on the wire, with its end.
    pub bytes: u64,
    /// The chunk that carried the first byte.
    pub first: Moment,
    /// `text` lacks a part.
    pub cut: bool,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Line(Line<'a>),
    /// The data block ended with this chunk.
    DataEnd,
    /// All input is used up.
    More,
    /// This is no line, or bytes are missing over its end.
    Lost,
}

/// The framer of one direction. Its `Debug` shows no content.
#[derive(Default)]
pub(super) struct Lines {
    kept: Vec<u8>,
    bytes: u64,
    first: Option<Moment>,
    cut: bool,
    data: u64,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of a line, {} of data to come", self.bytes, self.data)
    }
}

impl Lines {
    /// The next byte begins a line.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Between two lines, with no data block to come.
    pub fn at_boundary(&self) -> bool {
        self.bytes == 0 && self.data == 0
    }

    /// What has not moved of the data block, with the CR LF behind it.
    pub fn data_left(&self) -> u64 {
        self.data
    }

    /// Bytes of the unfinished line so far.
    pub fn line_bytes(&self) -> u64 {
        self.bytes
    }

    /// When the unfinished line began.
    pub fn first_byte_at(&self) -> Option<Nanos> {
        self.first.filter(|_| self.bytes > 0).map(|first| first.at)
    }

    /// A data block of so many bytes follows, with the CR LF behind it.
    pub fn expect_data(&mut self, bytes: u64) {
        self.data = bytes.saturating_add(2);
    }

    /// Takes bytes off the front of `input` up to the end of the next line or data block.
    #[inline]
    pub fn next<'s, 'i: 's>(&'s mut self, moment: Moment, input: &mut &'i [u8]) -> Step<'s> {
        if input.is_empty() {
            return Step::More;
        }
        if self.data > 0 {
            let wanted = usize::try_from(self.data).unwrap_or(usize::MAX).min(input.len());
            *input = input.get(wanted..).unwrap_or_default();
            self.data -= wanted as u64;
            return if self.data == 0 { Step::DataEnd } else { Step::More };
        }
        let end = input.iter().position(|byte| *byte == b'\n');
        let (part, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
        *input = rest;
        if self.bytes == 0 && end.is_some() {
            return Step::Line(Line {
                text: trim(part),
                bytes: part.len() as u64,
                first: moment,
                cut: false,
            });
        }
        if self.bytes == 0 {
            self.kept.clear();
            self.kept.shrink_to(RETAINED_BYTES);
            self.first = Some(moment);
            self.cut = false;
        }
        let room = KEPT_BYTES.saturating_sub(self.kept.len()).min(part.len());
        self.kept.extend_from_slice(part.get(..room).unwrap_or_default());
        self.cut |= room < part.len();
        self.bytes += part.len() as u64;
        if end.is_some() {
            let bytes = std::mem::take(&mut self.bytes);
            let first = self.first.take().unwrap_or(moment);
            return Step::Line(Line { text: trim(&self.kept), bytes, first, cut: self.cut });
        }
        if self.bytes > LONGEST_BYTES { Step::Lost } else { Step::More }
    }

    /// So many bytes moved unseen. Inside a data block nothing is lost with them. `spans`: a line that begins like the
    /// open one may go on behind the hole.
    pub fn skip(&mut self, skipped: u64, spans: impl FnOnce(&[u8]) -> bool) -> Step<'_> {
        if skipped == 0 {
            return Step::More;
        }
        if self.data > 0 {
            let Some(data) = self.data.checked_sub(skipped) else { return Step::Lost };
            self.data = data;
            return if data == 0 { Step::DataEnd } else { Step::More };
        }
        if self.bytes > 0 && spans(&self.kept) {
            self.cut = true;
            self.bytes = self.bytes.saturating_add(skipped);
            return if self.bytes > LONGEST_BYTES { Step::Lost } else { Step::More };
        }
        Step::Lost
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
