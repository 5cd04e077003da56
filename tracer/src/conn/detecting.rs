//! The beginning of a connection, kept until a protocol recognises it, then played to that protocol.

use crate::{
    event::Transfer,
    proto::{Chunk, Detection, Entry, Moment, Piece, Protocol, Side},
    request::Requests,
    sql::Texts,
};

/// Bytes kept for a decision. Enough for the start-up of any protocol and for a large first statement.
const MOST_BYTES: usize = 64 << 10;
/// Pieces kept for a decision.
const MOST_PIECES: usize = 64;
/// How often a beginning is thrown away and another tried, before the connection counts as not decodable.
const MOST_ATTEMPTS: u32 = 32;

#[derive(Debug)]
struct Kept {
    moment: Moment,
    sent: bool,
    gap: u64,
    bytes: Vec<u8>,
    skipped: u64,
}

/// What is known of a connection that no protocol has recognised yet.
#[derive(Debug, Default)]
pub(super) struct Detecting {
    kept: Vec<Kept>,
    kept_bytes: usize,
    attempts: u32,
    /// Bytes were thrown away or lost: a recognised protocol joins in the middle.
    joined_late: bool,
}

/// A recognised protocol, fed with everything kept.
pub(super) struct Recognised {
    pub name: &'static str,
    pub side: Side,
    pub protocol: Box<dyn Protocol>,
}

impl Detecting {
    /// `from_start`: the connection's first byte will be seen.
    pub fn new(from_start: bool) -> Self {
        Self { joined_late: !from_start, ..Self::default() }
    }

    /// No protocol will be found any more.
    pub fn gave_up(&self) -> bool {
        self.attempts >= MOST_ATTEMPTS
    }

    /// Takes a piece and tries every protocol on what is kept.
    pub fn push(
        &mut self,
        gap: u64,
        piece: &Transfer<'_>,
        protocols: &[&'static Entry],
        texts: &mut Texts,
        out: &mut Requests,
    ) -> Option<Recognised> {
        if self.gave_up() {
            return None;
        }
        self.keep(gap, piece);
        let pieces: Vec<Piece<'_>> = self
            .kept
            .iter()
            .map(|kept| Piece { sent: kept.sent, bytes: &kept.bytes, skipped: kept.skipped })
            .collect();
        let mut possible = false;
        let mut found = None;
        for entry in protocols {
            match (entry.detect)(&pieces) {
                Detection::Yes(side) => {
                    found = Some((entry, side));
                    break;
                }
                Detection::Maybe => possible = true,
                Detection::No => {}
            }
        }
        if let Some((entry, side)) = found {
            let mut protocol = (entry.start)(!self.joined_late);
            for kept in self.kept.drain(..) {
                kept.play(side, protocol.as_mut(), texts, out);
            }
            return Some(Recognised { name: entry.name, side, protocol });
        }
        if !possible || self.kept.len() >= MOST_PIECES || self.kept_bytes >= MOST_BYTES {
            self.start_over();
        }
        None
    }

    fn keep(&mut self, gap: u64, piece: &Transfer<'_>) {
        self.joined_late |= gap > 0;
        let room = MOST_BYTES.saturating_sub(self.kept_bytes);
        let (bytes, cut) = piece.bytes.split_at(piece.bytes.len().min(room));
        self.kept_bytes += bytes.len();
        let moment = Moment { at: piece.at, task: piece.task, ends_transfer: piece.ends_transfer };
        if let Some(last) = self.kept.last_mut()
            && last.is_continued_by(piece.sent, gap, moment)
        {
            last.moment = moment;
            last.bytes.extend_from_slice(bytes);
            last.skipped = piece.skipped.saturating_add(cut.len() as u64);
            return;
        }
        self.kept.push(Kept {
            moment,
            sent: piece.sent,
            gap,
            bytes: bytes.to_vec(),
            skipped: piece.skipped.saturating_add(cut.len() as u64),
        });
    }

    fn start_over(&mut self) {
        self.kept.clear();
        self.kept_bytes = 0;
        self.joined_late = true;
        self.attempts += 1;
    }
}

impl Kept {
    /// Pieces of one call are one piece: they say the same to a detector, and count once.
    fn is_continued_by(&self, sent: bool, gap: u64, moment: Moment) -> bool {
        let same_call = self.moment.at == moment.at && self.moment.task == moment.task && self.sent == sent;
        same_call && gap == 0 && self.skipped == 0 && !self.moment.ends_transfer
    }

    fn play(&self, side: Side, protocol: &mut dyn Protocol, texts: &mut Texts, out: &mut Requests) {
        feed(protocol, side, self.sent, self.moment, self.gap, &self.bytes, self.skipped, texts, out);
    }
}

/// Hands one piece to a protocol as chunks.
#[expect(clippy::too_many_arguments, reason = "one piece in its parts; a struct would only rename them")]
pub(super) fn feed(
    protocol: &mut dyn Protocol,
    side: Side,
    sent: bool,
    moment: Moment,
    gap: u64,
    bytes: &[u8],
    skipped: u64,
    texts: &mut Texts,
    out: &mut Requests,
) {
    let speaker = match (sent, side) {
        (true, side) => side,
        (false, Side::Client) => Side::Server,
        (false, Side::Server) => Side::Client,
    };
    let inside = Moment { ends_transfer: false, ..moment };
    if gap > 0 {
        protocol.feed(inside, speaker, Chunk::Skipped(gap), texts, out);
    }
    if !bytes.is_empty() {
        let moment = if skipped > 0 { inside } else { moment };
        protocol.feed(moment, speaker, Chunk::Bytes(bytes), texts, out);
    }
    if skipped > 0 {
        protocol.feed(moment, speaker, Chunk::Skipped(skipped), texts, out);
    }
}
