//! Cuts one direction of a byte stream into frames: a header of fixed size that tells the length of the body behind it.
//!
//! A frame that lies whole in one chunk is borrowed from it. Otherwise only as much of the body is kept as the caller
//! asks for; the rest passes by length. Never looks into a body, and never keeps a byte that nobody asked for.

use super::Moment;
use crate::time::Nanos;

/// Room for the longest header of all formats.
const LONGEST_HEADER_BYTES: usize = 24;
/// A body buffer larger than this is given back after use, so that an idle connection is small.
const RETAINED_BYTES: usize = 4 << 10;

/// The framing of a protocol.
pub trait Format {
    /// Size of the header, at most 24 bytes.
    const HEADER_BYTES: usize;
    /// What the header says.
    type Header: Copy + std::fmt::Debug;

    /// Reads a header of exactly `HEADER_BYTES`. `None`: these bytes are none.
    fn header(bytes: &[u8]) -> Option<Self::Header>;
    /// Length of the body in bytes.
    fn body_bytes(header: &Self::Header) -> u64;
    /// False: no header begins with these bytes, which are fewer than a whole one.
    fn may_begin(_bytes: &[u8]) -> bool {
        true
    }
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a, H> {
    /// What its header says.
    pub header: H,
    /// The body, or its beginning.
    pub body: &'a [u8],
    /// Length of the body on the wire.
    pub body_bytes: u64,
    /// Length of header and body on the wire.
    pub wire_bytes: u64,
    /// The chunk that carried the first byte.
    pub first: Moment,
    /// The chunk that carried the last byte.
    pub last: Moment,
}

impl<H> Frame<'_, H> {
    /// `body` lacks its end.
    pub fn is_cut(&self) -> bool {
        (self.body.len() as u64) < self.body_bytes
    }
}

/// What a framer makes of the next bytes.
#[derive(Debug)]
pub enum Step<'a, H> {
    /// A frame is complete.
    Frame(Frame<'a, H>),
    /// All input is used up.
    More,
    /// This is no header, or bytes are missing over a frame boundary.
    Lost,
}

/// Body bytes kept over chunks. Its `Debug` shows no content.
#[derive(Default)]
struct Kept(Vec<u8>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[derive(Debug)]
struct Open<H> {
    header: H,
    body_bytes: u64,
    remaining: u64,
    keep: usize,
}

/// The framer of one direction.
#[derive(Debug)]
pub struct Framer<F: Format> {
    header: [u8; LONGEST_HEADER_BYTES],
    header_len: usize,
    open: Option<Open<F::Header>>,
    kept: Kept,
    first: Option<Moment>,
}

impl<F: Format> Default for Framer<F> {
    /// Stands at a frame boundary.
    fn default() -> Self {
        Self {
            header: [0; LONGEST_HEADER_BYTES],
            header_len: 0,
            open: None,
            kept: Kept::default(),
            first: None,
        }
    }
}

impl<F: Format> Framer<F> {
    /// Forgets where it was: the next byte begins a frame.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Between two frames.
    pub fn at_boundary(&self) -> bool {
        self.header_len == 0 && self.open.is_none()
    }

    /// Bytes of the unfinished frame so far.
    pub fn unfinished_bytes(&self) -> u64 {
        let body = self.open.as_ref().map_or(0, |open| open.body_bytes - open.remaining);
        self.header_len as u64 + body
    }

    /// When the unfinished frame began.
    pub fn first_byte_at(&self) -> Option<Nanos> {
        self.first_byte().map(|first| first.at)
    }

    /// The chunk that carried the first byte of the unfinished frame.
    pub fn first_byte(&self) -> Option<Moment> {
        if self.at_boundary() { None } else { self.first }
    }

    /// The header of the unfinished frame, once it is whole, and the beginning of its body as far as kept.
    pub fn unfinished(&self) -> Option<(F::Header, &[u8])> {
        self.open.as_ref().map(|open| (open.header, self.kept.0.as_slice()))
    }

    /// Takes bytes off the front of `input` up to the end of the next frame. `keep` says how many bytes of a body are
    /// wanted, should it come in several chunks.
    #[inline]
    pub fn next<'s, 'i: 's>(
        &'s mut self,
        moment: Moment,
        input: &mut &'i [u8],
        keep: impl FnOnce(&F::Header) -> usize,
    ) -> Step<'s, F::Header> {
        if self.open.is_none() {
            if input.is_empty() {
                return Step::More;
            }
            if self.header_len == 0 {
                self.first = Some(moment);
                if let Some((header, rest)) = input.split_at_checked(F::HEADER_BYTES) {
                    let Some(header) = F::header(header) else { return Step::Lost };
                    let body_bytes = F::body_bytes(&header);
                    let body = usize::try_from(body_bytes).ok().and_then(|len| rest.split_at_checked(len));
                    if let Some((body, rest)) = body {
                        *input = rest;
                        let wire_bytes = body_bytes + F::HEADER_BYTES as u64;
                        let (first, last) = (moment, moment);
                        return Step::Frame(Frame { header, body, body_bytes, wire_bytes, first, last });
                    }
                }
            }
            if !self.take_header(input, keep) {
                return Step::Lost;
            }
        }
        let Some(open) = &mut self.open else { return Step::More };
        let wanted = usize::try_from(open.remaining).unwrap_or(usize::MAX).min(input.len());
        let (body, rest) = input.split_at(wanted);
        *input = rest;
        let room = open.keep.saturating_sub(self.kept.0.len()).min(wanted);
        self.kept.0.extend_from_slice(body.get(..room).unwrap_or_default());
        open.remaining -= wanted as u64;
        if open.remaining == 0 { self.finish(moment) } else { Step::More }
    }

    /// So many bytes moved unseen. A hole that ends inside the body of the frame in which it began loses nothing but
    /// that body's end.
    pub fn skip(&mut self, moment: Moment, skipped: u64) -> Step<'_, F::Header> {
        if skipped == 0 {
            return Step::More;
        }
        let Some(open) = &mut self.open else { return Step::Lost };
        let Some(remaining) = open.remaining.checked_sub(skipped) else { return Step::Lost };
        open.remaining = remaining;
        // What follows the hole does not continue the kept beginning.
        open.keep = self.kept.0.len();
        if remaining == 0 { self.finish(moment) } else { Step::More }
    }

    /// Gives a large buffer back. For use between frames.
    pub fn trim(&mut self) {
        if self.at_boundary() && self.kept.0.capacity() > RETAINED_BYTES {
            self.kept.0 = Vec::new();
        }
    }

    /// False: this is no header.
    fn take_header(&mut self, input: &mut &[u8], keep: impl FnOnce(&F::Header) -> usize) -> bool {
        let missing = (F::HEADER_BYTES - self.header_len).min(input.len());
        let (head, rest) = input.split_at(missing);
        *input = rest;
        self.header[self.header_len..self.header_len + missing].copy_from_slice(head);
        self.header_len += missing;
        let known = &self.header[..self.header_len];
        if self.header_len < F::HEADER_BYTES {
            return F::may_begin(known);
        }
        let Some(header) = F::header(known) else { return false };
        let body_bytes = F::body_bytes(&header);
        self.kept.0.clear();
        self.open = Some(Open { header, body_bytes, remaining: body_bytes, keep: keep(&header) });
        true
    }

    fn finish(&mut self, last: Moment) -> Step<'_, F::Header> {
        self.header_len = 0;
        let first = self.first.take().unwrap_or(last);
        let Some(Open { header, body_bytes, .. }) = self.open.take() else { return Step::More };
        let wire_bytes = body_bytes + F::HEADER_BYTES as u64;
        Step::Frame(Frame { header, body: &self.kept.0, body_bytes, wire_bytes, first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Task;

    /// Two bytes: a letter, and the length of the body.
    #[derive(Debug)]
    struct Letters;

    impl Format for Letters {
        const HEADER_BYTES: usize = 2;
        type Header = (u8, u8);
        fn header(bytes: &[u8]) -> Option<(u8, u8)> {
            let [letter, len] = bytes else { return None };
            letter.is_ascii_alphabetic().then_some((*letter, *len))
        }
        fn body_bytes((_, len): &(u8, u8)) -> u64 {
            u64::from(*len)
        }
        fn may_begin(bytes: &[u8]) -> bool {
            bytes[0].is_ascii_alphabetic()
        }
    }

    fn moment(at: u64) -> Moment {
        Moment { at: Nanos(at), task: Task::default(), ends_transfer: true, load: None }
    }

    fn step(step: &Step<'_, (u8, u8)>) -> Option<String> {
        match step {
            Step::More => None,
            Step::Lost => Some("lost".to_owned()),
            Step::Frame(frame) => Some(format!(
                "{}={}/{}@{}-{}",
                char::from(frame.header.0),
                String::from_utf8_lossy(frame.body),
                frame.body_bytes,
                frame.first.at.0,
                frame.last.at.0
            )),
        }
    }

    /// Chunks at times 1, 2, ...; a number is a hole. Three bytes of each body are kept over chunks.
    fn check(chunks: &[&str], expected: &str) {
        let mut framer = Framer::<Letters>::default();
        let mut all = Vec::new();
        for (at, chunk) in (1..).zip(chunks) {
            if let Ok(hole) = chunk.parse() {
                all.extend(step(&framer.skip(moment(at), hole)));
                continue;
            }
            let mut input = chunk.as_bytes();
            while let Some(said) = step(&framer.next(moment(at), &mut input, |_| 3)) {
                let lost = said == "lost";
                all.push(said);
                if lost {
                    break;
                }
            }
        }
        assert_eq!(all.join(" "), expected, "{chunks:?}");
    }

    #[test]
    fn frames_in_any_chunks() {
        check(&["a\x02xyb\x00c\x01z"], "a=xy/2@1-1 b=/0@1-1 c=z/1@1-1");
        check(&["a", "\x02", "x", "yb", "\x00"], "a=xy/2@1-4 b=/0@4-5");
        check(&["a\x05hello"], "a=hello/5@1-1");
        check(&["a\x05he", "llo"], "a=hel/5@1-2");
        check(&["a\x02xy1"], "a=xy/2@1-1 lost");
        check(&["1"], "lost");
    }

    #[test]
    fn holes_inside_a_body_cost_only_its_end() {
        check(&["a\x05h", "3", "ob\x00"], "a=h/5@1-3 b=/0@3-3");
        check(&["a\x05h", "4", "b\x00"], "a=h/5@1-2 b=/0@3-3");
        check(&["a\x05h", "5"], "lost");
        check(&["a", "1"], "lost");
    }
}
