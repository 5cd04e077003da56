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
    /// Transfers that begin like a TLS record, and those that do not.
    tls_records: u32,
    other_transfers: u32,
    /// The last piece ended its transfer, by direction.
    at_start: [bool; 2],
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
        Self { joined_late: !from_start, at_start: [true; 2], ..Self::default() }
    }

    /// No protocol will be found any more.
    pub fn gave_up(&self) -> bool {
        self.attempts >= MOST_ATTEMPTS
    }

    /// Encrypted, by the shape of its transfers. Half of them may begin inside a record: reads are as long as buffers.
    pub fn is_tls(&self) -> bool {
        self.tls_records >= 2 && self.tls_records >= self.other_transfers
    }

    fn watch_tls(&mut self, piece: &Transfer<'_>) {
        let at_start = &mut self.at_start[usize::from(piece.sent)];
        if std::mem::replace(at_start, piece.ends_transfer) && !piece.bytes.is_empty() {
            if is_tls_record(piece.bytes) {
                self.tls_records = self.tls_records.saturating_add(1);
            } else {
                self.other_transfers = self.other_transfers.saturating_add(1);
            }
        }
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
        self.watch_tls(piece);
        if self.gave_up() {
            return None;
        }
        self.keep(gap, piece);
        let pieces: Vec<Piece<'_>> = self
            .kept
            .iter()
            .map(|kept| Piece { sent: kept.sent, bytes: &kept.bytes, skipped: kept.skipped })
            .collect();
        let verdict = verdict(protocols, &pieces);
        if let Verdict::Recognised(entry, side) = verdict {
            let mut protocol = (entry.start)(!self.joined_late);
            for kept in self.kept.drain(..) {
                kept.play(side, protocol.as_mut(), texts, out);
            }
            return Some(Recognised { name: entry.name, side, protocol });
        }
        if matches!(verdict, Verdict::Nothing)
            || self.kept.len() >= MOST_PIECES
            || self.kept_bytes >= MOST_BYTES
        {
            self.start_over();
        }
        None
    }

    fn keep(&mut self, gap: u64, piece: &Transfer<'_>) {
        self.joined_late |= gap > 0;
        let room = MOST_BYTES.saturating_sub(self.kept_bytes);
        let (bytes, cut) = piece.bytes.split_at(piece.bytes.len().min(room));
        self.kept_bytes += bytes.len();
        let moment =
            Moment { at: piece.at, task: piece.task, ends_transfer: piece.ends_transfer, load: None };
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

/// What all detectors say together.
enum Verdict {
    /// None thinks it possible.
    Nothing,
    /// More bytes are needed.
    Open,
    /// Exactly one is sure.
    Recognised(&'static Entry, Side),
}

/// Two that are sure contradict each other: then none is believed until more bytes decide.
fn verdict(protocols: &[&'static Entry], pieces: &[Piece<'_>]) -> Verdict {
    let mut verdict = Verdict::Nothing;
    for entry in protocols {
        verdict = match ((entry.detect)(pieces), verdict) {
            (Detection::Yes(_), Verdict::Recognised(..)) => return Verdict::Open,
            (Detection::Yes(side), _) => Verdict::Recognised(entry, side),
            (Detection::Maybe, Verdict::Nothing) => Verdict::Open,
            (_, before) => before,
        };
    }
    verdict
}

/// A TLS record's header (RFC 8446, 5.1): content type 20 to 23, version 3.x, and a length up to 2^14 + 256 (RFC 5246
/// allows 2^14 + 2048 before TLS 1.3).
fn is_tls_record(bytes: &[u8]) -> bool {
    match bytes {
        [20..=23, 3, 0..=4, high, low, ..] => {
            (1..=(1 << 14) + 2048).contains(&u16::from_be_bytes([*high, *low]))
        }
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::SocketId, proto::REGISTRY, request::Task, time::Nanos};

    fn check(pieces: &[&[u8]], expected: bool) {
        let mut detecting = Detecting::new(false);
        for (n, bytes) in pieces.iter().enumerate() {
            let piece = Transfer {
                socket: SocketId(1),
                at: Nanos(0),
                task: Task::default(),
                sent: n % 2 == 0,
                position: 0,
                bytes,
                skipped: 0,
                ends_transfer: true,
                unreadable: false,
            };
            let entries: Vec<_> = REGISTRY.iter().collect();
            let found = detecting.push(0, &piece, &entries, &mut Texts::new(10), &mut Requests::default());
            assert!(found.is_none());
        }
        assert_eq!(detecting.is_tls(), expected, "{pieces:?}");
    }

    #[test]
    fn case_18_tls_is_known_by_its_records() {
        check(&[b"\x17\x03\x03\x00\x30secret", b"\x17\x03\x03\x01\x00answer"], true);
        check(&[b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x03\x00\x7a\x02"], true);
        check(&[b"\x17\x03\x03\x00\x30secret"], false);
        check(&[b"\x17\x03\x03\xff\xffx", b"\x17\x03\x03\xff\xffx"], false);
        check(&[b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"\x17\x03\x03\x00\x30s"], false);
    }
}
