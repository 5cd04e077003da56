//! Finds the next message in a direction whose place is not known: joined in the middle, or after a loss.
//!
//! Takes a place for a message's beginning only where its header and what stands behind it fit together.

use super::compressed::Prefix;
use super::message::{
    self, HEADER_BYTES, Header, OP_COMPRESSED, OP_GET_MORE, OP_MSG, OP_QUERY, OP_REPLY, flag,
};
use crate::proto::Side;

/// Enough to judge a message: header, flags, section, length and first element of its document.
pub(super) const JUDGED_BYTES: usize = 32;

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// A message begins here.
    Message(Header),
    /// More bytes are needed.
    More,
    No,
}

/// Whether a message of this side begins with these bytes; `None`: of any side.
pub(super) fn judge(bytes: &[u8], side: Option<Side>) -> Judgement {
    let Some(start) = bytes.get(..HEADER_BYTES) else {
        return if may_begin(bytes) { Judgement::More } else { Judgement::No };
    };
    let Some(header) = Header::read(start) else { return Judgement::No };
    let fits = match side {
        None => true,
        Some(Side::Client) => header.response_to == 0 && header.opcode != OP_REPLY,
        Some(Side::Server) => matches!(header.opcode, OP_MSG | OP_REPLY | OP_COMPRESSED),
    };
    if !fits {
        return Judgement::No;
    }
    let body = bytes.get(HEADER_BYTES..).unwrap_or_default();
    match fits_body(&header, body) {
        Some(true) => Judgement::Message(header),
        Some(false) => Judgement::No,
        None => Judgement::More,
    }
}

/// The upper bytes of a length, as far as they are there.
fn may_begin(bytes: &[u8]) -> bool {
    bytes.get(3).is_none_or(|byte| *byte <= 2)
}

/// Whether what follows a header is what the header says. None: more bytes are needed.
fn fits_body(header: &Header, body: &[u8]) -> Option<bool> {
    let body_bytes = u64::from(header.body_bytes());
    match header.opcode {
        OP_MSG => {
            let flags = message::flags(body.get(..4)?);
            let known = flag::CHECKSUM_PRESENT | flag::MORE_TO_COME | flag::EXHAUST_ALLOWED;
            if flags & flag::REQUIRED & !known != 0 {
                return Some(false);
            }
            let kind = *body.get(4)?;
            let size = u64::try_from(message::int32(body, 5)?).unwrap_or(0);
            let end =
                if flags & flag::CHECKSUM_PRESENT != 0 { body_bytes.checked_sub(4)? } else { body_bytes };
            let left = end.checked_sub(5 + size);
            // Another section has at least its kind and a length.
            let fits = left.is_some_and(|left| left == 0 || left > 5) && size >= 5;
            match kind {
                0 if fits => is_element(body.get(9..)?, size),
                1 if fits => body.get(9).map(|byte| is_name_byte(*byte)),
                _ => Some(false),
            }
        }
        OP_COMPRESSED => {
            body.get(..9)?;
            let Some(prefix) = Prefix::read(body) else { return Some(false) };
            Some(prefix.opcode == OP_MSG && (10..=48_000_000).contains(&prefix.body_bytes))
        }
        OP_REPLY => {
            let size = u64::try_from(message::int32(body.get(..24)?, 20)?).unwrap_or(0);
            let flags = message::flags(body);
            let documents = message::int32(body, 16)?;
            let fits = flags <= 0xf && documents > 0 && size >= 5 && 20 + size <= body_bytes;
            if fits { is_element(body.get(24..)?, size) } else { Some(false) }
        }
        OP_QUERY => {
            let name = body.get(4..)?;
            let name_end = name.iter().position(|byte| *byte == 0 || !is_name_byte(*byte));
            match name_end.map(|end| (end, name.get(end))) {
                Some((end, Some(0))) => Some(end >= 3 && name[..end].contains(&b'.')),
                Some(_) => Some(false),
                None => None,
            }
        }
        OP_GET_MORE | 2001 | 2002 | 2006 | 2007 => Some(true),
        _ => Some(false),
    }
}

/// Whether a document of this size can begin so, behind its length.
fn is_element(bytes: &[u8], size: u64) -> Option<bool> {
    let kind = *bytes.first()?;
    if kind == 0 {
        return Some(size == 5);
    }
    let name = bytes.get(1..)?;
    let mut known = name.iter().take(12);
    let end = known.position(|byte| *byte == 0);
    let is_name = name.iter().take(end.unwrap_or(12)).all(|byte| is_name_byte(*byte));
    let is_kind = matches!(kind, 1..=0x13 | 0x7f | 0xff);
    if !is_kind || !is_name || end == Some(0) {
        return Some(false);
    }
    // A few characters of a name are enough.
    if end.is_none() && name.len() < 3 { None } else { Some(true) }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte >= 0x80
}

/// The search in one direction.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The last bytes, where a message may begin that cannot be judged yet.
    tail: Vec<u8>,
    /// The tail begins a transfer.
    starts: bool,
}

/// Where a message begins: in the tail or in the new bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Bytes of it that came before.
    pub before: Vec<u8>,
    /// Where it goes on in the new bytes.
    pub from: usize,
}

impl Search {
    /// Looks at the next bytes of a direction. `starts`: they begin a transfer.
    pub fn look(&mut self, bytes: &[u8], side: Side, starts: bool, ends: bool) -> Option<Found> {
        let carried = self.tail.len();
        let starts_at_0 = if carried > 0 { self.starts } else { starts };
        let mut joined = std::mem::take(&mut self.tail);
        // Places in the tail need only a few of the new bytes.
        let seam = bytes.len().min(JUDGED_BYTES + 256);
        joined.extend_from_slice(bytes.get(..seam).unwrap_or_default());
        let whole = seam == bytes.len();
        for at in 0..carried {
            match at_place(joined.get(at..).unwrap_or_default(), side, at == 0 && starts_at_0, whole && ends)
            {
                Some(true) => {
                    return Some(Found { before: joined.get(at..carried)?.to_vec(), from: 0 });
                }
                Some(false) => {}
                None => return self.keep(joined.get(at..).unwrap_or_default(), at == 0 && starts_at_0),
            }
        }
        for at in 0..bytes.len() {
            let place = bytes.get(at..).unwrap_or_default();
            // Where a hole or another transfer was before, the first byte of the chunk may begin a message.
            let starts = at == 0 && starts && carried == 0;
            match at_place(place, side, starts, ends) {
                Some(true) => return Some(Found { before: Vec::new(), from: at }),
                Some(false) => {}
                None => return self.keep(place, starts),
            }
        }
        None
    }

    fn keep(&mut self, tail: &[u8], starts: bool) -> Option<Found> {
        // A tail is never longer than what a name in OP_QUERY may need.
        let tail = tail.get(..tail.len().min(JUDGED_BYTES + 256)).unwrap_or_default();
        self.tail = tail.to_vec();
        self.starts = starts;
        None
    }

    /// Bytes are missing.
    pub fn forget(&mut self) {
        self.tail = Vec::new();
    }
}

/// Whether a message begins here. None: that depends on what follows.
fn at_place(bytes: &[u8], side: Side, starts: bool, ends: bool) -> Option<bool> {
    match judge(bytes, Some(side)) {
        Judgement::Message(header) => Some(starts || is_strong(&header)),
        Judgement::No => Some(false),
        // Programs read a header by itself.
        Judgement::More if ends && starts && bytes.len() == HEADER_BYTES => Some(true),
        Judgement::More => None,
    }
}

/// Its content was judged too, so that it is believed anywhere.
fn is_strong(header: &Header) -> bool {
    matches!(header.opcode, OP_MSG | OP_REPLY | OP_COMPRESSED | OP_QUERY)
}
