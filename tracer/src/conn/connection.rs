//! One connection: its facts, the order of its bytes, and the protocol that reads them.

use super::{
    detecting::{Detecting, Recognised, feed},
    history::History,
    number_map::NumberMap,
    servers::Servers,
};
use crate::{
    agg::GroupId,
    event::{Address, SocketFacts, SocketId, Transfer, order::Order},
    proto::{Entry, Moment, Session, Side},
    request::{Counts, InFlight, Requests},
    sql::{TextId, Texts},
    time::Nanos,
};

/// A protocol that has lost its place for so many bytes was a wrong guess.
const OUT_OF_SYNC_BYTES: u64 = 4 << 20;
/// The same for one that has not seen a single request yet.
const UNPROVEN_BYTES: u64 = 64 << 10;
/// Processes remembered as users of a connection.
const MOST_PROCESSES: usize = 8;

/// How far a connection is understood.
pub enum State {
    /// No protocol has recognised it yet.
    Detecting,
    /// No protocol will.
    Undecoded,
    /// Being read.
    Decoding {
        /// Name in the registry.
        protocol: &'static str,
        /// Which side the traced process is.
        side: Side,
    },
}

enum Reader {
    Detecting(Detecting),
    Decoding(Recognised),
    Ended { protocol: Option<(&'static str, Side)>, session: Session },
}

/// What one connection counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Finished requests.
    pub requests: u64,
    /// Bytes moved, both directions.
    pub bytes_seen: u64,
    /// Bytes copied, both directions.
    pub bytes_captured: u64,
    /// Bytes whose user memory could not be found or read.
    pub bytes_unreadable: u64,
    /// Holes in the stream, from lost records.
    pub gaps: u64,
    /// Guesses of a protocol that turned out wrong.
    pub wrong_guesses: u64,
    /// What its protocol counted.
    pub protocol: Counts,
}

/// One connection.
pub struct Connection {
    /// Number in the report.
    pub id: u32,
    /// Its socket.
    pub socket: SocketId,
    /// Addresses and the like; None when their record was lost.
    pub facts: Option<SocketFacts>,
    /// Running totals.
    pub counted: Counted,
    /// When bytes moved last.
    pub last_at: Nanos,
    /// Processes that used it and have not ended, as far as remembered.
    pub processes: Vec<u32>,
    /// Statement groups by text: the look-up by all of a group's parts is slow. Emptied when the session's facts change.
    pub groups: NumberMap<TextId, GroupId>,
    /// Database of the session when `groups` was filled.
    pub groups_database: Option<String>,
    /// Number of that database; 0: not known.
    pub database: u32,
    /// Number of its server, once both its address and its protocol are known.
    pub server: Option<u32>,
    /// What it did last.
    pub history: History,
    /// Its requests that are counted as in flight to its server.
    open: u32,
    reader: Reader,
    order: Order,
    unsynced_bytes: u64,
    /// Finished requests when its protocol was recognised.
    requests_before: u64,
}

impl Connection {
    /// `from_start`: its first byte will be seen.
    pub(super) fn new(id: u32, socket: SocketId, facts: Option<SocketFacts>, from_start: bool) -> Self {
        Self {
            id,
            socket,
            facts,
            counted: Counted::default(),
            last_at: Nanos::default(),
            processes: Vec::new(),
            groups: NumberMap::default(),
            groups_database: None,
            database: 0,
            server: None,
            history: History::default(),
            open: 0,
            reader: Reader::Detecting(Detecting::new(from_start)),
            order: Order::default(),
            unsynced_bytes: 0,
            requests_before: 0,
        }
    }

    /// How far it is understood.
    pub fn state(&self) -> State {
        match &self.reader {
            Reader::Decoding(Recognised { name, side, .. })
            | Reader::Ended { protocol: Some((name, side)), .. } => {
                State::Decoding { protocol: name, side: *side }
            }
            Reader::Detecting(detecting) if !detecting.gave_up() => State::Detecting,
            Reader::Detecting(_) | Reader::Ended { protocol: None, .. } => State::Undecoded,
        }
    }

    /// Name of the protocol, once recognised.
    pub fn protocol(&self) -> Option<&'static str> {
        match self.state() {
            State::Decoding { protocol, .. } => Some(protocol),
            _ => None,
        }
    }

    /// Address of the database server's end: the peer's, or this end's where the target is the server.
    pub fn server_address(&self) -> Option<&Address> {
        let facts = self.facts.as_ref()?;
        match self.state() {
            State::Decoding { side: Side::Server, .. } => Some(&facts.local),
            _ => Some(&facts.peer),
        }
    }

    /// What its bytes told of the session.
    pub fn session(&self) -> Option<&Session> {
        match &self.reader {
            Reader::Decoding(recognised) => Some(recognised.protocol.session()),
            Reader::Ended { session, protocol: Some(_) } => Some(session),
            _ => None,
        }
    }

    /// No protocol was recognised, and its bytes have the shape of TLS records (case 18).
    pub fn is_tls(&self) -> bool {
        match &self.reader {
            Reader::Detecting(detecting) => detecting.is_tls(),
            Reader::Ended { session, .. } => session.tls,
            Reader::Decoding(_) => false,
        }
    }

    /// It is over.
    pub fn ended(&self) -> bool {
        matches!(self.reader, Reader::Ended { .. })
    }

    /// Requests sent and not answered.
    pub fn in_flight(&self, out: &mut Vec<InFlight>) {
        if let Reader::Decoding(recognised) = &self.reader {
            recognised.protocol.in_flight(out);
        }
    }

    /// The capture is over: nothing that waits for certainty can become more certain.
    pub(super) fn capture_ends(&mut self, out: &mut Requests) {
        if let Reader::Decoding(recognised) = &mut self.reader {
            recognised.protocol.capture_ends(out);
        }
    }

    /// Its current request was cancelled through another connection.
    pub(super) fn cancelled(&mut self, at: Nanos) {
        if let Reader::Decoding(recognised) = &mut self.reader {
            recognised.protocol.cancelled(at);
        }
    }

    /// Takes a piece in whatever order it comes.
    pub(super) fn push(
        &mut self,
        piece: &Transfer<'_>,
        load: Option<u32>,
        protocols: &[&'static Entry],
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if !self.processes.contains(&piece.task.pid) && self.processes.len() < MOST_PROCESSES {
            self.processes.push(piece.task.pid);
        }
        self.last_at = piece.at;
        self.counted.bytes_seen = self.counted.bytes_seen.saturating_add(piece.len());
        self.counted.bytes_captured = self.counted.bytes_captured.saturating_add(piece.bytes.len() as u64);
        if piece.unreadable {
            self.counted.bytes_unreadable = self.counted.bytes_unreadable.saturating_add(piece.skipped);
        }
        let mut order = std::mem::take(&mut self.order);
        order.push(piece, &mut |gap, piece| self.deliver(gap, piece, load, protocols, texts, out));
        self.order = order;
    }

    /// True when pieces wait for earlier ones.
    pub(super) fn waits(&self) -> bool {
        self.order.waits()
    }

    /// Gives up on lost pieces.
    pub(super) fn expire(
        &mut self,
        now: Nanos,
        protocols: &[&'static Entry],
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let mut order = std::mem::take(&mut self.order);
        order.expire(now, &mut |gap, piece| self.deliver(gap, piece, None, protocols, texts, out));
        self.order = order;
    }

    fn deliver(
        &mut self,
        gap: u64,
        piece: &Transfer<'_>,
        load: Option<u32>,
        protocols: &[&'static Entry],
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if gap > 0 {
            self.counted.gaps += 1;
        }
        match &mut self.reader {
            Reader::Detecting(detecting) => {
                if let Some(recognised) = detecting.push(gap, piece, protocols, texts, out) {
                    self.reader = Reader::Decoding(recognised);
                    self.requests_before = self.counted.requests;
                }
            }
            Reader::Decoding(Recognised { protocol, side, .. }) => {
                let moment =
                    Moment { at: piece.at, task: piece.task, ends_transfer: piece.ends_transfer, load };
                feed(
                    protocol.as_mut(),
                    *side,
                    piece.sent,
                    moment,
                    gap,
                    piece.bytes,
                    piece.skipped,
                    texts,
                    out,
                );
                self.watch_guess(piece.len(), out);
            }
            Reader::Ended { .. } => {}
        }
    }

    /// Counts its requests in flight at its server.
    pub(super) fn count_open(&mut self, servers: &mut Servers) {
        let now = match &self.reader {
            Reader::Decoding(recognised) => recognised.protocol.open_requests(),
            _ => 0,
        };
        if self.server.is_none()
            && matches!(self.reader, Reader::Decoding(_))
            && let Some(address) = self.server_address()
        {
            self.server = Some(servers.number(address));
        }
        if now != self.open
            && let Some(server) = self.server
        {
            servers.change(server, self.open, now);
            self.open = now;
        }
        if matches!(self.reader, Reader::Detecting(_)) {
            self.server = None;
        }
    }

    /// It is forgotten: nothing of it is in flight any more.
    pub(super) fn uncount_open(&mut self, servers: &mut Servers) {
        if let Some(server) = self.server {
            servers.change(server, std::mem::take(&mut self.open), 0);
        }
    }

    /// A wrong guess is given up, and counted with what it left open.
    fn watch_guess(&mut self, bytes: u64, out: &mut Requests) {
        let Reader::Decoding(recognised) = &self.reader else { return };
        if recognised.protocol.in_sync() || recognised.protocol.session().tls {
            self.unsynced_bytes = 0;
            return;
        }
        self.unsynced_bytes = self.unsynced_bytes.saturating_add(bytes);
        let unproven = self.counted.requests == self.requests_before && out.finished.is_empty();
        if self.unsynced_bytes > if unproven { UNPROVEN_BYTES } else { OUT_OF_SYNC_BYTES } {
            out.counts.answers_unmatched += u64::from(recognised.protocol.open_requests());
            self.unsynced_bytes = 0;
            self.counted.wrong_guesses += 1;
            self.reader = Reader::Detecting(Detecting::new(false));
        }
    }

    /// The connection is over: what was in flight gets no answer.
    pub(super) fn close(&mut self, at: Nanos, out: &mut Requests) {
        let (protocol, session) = match &mut self.reader {
            Reader::Decoding(recognised) => {
                recognised.protocol.close(at, out);
                (Some((recognised.name, recognised.side)), recognised.protocol.session().clone())
            }
            Reader::Detecting(detecting) => (None, Session { tls: detecting.is_tls(), ..Session::default() }),
            Reader::Ended { .. } => return,
        };
        self.reader = Reader::Ended { protocol, session };
        self.groups = NumberMap::default();
    }
}
