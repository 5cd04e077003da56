//! All connections of a capture, by socket. Bounded: ended connections are forgotten first, and counted.

use std::collections::HashSet;

use super::{
    connection::{Connection, Counted},
    number_map::{NumberMap, NumberSet},
    servers::Servers,
};
use crate::{
    event::{Address, SocketFacts, SocketId, Transfer},
    proto::Entry,
    request::{BackendKey, Request, Requests},
    sql::Texts,
    time::Nanos,
    value::Value,
};

/// Most connections held as open. The close of a Unix socket is not always seen, so these could grow without bound.
const MOST_OPEN: usize = 50_000;
/// Most connections kept for the report, open ones not counted.
const MOST_ENDED: usize = 10_000;

/// Another end that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerFilter {
    /// An address, at any port or at this one.
    Inet(std::net::IpAddr, Option<u16>),
    /// The path of a Unix socket.
    Unix(Vec<u8>),
}

/// Which connections are read.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Other ends; empty means all.
    pub peers: Vec<PeerFilter>,
}

impl Filter {
    fn admits(&self, facts: Option<&SocketFacts>) -> bool {
        if self.peers.is_empty() {
            return true;
        }
        let Some(facts) = facts else { return false };
        self.peers.iter().any(|wanted| match (wanted, &facts.peer) {
            (PeerFilter::Inet(ip, port), Address::Inet(peer)) => {
                *ip == peer.ip() && port.is_none_or(|port| port == peer.port())
            }
            (PeerFilter::Unix(path), Address::Unix(peer)) => path == peer,
            _ => false,
        })
    }
}

/// What comes out: each finished request with its connection.
pub trait Outcome {
    /// One finished request with its values.
    fn request(&mut self, connection: &mut Connection, request: &Request, values: &[Value], texts: &Texts);
}

/// All connections.
pub struct Table {
    connections: NumberMap<SocketId, Connection>,
    /// Facts that came before the first transfer.
    facts: NumberMap<SocketId, SocketFacts>,
    ignored: NumberSet<SocketId>,
    /// Sockets with pieces that wait for earlier ones.
    waiting: NumberSet<SocketId>,
    open_before: HashSet<u64>,
    protocols: Vec<&'static Entry>,
    filter: Filter,
    next_id: u32,
    ended: usize,
    /// Totals of connections that were forgotten.
    forgotten: Counted,
    forgotten_connections: u64,
    servers: Servers,
    buffer: Requests,
}

impl Table {
    /// `open_before`: inode numbers of the sockets that the targets had open when the capture began.
    pub fn new(protocols: Vec<&'static Entry>, filter: Filter, open_before: HashSet<u64>) -> Self {
        Self {
            connections: NumberMap::default(),
            facts: NumberMap::default(),
            ignored: NumberSet::default(),
            waiting: NumberSet::default(),
            open_before,
            protocols,
            filter,
            next_id: 1,
            ended: 0,
            forgotten: Counted::default(),
            forgotten_connections: 0,
            servers: Servers::default(),
            buffer: Requests::default(),
        }
    }

    /// All connections that are remembered, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values()
    }

    /// As [`Table::iter`], to change what is cached with them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.connections.values_mut()
    }

    /// The servers of the capture.
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// Totals of the connections that were forgotten, and their number.
    pub fn forgotten(&self) -> (Counted, u64) {
        (self.forgotten, self.forgotten_connections)
    }

    /// Facts of a socket.
    pub fn facts(&mut self, socket: SocketId, mut facts: SocketFacts) {
        facts.opened_before = self.open_before.contains(&facts.inode);
        match self.connections.get_mut(&socket) {
            Some(connection) => connection.facts = Some(facts),
            None if self.filter.admits(Some(&facts)) => {
                self.facts.insert(socket, facts);
            }
            None => {
                self.ignored.insert(socket);
            }
        }
    }

    /// A piece of a stream.
    pub fn transfer(&mut self, piece: &Transfer<'_>, texts: &mut Texts, outcome: &mut dyn Outcome) {
        if self.ignored.contains(&piece.socket) {
            return;
        }
        let before = self.connections.len();
        let connection = match self.connections.entry(piece.socket) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let facts = self.facts.remove(&piece.socket);
                if facts.is_none() && !self.filter.admits(None) {
                    self.ignored.insert(piece.socket);
                    return;
                }
                let from_start = facts.as_ref().is_some_and(|facts| !facts.opened_before);
                let id = self.next_id;
                self.next_id = self.next_id.saturating_add(1);
                entry.insert(Connection::new(id, piece.socket, facts, from_start))
            }
        };
        let load = connection.server.map(|server| self.servers.in_flight(server));
        connection.push(piece, load, &self.protocols, texts, &mut self.buffer);
        connection.count_open(&mut self.servers);
        if connection.waits() {
            self.waiting.insert(piece.socket);
        }
        pass_on(connection, &mut self.buffer, texts, outcome);
        let terminated =
            connection.session().is_some_and(|session| session.terminated) && !connection.ended();
        self.cancel(piece.socket, piece.at);
        let is_new = self.connections.len() > before;
        if terminated {
            self.end(piece.socket, piece.at, texts, outcome);
        } else if is_new && self.connections.len() > MOST_ENDED + MOST_OPEN {
            self.forget_quiet();
        }
    }

    /// A connection's end.
    pub fn end(&mut self, socket: SocketId, at: Nanos, texts: &mut Texts, outcome: &mut dyn Outcome) {
        self.facts.remove(&socket);
        self.ignored.remove(&socket);
        if let Some(connection) = self.connections.get_mut(&socket) {
            connection.expire(Nanos(u64::MAX), &self.protocols, texts, &mut self.buffer);
            if !connection.ended() {
                connection.close(at, &mut self.buffer);
                connection.count_open(&mut self.servers);
                self.ended += 1;
            }
            self.hand_out(socket, at, texts, outcome);
            self.forget_some();
        }
    }

    /// A process ended: connections that only it used are over.
    pub fn process_ended(&mut self, pid: u32, at: Nanos, texts: &mut Texts, outcome: &mut dyn Outcome) {
        let mut over = Vec::new();
        for connection in self.connections.values_mut() {
            if connection.processes.contains(&pid) {
                connection.processes.retain(|process| *process != pid);
                if connection.processes.is_empty() {
                    over.push(connection.socket);
                }
            }
        }
        for socket in over {
            self.end(socket, at, texts, outcome);
        }
    }

    /// Time goes on: gives up on pieces that were lost.
    pub fn tick(&mut self, now: Nanos, texts: &mut Texts, outcome: &mut dyn Outcome) {
        let waiting = std::mem::take(&mut self.waiting);
        for socket in waiting {
            if let Some(connection) = self.connections.get_mut(&socket) {
                connection.expire(now, &self.protocols, texts, &mut self.buffer);
                if connection.waits() {
                    self.waiting.insert(socket);
                }
            }
            self.hand_out(socket, now, texts, outcome);
        }
    }

    /// The capture is over: takes what protocols held back.
    pub fn capture_ends(&mut self, at: Nanos, texts: &Texts, outcome: &mut dyn Outcome) {
        let sockets: Vec<SocketId> = self.connections.keys().copied().collect();
        for socket in sockets {
            if let Some(connection) = self.connections.get_mut(&socket) {
                connection.capture_ends(&mut self.buffer);
            }
            self.hand_out(socket, at, texts, outcome);
        }
    }

    /// Passes on what a connection's protocol has put into the buffer.
    fn hand_out(&mut self, socket: SocketId, at: Nanos, texts: &Texts, outcome: &mut dyn Outcome) {
        if let Some(connection) = self.connections.get_mut(&socket) {
            pass_on(connection, &mut self.buffer, texts, outcome);
        }
        self.cancel(socket, at);
    }

    /// Tells the sessions that cancel requests in the buffer mean. They came on this socket.
    fn cancel(&mut self, from: SocketId, at: Nanos) {
        if self.buffer.cancels.is_empty() {
            return;
        }
        let asked = self.connections.get(&from).and_then(|connection| connection.server_address().cloned());
        for key in self.buffer.cancels.drain(..) {
            let meant = self.connections.values_mut().find(|connection| {
                let same_server = || {
                    key.secret_hash != BackendKey::NO_SECRET || connection.server_address() == asked.as_ref()
                };
                connection.session().is_some_and(|session| session.backend_key == Some(key)) && same_server()
            });
            if let Some(connection) = meant {
                connection.cancelled(at);
            }
        }
    }

    /// Drops the quieter half of the open connections that wait for no answer.
    fn forget_quiet(&mut self) {
        let mut in_flight = Vec::new();
        let mut quiet: Vec<(Nanos, SocketId)> = Vec::new();
        for connection in self.connections.values().filter(|connection| !connection.ended()) {
            in_flight.clear();
            connection.in_flight(&mut in_flight);
            if in_flight.is_empty() {
                quiet.push((connection.last_at, connection.socket));
            }
        }
        quiet.sort_unstable();
        for (_, socket) in quiet.iter().take(MOST_OPEN / 2) {
            self.forget(*socket);
        }
    }

    fn forget(&mut self, socket: SocketId) {
        if let Some(mut connection) = self.connections.remove(&socket) {
            connection.uncount_open(&mut self.servers);
            self.forgotten.add(&connection.counted);
            self.forgotten_connections += 1;
        }
    }

    /// Drops the older half of the ended connections when there are too many.
    fn forget_some(&mut self) {
        if self.ended <= MOST_ENDED {
            return;
        }
        let mut ids: Vec<(u32, SocketId)> = self
            .connections
            .values()
            .filter(|connection| connection.ended())
            .map(|connection| (connection.id, connection.socket))
            .collect();
        ids.sort_unstable();
        for (_, socket) in ids.iter().take(MOST_ENDED / 2) {
            self.forget(*socket);
            self.ended = self.ended.saturating_sub(1);
        }
    }
}

/// Counts and passes on what a connection's protocol has put into the buffer, cancel requests apart.
fn pass_on(connection: &mut Connection, buffer: &mut Requests, texts: &Texts, outcome: &mut dyn Outcome) {
    connection.counted.protocol.add(&std::mem::take(&mut buffer.counts));
    connection.counted.requests += buffer.finished.len() as u64;
    for request in &buffer.finished {
        outcome.request(connection, request, buffer.values_of(request), texts);
    }
    buffer.clear_finished();
}

impl Counted {
    /// Adds another connection's totals.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bytes_seen = self.bytes_seen.saturating_add(other.bytes_seen);
        self.bytes_captured = self.bytes_captured.saturating_add(other.bytes_captured);
        self.bytes_unreadable = self.bytes_unreadable.saturating_add(other.bytes_unreadable);
        self.gaps += other.gaps;
        self.wrong_guesses += other.wrong_guesses;
        self.protocol.add(&other.protocol);
    }
}
