//! A cursor that a COM_STMT_EXECUTE has opened: its request goes on until the last row was fetched.

use super::exchange::Op;
use crate::request::Request;
use crate::value::Value;

/// What was read so far.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// The request as it would be if nothing more were fetched.
    pub request: Request,
    pub values: Vec<Value>,
    /// Its statement's text was seen.
    pub known: bool,
}

impl Cursor {
    /// One more COM_STMT_FETCH was answered; `fetch` is what it would be as a request of its own.
    pub(super) fn add(&mut self, op: &Op, fetch: &Request) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.request.rows, fetch.rows);
        add(&mut self.request.request_bytes, op.bytes);
        add(&mut self.request.answer_bytes, fetch.answer_bytes);
        self.request.ended_at = fetch.ended_at;
    }
}
