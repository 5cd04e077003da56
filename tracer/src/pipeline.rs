//! From raw records to statements: every stage after the source, in one piece that a live capture, a recording, a fuzzer
//! and a bench all drive the same way.
//!
//! Pure: no clock, no file, no kernel. [`Pipeline::tick`] tells it how late it is.

use std::collections::HashSet;

use crate::{
    agg::{Aggregator, GroupId, Limits},
    conn::{Connection, Counted, Filter, Outcome, Table},
    event::{Address, Event, ProcessChange, SocketId, decode},
    proto::Entry,
    request::{InFlight, Request},
    sql::{TextId, Texts},
    time::Nanos,
};

/// Most distinct statement texts of a capture.
const MOST_TEXTS: usize = 10_000;
/// Most process changes kept.
const MOST_CHANGES: usize = 10_000;

/// What a pipeline is told at its beginning.
pub struct Settings {
    /// Protocols to look for.
    pub protocols: Vec<&'static Entry>,
    /// Connections to look at.
    pub filter: Filter,
    /// Inode numbers of sockets that were open when the capture began.
    pub open_before: HashSet<u64>,
    /// From which latency on a request counts as slow.
    pub slow: Option<Nanos>,
}

/// A request that was in flight at the end.
#[derive(Clone, Debug)]
pub struct Unanswered {
    /// Its connection's number.
    pub connection: u32,
    /// Its statement group.
    pub group: GroupId,
    /// What the protocol knows of it.
    pub request: InFlight,
}

/// All stages.
pub struct Pipeline {
    table: Table,
    texts: Texts,
    groups: Groups,
    changes: Vec<(u32, Nanos, ProcessChange)>,
    events: u64,
    undecodable: u64,
}

/// The aggregator behind the cache that each connection holds.
struct Groups(Aggregator);

impl Groups {
    fn of(&mut self, connection: &mut Connection, text: TextId) -> GroupId {
        let database = connection.session().and_then(|session| session.database.as_deref());
        if connection.groups_database.as_deref() != database {
            connection.groups_database = database.map(str::to_owned);
            connection.groups.clear();
        }
        if let Some(group) = connection.groups.get(&text) {
            return *group;
        }
        let unknown = Address::Unix(Vec::new());
        let server = connection.server_address().unwrap_or(&unknown);
        let group = self.0.group(
            text,
            connection.protocol().unwrap_or(""),
            connection.groups_database.as_deref(),
            server,
        );
        connection.groups.insert(text, group);
        group
    }
}

impl Outcome for Groups {
    fn request(&mut self, connection: &mut Connection, request: &Request, _texts: &Texts) {
        let group = self.of(connection, request.text);
        self.0.record(group, request);
    }
}

impl Pipeline {
    /// An empty one.
    pub fn new(settings: Settings) -> Self {
        Self {
            table: Table::new(settings.protocols, settings.filter, settings.open_before),
            texts: Texts::new(MOST_TEXTS),
            groups: Groups(Aggregator::new(Limits::default(), settings.slow)),
            changes: Vec::new(),
            events: 0,
            undecodable: 0,
        }
    }

    /// Takes one raw record.
    pub fn record(&mut self, raw: &[u8]) {
        self.events += 1;
        match decode(raw) {
            Some(event) => self.event(event),
            None => self.undecodable += 1,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        let Self { table, texts, groups, .. } = self;
        match event {
            Event::Transfer(piece) => table.transfer(&piece, texts, groups),
            Event::Facts(socket, facts) => table.facts(socket, facts),
            Event::SocketEnd { socket, at, .. } => table.end(socket, at, texts, groups),
            Event::Process { pid, at, change } => {
                if change == ProcessChange::Exited {
                    table.process_ended(pid, at, texts, groups);
                }
                if self.changes.len() < MOST_CHANGES {
                    self.changes.push((pid, at, change));
                }
            }
        }
    }

    /// The data has come as far as `now`; what was lost before is given up.
    pub fn tick(&mut self, now: Nanos) {
        self.table.tick(now, &mut self.texts, &mut self.groups);
    }

    /// The capture is over: call this once, after the last record and before [`Pipeline::in_flight`] and the totals.
    pub fn capture_ends(&mut self, at: Nanos) {
        self.table.capture_ends(at, &self.texts, &mut self.groups);
    }

    /// Forks, executions and exits of targets since the last call.
    pub fn process_changes(&mut self) -> Vec<(u32, Nanos, ProcessChange)> {
        std::mem::take(&mut self.changes)
    }

    /// Records taken, and how many of them were damaged.
    pub fn events(&self) -> (u64, u64) {
        (self.events, self.undecodable)
    }

    /// All connections that are remembered.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.table.iter()
    }

    /// Totals over all connections, forgotten ones too, and the number of all.
    pub fn totals(&self) -> (Counted, u64) {
        let (mut totals, mut count) = self.table.forgotten();
        for connection in self.table.iter() {
            totals.add(&connection.counted);
            count += 1;
        }
        (totals, count)
    }

    /// Everything sent and not answered, oldest first. Each gets a statement group, so that its text is in the report.
    pub fn in_flight(&mut self) -> Vec<Unanswered> {
        let mut all = Vec::new();
        let mut buffer = Vec::new();
        for connection in self.table.iter_mut() {
            connection.in_flight(&mut buffer);
            for request in buffer.drain(..) {
                let group = self.groups.of(connection, request.text);
                all.push(Unanswered { connection: connection.id, group, request });
            }
        }
        all.sort_by_key(|unanswered| unanswered.request.started_at);
        all
    }

    /// Statement groups with their numbers.
    pub fn aggregator(&self) -> &Aggregator {
        &self.groups.0
    }

    /// The texts of all statements.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Number of the connection on a socket, for tests and diagnosis.
    pub fn connection(&self, socket: SocketId) -> Option<&Connection> {
        self.table.iter().find(|connection| connection.socket == socket)
    }
}
