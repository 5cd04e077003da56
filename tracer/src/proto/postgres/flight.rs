//! What the server has not answered: listed while the capture runs, and ended when the connection does.
//!
//! Never changes a name: it looks ahead, as if every pending message succeeded.

use super::exchange::Exchange;
use super::names::{NameId, Suspended};
use super::pending::{Act, Kind, Op, Statement};
use crate::request::{ErrorCode, InFlight, Request, Requests, ValueRange};
use crate::sql::{TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;
use std::collections::{HashMap, HashSet};

/// A request without a complete answer.
#[derive(Debug)]
struct Flight<'a> {
    text: TextId,
    known: bool,
    /// Its messages. None: a suspended portal that the client has not asked for more.
    op: Option<Op>,
    /// What was read of its portal before.
    read: Option<&'a Suspended>,
    values: Vec<Value>,
}

/// Text, and whether it was seen.
type Shown = (TextId, bool);

/// Names as they will be once the pending messages before a point are answered.
struct Ahead<'a> {
    exchange: &'a Exchange,
    statements: HashMap<NameId, Statement>,
    /// A portal's statement, and the Bind that opens it with the number of values before its own.
    portals: HashMap<NameId, Option<(Statement, usize, Op)>>,
}

impl Ahead<'_> {
    fn prepared(&self, name: NameId) -> Statement {
        let names = &self.exchange.names;
        self.statements.get(&name).copied().or_else(|| names.statement(name)).unwrap_or_else(|| Statement {
            text: names.before(name).unwrap_or(Texts::OTHER),
            known: false,
            act: Act::None,
        })
    }
    fn shown(&self, statement: Statement) -> Shown {
        let statement = match statement.act {
            Act::Execute { name } => self.prepared(name),
            _ => statement,
        };
        (statement.text, statement.known)
    }
}

impl Exchange {
    fn flights(&self) -> Vec<Flight<'_>> {
        let mut ahead = Ahead { exchange: self, statements: HashMap::new(), portals: HashMap::new() };
        let mut flights = Vec::new();
        let mut resumed = HashSet::new();
        let mut values_before = 0;
        for op in self.pending.iter() {
            let mut read = None;
            let before = values_before;
            values_before += usize::from(op.values);
            let own = |before, op| self.pending.values_behind(before, op).to_vec();
            let mut values: Vec<Value> = Vec::new();
            let statement = match op.kind {
                Kind::Parse { name, statement } => {
                    ahead.statements.insert(name, statement);
                    continue;
                }
                Kind::Bind { portal, statement } => {
                    let statement = ahead.prepared(statement);
                    ahead.portals.insert(portal, Some((statement, before, *op)));
                    continue;
                }
                Kind::ClosePortal { name } => {
                    ahead.portals.insert(name, None);
                    continue;
                }
                Kind::Execute { portal, .. } => match (ahead.portals.get(&portal), self.names.portal(portal))
                {
                    (Some(Some((statement, before, bind))), _) => {
                        values = own(*before, bind);
                        *statement
                    }
                    (None, Some(open)) => {
                        values = self.names.values(portal).to_vec();
                        read = open.suspended.as_deref().filter(|_| resumed.insert(portal));
                        open.statement
                    }
                    _ => self.opened_before(),
                },
                Kind::Statement { statement, .. } | Kind::FunctionCall { statement } => {
                    values = own(before, op);
                    statement
                }
                _ => continue,
            };
            let (text, known) = ahead.shown(statement);
            flights.push(Flight { text, known, op: Some(*op), read, values });
        }
        for (portal, statement, read) in self.names.suspended() {
            if !resumed.contains(&portal) {
                let (text, known) = ahead.shown(statement);
                let values = self.names.values(portal).to_vec();
                flights.push(Flight { text, known, op: None, read: Some(read), values });
            }
        }
        flights
    }

    /// What runs on a portal that was opened before the capture.
    fn opened_before(&self) -> Statement {
        Statement { text: self.names.opened_before().unwrap_or(Texts::OTHER), known: false, act: Act::None }
    }

    /// Requests sent and not answered, oldest first. A suspended portal is one: its request goes on.
    pub(super) fn in_flight(&self, out: &mut Vec<InFlight>) {
        let from = out.len();
        for flight in self.flights() {
            let (started_at, task, load) = match (flight.read, flight.op) {
                (Some(read), _) => (read.started_at, read.task, read.load),
                (None, Some(op)) => (op.started_at, op.task, op.load),
                (None, None) => continue,
            };
            let sent_before = flight.read.map_or(0, |read| read.request_bytes);
            out.push(InFlight {
                text: flight.text,
                started_at,
                task,
                transaction: flight.read.map_or(self.status, |read| read.transaction),
                request_bytes: sent_before + flight.op.map_or(0, |op| op.bytes),
                load,
                values: flight.values,
            });
        }
        if let Some(new) = out.get_mut(from..) {
            new.sort_by_key(|request| request.started_at);
        }
    }

    /// The connection ended. What waits for an answer ends now with [`ErrorCode::CONNECTION_CLOSED`], so that a client
    /// that gave up shows with the time it waited. A suspended portal ends where its last piece did, without error.
    pub(super) fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.release(out);
        let mut finished = Vec::new();
        for flight in self.flights() {
            out.counts.statements_unnamed += u64::from(!flight.known);
            let mut request = Request {
                text: flight.text,
                started_at: at,
                first_byte_at: at,
                ended_at: at,
                task: crate::request::Task::default(),
                rows: 0,
                request_bytes: 0,
                answer_bytes: 0,
                error: None,
                transaction: self.status,
                cancelled: false,
                load: flight.op.and_then(|op| op.load),
                values: ValueRange::default(),
            };
            if let Some(op) = flight.op {
                request.started_at = op.started_at;
                request.task = op.task;
                request.request_bytes = op.bytes;
                request.error = Some(ErrorCode::new(ErrorCode::CONNECTION_CLOSED.as_bytes()));
                if self.answer.group == Some(op.group) {
                    request.first_byte_at = self.answer.first_byte_at.unwrap_or(at);
                    request.answer_bytes = self.answer.bytes;
                }
            } else if let Some(read) = flight.read {
                request.ended_at = read.ended_at;
            }
            if let Some(read) = flight.read {
                request.started_at = read.started_at;
                request.first_byte_at = read.first_byte_at;
                request.task = read.task;
                request.transaction = read.transaction;
                request.load = read.load;
                request.rows = read.rows;
                request.request_bytes += read.request_bytes;
                request.answer_bytes += read.answer_bytes;
            }
            finished.push((request, flight.values));
        }
        finished.sort_by_key(|(request, _)| request.ended_at);
        for (request, values) in finished {
            out.push(request, &values);
        }
        while self.pending.pop().is_some() {}
        while self.names.close_any_portal().is_some() {}
    }
}
