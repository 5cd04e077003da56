//! Recorded traffic, and what the stages up to the protocol make of it: for tests and benches.
#![allow(dead_code, reason = "each program that includes this file uses a part of it")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use tracer::conn::{Connection, Filter, Outcome, Table};
use tracer::event::{Event, ProcessChange, decode};
use tracer::pipeline::{Pipeline, Settings};
use tracer::proto::REGISTRY;
use tracer::request::Request;
use tracer::source::{Source as _, replay::Replay};
use tracer::sql::Texts;
use tracer::time::Nanos;
use tracer::value::Value;

/// Where the recordings are, one folder for each protocol.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures")
}

/// The recordings of a protocol, sorted by name.
pub fn of(protocol: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder().join(protocol)) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "dbtapraw")).collect();
    paths.sort();
    paths
}

/// The records of a recording. An unreadable one has none, which every user of this refuses.
pub fn load(path: &Path) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let replay = std::fs::read(path).ok().and_then(|file| {
        let mut replay = Replay::new(&file[..]).ok()?;
        replay.drain(usize::MAX, &mut |record| records.push(record.to_vec())).ok()
    });
    if replay.is_some() { records } else { Vec::new() }
}

/// A pipeline as a capture starts one.
pub fn pipeline() -> Pipeline {
    Pipeline::new(Settings {
        protocols: REGISTRY.iter().collect(),
        filter: Filter::default(),
        open_before: HashSet::new(),
        slow: None,
        values: Default::default(),
        explain: true,
    })
}

/// One finished request, with its text in place of its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub socket: u64,
    pub started_ns: u64,
    pub first_byte_ns: u64,
    pub ended_ns: u64,
    pub text: String,
    pub rows: u64,
    pub request_bytes: u64,
    pub answer_bytes: u64,
    pub error: Option<String>,
}

/// What came out of the protocols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Finished requests by socket, in the order in which they ended there.
    pub requests: Vec<Seen>,
    /// Socket, start and text of what is in flight at the end.
    pub in_flight: Vec<(u64, u64, String)>,
    pub gaps: u64,
    pub unmatched: u64,
}

impl Outcome for Observed {
    fn request(&mut self, connection: &mut Connection, request: &Request, _: &[Value], texts: &Texts) {
        self.requests.push(Seen {
            socket: connection.socket.0,
            started_ns: request.started_at.0,
            first_byte_ns: request.first_byte_at.0,
            ended_ns: request.ended_at.0,
            text: texts.get(request.text).text.clone(),
            rows: request.rows,
            request_bytes: request.request_bytes,
            answer_bytes: request.answer_bytes,
            error: request.error.map(|code| code.as_str().to_owned()),
        });
    }
}

/// Feeds records to the connections as the pipeline does, and keeps every request.
pub fn observe<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Observed {
    let mut table = Table::new(REGISTRY.iter().collect(), Filter::default(), HashSet::new());
    let mut texts = Texts::new(10_000);
    let mut seen = Observed::default();
    for record in records {
        match decode(record) {
            Some(Event::Transfer(piece)) => table.transfer(&piece, &mut texts, &mut seen),
            Some(Event::Facts(socket, facts)) => table.facts(socket, facts),
            Some(Event::SocketEnd { socket, at, .. }) => table.end(socket, at, &mut texts, &mut seen),
            Some(Event::Process { pid, at, change: ProcessChange::Exited }) => {
                table.process_ended(pid, at, &mut texts, &mut seen);
            }
            Some(Event::Process { .. }) | None => {}
        }
    }
    table.tick(Nanos(u64::MAX), &mut texts, &mut seen);
    table.capture_ends(Nanos(u64::MAX), &texts, &mut seen);
    let mut buffer = Vec::new();
    for connection in table.iter() {
        connection.in_flight(&mut buffer);
        let socket = connection.socket.0;
        let waiting = buffer.drain(..);
        seen.in_flight
            .extend(waiting.map(|open| (socket, open.started_at.0, texts.get(open.text).text.clone())));
        seen.gaps += connection.counted.gaps;
        seen.unmatched += connection.counted.protocol.answers_unmatched;
    }
    seen.in_flight.sort();
    // Stable: the order within a connection is the server's own, and stays.
    seen.requests.sort_by_key(|request| request.socket);
    seen
}
