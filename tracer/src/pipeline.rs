//! From raw records to statements: every stage after the source, in one piece that a live capture, a recording, a fuzzer
//! and a bench all drive the same way.
//!
//! Pure: no clock, no file, no kernel. [`Pipeline::tick`] tells it how late it is.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use crate::{
    agg::{Aggregator, GroupId, Limits},
    conn::{Connection, Counted, Filter, Outcome, Servers, Table},
    event::{Address, Event, ProcessChange, SocketId, decode},
    proto::Entry,
    request::{InFlight, Request},
    sql::{TextId, Texts},
    time::Nanos,
    value::{self, Extractor, Value},
    why::{
        Facts, ObservedOutcome,
        sample::{self, Sampler},
    },
};

/// Most distinct statement texts of a capture.
const MOST_TEXTS: usize = 10_000;
/// Most database names told apart when slow requests are compared.
const MOST_DATABASES: usize = 10_000;
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
    /// How values become features.
    pub values: value::Settings,
    /// Make features of values and keep a sample of the requests, so that the slow ones can be compared with the fast
    /// ones. Without it values are passed over.
    pub explain: bool,
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
    /// What is known of it beside its values, with its age as latency: to compare it with those that finished.
    pub facts: Facts,
    /// Decides whether it is in a sample, as for those that finished.
    pub tag: u64,
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

/// The aggregator behind the cache that each connection holds, and the sample of requests.
struct Groups {
    aggregator: Aggregator,
    sampler: Option<Sampler>,
    databases: Vec<String>,
}

impl Groups {
    /// From 1; 0 where it is not known, and past the limit.
    fn database_number(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return 0 };
        let at = self.databases.iter().position(|known| known == name).unwrap_or_else(|| {
            if self.databases.len() < MOST_DATABASES {
                self.databases.push(name.to_owned());
            }
            self.databases.len() - 1
        });
        u32::try_from(at + 1).unwrap_or(0)
    }

    fn of(&mut self, connection: &mut Connection, text: TextId) -> GroupId {
        let database = connection.session().and_then(|session| session.database.as_deref());
        if connection.groups_database.as_deref() != database {
            connection.groups_database = database.map(str::to_owned);
            connection.database = self.database_number(connection.groups_database.as_deref());
            connection.groups.clear();
        }
        if let Some(group) = connection.groups.get(&text) {
            return *group;
        }
        let unknown = Address::Unix(Vec::new());
        let server = connection.server_address().unwrap_or(&unknown);
        let group = self.aggregator.group(
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
    fn request(&mut self, connection: &mut Connection, request: &Request, values: &[Value], _texts: &Texts) {
        let group = self.of(connection, request.text);
        self.aggregator.record(group, request);
        if let Some(sampler) = &mut self.sampler
            && request.text != Texts::OTHER
            && !is_passed_over(values)
        {
            sampler.offer(request.text, request.latency(), values, || finished(connection, request));
        }
        connection.history.add(request);
    }
}

fn is_passed_over(values: &[Value]) -> bool {
    values.first() == Some(&Value::PASSED_OVER)
}

fn finished(connection: &Connection, request: &Request) -> Facts {
    let outcome =
        ObservedOutcome { rows: request.rows, answer_bytes: request.answer_bytes, error: request.error };
    Facts {
        latency: request.latency(),
        outcome: Some(outcome),
        ..started(
            connection,
            &InFlight {
                text: request.text,
                started_at: request.started_at,
                task: request.task,
                transaction: request.transaction,
                request_bytes: request.request_bytes,
                load: request.load,
                values: Vec::new(),
            },
        )
    }
}

/// What is known of a request while it is in flight.
fn started(connection: &Connection, request: &InFlight) -> Facts {
    let before = connection.history.before(request.started_at, request.transaction);
    let opened_before = connection.facts.as_ref().is_none_or(|facts| facts.opened_before);
    Facts {
        started_at: request.started_at,
        latency: Nanos::default(),
        connection: connection.id,
        server: connection.server.unwrap_or(u32::MAX),
        database: connection.database,
        task: request.task,
        first_on_connection: !opened_before && before.previous.is_none(),
        opened_before,
        idle_before: before.idle,
        previous: before.previous,
        transaction: request.transaction,
        position: before.position,
        load: request.load,
        request_bytes: request.request_bytes,
        outcome: None,
    }
}

impl Pipeline {
    /// An empty one.
    pub fn new(settings: Settings) -> Self {
        let mut texts = Texts::with_extractor(MOST_TEXTS, Extractor::new(settings.values));
        if !settings.explain {
            texts.pass_over_values();
        }
        Self {
            table: Table::new(settings.protocols, settings.filter, settings.open_before),
            texts,
            groups: Groups {
                aggregator: Aggregator::new(Limits::default(), settings.slow),
                sampler: settings
                    .explain
                    .then(|| Sampler::new(sample::Limits::default(), RandomState::new().hash_one(0))),
                databases: Vec::new(),
            },
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

    /// Everything sent and not answered at `now`, oldest first. Each gets a statement group, so that its text is in the report.
    pub fn in_flight(&mut self, now: Nanos) -> Vec<Unanswered> {
        let mut all = Vec::new();
        let mut buffer = Vec::new();
        for connection in self.table.iter_mut() {
            connection.in_flight(&mut buffer);
            for (place, request) in buffer.drain(..).enumerate() {
                let group = self.groups.of(connection, request.text);
                let mut facts = Facts { latency: now - request.started_at, ..started(connection, &request) };
                facts.first_on_connection &= place == 0;
                let passed_over = is_passed_over(&request.values);
                // No sample reaches up to the highest tag.
                let sampler = self.groups.sampler.as_mut().filter(|_| !passed_over);
                let tag = sampler.map_or(u64::MAX, Sampler::draw);
                all.push(Unanswered { connection: connection.id, group, request, facts, tag });
            }
        }
        all.sort_by_key(|unanswered| unanswered.request.started_at);
        all
    }

    /// Statement groups with their numbers.
    pub fn aggregator(&self) -> &Aggregator {
        &self.groups.aggregator
    }

    /// The requests that were kept for comparison, if any were to be.
    pub fn sampler(&self) -> Option<&Sampler> {
        self.groups.sampler.as_ref()
    }

    /// The servers of the capture by number.
    pub fn servers(&self) -> &Servers {
        self.table.servers()
    }

    /// The database with a number of [`Facts::database`].
    pub fn database(&self, number: u32) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.groups.databases.get(index).map(String::as_str)
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
