//! What the server has not answered: listed while the capture runs, and ended when the connection does.

use super::answer::CONNECTION_KILLED;
use super::exchange::{Due, Exchange, Op};
use crate::request::{ErrorCode, InFlight, Requests};
use crate::time::Nanos;

impl Exchange {
    /// Requests sent and not answered, oldest first. An open cursor is one: its request goes on.
    pub(super) fn in_flight(&self, out: &mut Vec<InFlight>) {
        let from = out.len();
        for cursor in self.statements.cursors() {
            out.push(InFlight {
                text: cursor.request.text,
                started_at: cursor.request.started_at,
                task: cursor.request.task,
                transaction: cursor.request.transaction,
                request_bytes: cursor.request.request_bytes,
                load: cursor.request.load,
                values: cursor.values.clone(),
            });
        }
        for op in self.pending.iter().filter(|op| op.is_request()) {
            out.extend(op.all_due().map(|due| InFlight {
                text: due.text,
                started_at: op.started_at,
                task: op.task,
                transaction: self.transaction,
                request_bytes: op.bytes,
                load: op.load,
                values: due.values.clone(),
            }));
        }
        if let Some(new) = out.get_mut(from..) {
            new.sort_by_key(|request| request.started_at);
        }
    }

    /// The connection ended. What waits for an answer ends now with [`ErrorCode::CONNECTION_CLOSED`]; a cursor ended
    /// where its last fetch did, without error.
    pub(super) fn close(&mut self, at: Nanos, out: &mut Requests) {
        self.end_cursors(out);
        let closed = ErrorCode::new(ErrorCode::CONNECTION_CLOSED.as_bytes());
        while let Some(op) = self.pending.front() {
            let mut request = self.finished(op, Some(closed), at);
            let Some(op) = self.pop() else { return };
            request.cancelled = self.was_cancelled(op.started_at, CONNECTION_KILLED[0]);
            if !op.is_request() {
                continue;
            }
            for due in op.all_due() {
                out.counts.statements_unnamed += u64::from(!due.known);
                request.text = due.text;
                out.push(request.clone(), &due.values);
                (request.first_byte_at, request.answer_bytes, request.rows) = (at, 0, 0);
            }
        }
    }
}

impl Op {
    /// The statement that is answered now, and those behind it.
    fn all_due(&self) -> impl Iterator<Item = &Due> {
        std::iter::once(&self.due).chain(self.following.iter().rev())
    }
}
