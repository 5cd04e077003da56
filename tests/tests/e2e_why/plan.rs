//! What a client is to send, over which connections, in which order, and which of it is slow.

use std::process::Command;
use tracer::random::SplitMix64;

use serde_json::{Value, json};
use tests::drivers::planned_psycopg;

use crate::server::server;

/// Connections of most plans, requests on each of them, and the longest pause before a request.
const LANES: usize = 12;
const COUNT: usize = 30;
const PAUSE_MS: u64 = 4;

/// How a client passes the values of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// psycopg 3, parameters as text.
    Text,
    /// psycopg 3, parameters in binary.
    PsycopgBinary,
    /// psycopg 3, literals in a simple query.
    Literals,
    /// tokio-postgres, parameters in binary.
    Binary,
}

/// All that a client is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub style: Style,
    /// Connections that are open before the capture.
    pub lanes: Vec<Lane>,
    /// Requests by phase and lane. A phase starts when all of the one before have their answers.
    pub phases: Vec<Vec<Vec<Request>>>,
    /// Statements are prepared before the capture.
    pub prepared_before: bool,
    /// The last phase has no answers when the capture ends.
    pub hangs: bool,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Lane {
    pub conninfo: String,
    pub setup: Option<String>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub sql: String,
    pub parameters: Vec<Value>,
    /// Before it.
    pub pause_ms: u64,
    /// On a new connection.
    pub reconnect: bool,
    /// What the server must answer: whether it is slow. `None`: only the server knows.
    pub slow: Option<bool>,
}

impl Request {
    pub fn new(sql: impl Into<String>, parameters: impl Into<Vec<Value>>, slow: bool) -> Self {
        let (sql, parameters) = (sql.into(), parameters.into());
        Self { sql, parameters, pause_ms: 0, reconnect: false, slow: Some(slow) }
    }

    /// Only the server knows whether it will be slow.
    pub fn unknown(mut self) -> Self {
        self.slow = None;
        self
    }
}

impl Plan {
    /// So many lanes to the server, none of them used yet.
    pub fn new(style: Style, lanes: usize) -> Self {
        let lane = Lane { conninfo: server().conninfo(), setup: None };
        Self { style, lanes: vec![lane; lanes], phases: Vec::new(), prepared_before: false, hangs: false }
    }

    /// One phase with these requests at random.
    pub fn of(style: Style, request: impl FnMut(&mut Random) -> Request) -> Self {
        Self::new(style, LANES).phase(COUNT, PAUSE_MS, request)
    }

    /// One more phase: `count` requests on each lane, after pauses at random up to `pause_ms`.
    pub fn phase(self, count: usize, pause_ms: u64, request: impl FnMut(&mut Random) -> Request) -> Self {
        let counts = vec![count; self.lanes.len()];
        self.uneven_phase(&counts, pause_ms, request)
    }

    /// As [`Self::phase`], with a count for each lane.
    pub fn uneven_phase(
        mut self,
        counts: &[usize],
        pause_ms: u64,
        mut request: impl FnMut(&mut Random) -> Request,
    ) -> Self {
        let mut random = Random(self.phases.len() as u64 + 1);
        let mut one = || {
            let pause_ms = random.below(pause_ms + 1);
            Request { pause_ms, ..request(&mut random) }
        };
        self.phases.push(counts.iter().map(|count| (0..*count).map(|_| one()).collect()).collect());
        self
    }

    /// The program, which reads the plan from a file.
    pub fn client(&self) -> (Command, tempfile::NamedTempFile) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.to_json().to_string()).unwrap();
        let command = match self.style {
            Style::Text | Style::PsycopgBinary | Style::Literals => planned_psycopg(file.path()),
            Style::Binary => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_planned-client"));
                command.arg(file.path());
                command
            }
        };
        (command, file)
    }

    fn to_json(&self) -> Value {
        let style = match self.style {
            Style::Text => "text",
            Style::Literals => "literals",
            Style::Binary | Style::PsycopgBinary => "binary",
        };
        let request = |request: &Request| {
            json!({
                "sql": request.sql, "parameters": request.parameters,
                "pause_ms": request.pause_ms, "reconnect": request.reconnect,
            })
        };
        let lane = |lane: &Lane| json!({"conninfo": lane.conninfo, "setup": lane.setup});
        let phases: Vec<Vec<Vec<Value>>> = (self.phases.iter())
            .map(|lanes| lanes.iter().map(|requests| requests.iter().map(request).collect()).collect())
            .collect();
        json!({
            "style": style, "prepared_before": self.prepared_before,
            "lanes": self.lanes.iter().map(lane).collect::<Vec<_>>(), "phases": phases,
        })
    }
}

/// The same numbers in every run.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        let mut random = SplitMix64(self.0);
        let bits = random.next_bits();
        self.0 = random.0;
        bits % limit
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
