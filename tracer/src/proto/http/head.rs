//! Cuts the head of a message into its first line and the header fields that are read.
//!
//! Never keeps a byte of a field that is not read: it may be a password or a session.

use crate::proto::Moment;

/// Bytes kept of a request line that comes in several chunks.
const LINE_BYTES: usize = 16 << 10;
/// Bytes kept of a field that comes in several chunks.
const FIELD_BYTES: usize = 1 << 10;
/// A longer head is none.
const LONGEST_BYTES: u64 = 1 << 20;
/// A line buffer larger than this is given back after use.
const RETAINED_BYTES: usize = 512;

/// The fields that are read, in small letters.
const READ: [&[u8]; 3] = [b"content-length", b"transfer-encoding", b"content-encoding"];
/// And those whose names begin like this.
const READ_PREFIX: &[u8] = b"x-clickhouse-";
/// Among them this one is a password (ClickHouse manual, "HTTP Interface").
const NEVER_READ: &[u8] = b"x-clickhouse-key";

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The head is complete.
    Done,
    /// All input is used up.
    More,
    /// This is no head.
    Lost,
}

/// One line of a head.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// The request line or status line.
    First(&'a [u8]),
    /// A field: name and value.
    Field(&'a [u8], &'a [u8]),
}

/// The head of one direction. Its `Debug` shows no content.
#[derive(Default)]
pub(super) struct Head {
    kept: Vec<u8>,
    /// Bytes of the unfinished line.
    line_bytes: u64,
    passes: bool,
    in_fields: bool,
    pub bytes: u64,
    pub first: Option<Moment>,
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of a head", self.bytes)
    }
}

impl Head {
    /// The next byte begins a head.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// No byte of a head has come.
    pub fn at_boundary(&self) -> bool {
        self.bytes == 0
    }

    /// What is kept of an unfinished line.
    #[cfg(test)]
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// Takes lines off the front of `input`. `line` gets them, and says whether the first one is none of HTTP.
    pub fn next(
        &mut self,
        moment: Moment,
        input: &mut &[u8],
        mut line: impl FnMut(Line<'_>) -> bool,
    ) -> Step {
        while !input.is_empty() {
            let end = input.iter().position(|byte| *byte == b'\n');
            let (part, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
            *input = rest;
            if self.bytes == 0 {
                // Empty lines before a request line are passed over (RFC 9112, 2.2).
                if matches!(part, b"\r\n" | b"\n") {
                    continue;
                }
                self.first = Some(moment);
            }
            self.bytes += part.len() as u64;
            if self.bytes > LONGEST_BYTES {
                return Step::Lost;
            }
            if end.is_none() {
                self.keep(part);
                return Step::More;
            }
            let whole = if self.line_bytes == 0 {
                part
            } else {
                self.keep(part);
                &self.kept
            };
            let text = whole.strip_suffix(b"\n").unwrap_or(whole);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let empty = text.is_empty() && !self.passes;
            let good = if empty {
                self.in_fields
            } else if !self.in_fields {
                line(Line::First(text))
            } else {
                if !self.passes
                    && let Some((name, value)) = field(text)
                {
                    line(Line::Field(name, value));
                }
                true
            };
            self.kept.fill(0);
            self.kept.clear();
            self.kept.shrink_to(RETAINED_BYTES);
            self.line_bytes = 0;
            self.passes = false;
            self.in_fields = true;
            if !good {
                return Step::Lost;
            }
            if empty {
                return Step::Done;
            }
        }
        Step::More
    }

    /// Keeps a part of a line for the next chunk, unless it is of a field that is not read.
    fn keep(&mut self, part: &[u8]) {
        self.line_bytes += part.len() as u64;
        if self.passes {
            return;
        }
        let most = if self.in_fields { FIELD_BYTES } else { LINE_BYTES };
        // Up to the colon it is a name.
        let room = most.saturating_sub(self.kept.len()).min(part.len());
        if self.in_fields {
            for byte in part.iter().take(room) {
                self.kept.push(*byte);
                if *byte == b':' && !is_read(&self.kept) {
                    self.kept.clear();
                    // What is left stands for a line that is not empty.
                    self.passes = true;
                    return;
                }
            }
        } else {
            self.kept.extend_from_slice(part.get(..room).unwrap_or_default());
        }
    }
}

/// A name with its colon, or a whole line.
fn is_read(line: &[u8]) -> bool {
    let name = line.iter().position(|byte| *byte == b':').and_then(|colon| line.get(..colon));
    let Some(name) = name else { return false };
    let prefix = name.get(..READ_PREFIX.len());
    let clickhouse = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(READ_PREFIX));
    READ.iter().any(|read| name.eq_ignore_ascii_case(read))
        || clickhouse && !name.eq_ignore_ascii_case(NEVER_READ)
}

/// Name and value, if it is one that is read.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if !is_read(line) {
        return None;
    }
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    Some((name, value.get(1..)?.trim_ascii()))
}
