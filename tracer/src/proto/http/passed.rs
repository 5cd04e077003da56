//! A connection that is HTTP and no database: nothing of it is read.

use crate::proto::{Chunk, Moment, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::Texts;
use crate::time::Nanos;

/// Reports nothing.
#[derive(Debug, Default)]
pub(super) struct Passed {
    session: Session,
}

impl Protocol for Passed {
    fn feed(&mut self, _: Moment, _: Side, _: Chunk<'_>, _: &mut Texts, _: &mut Requests) {}
    fn close(&mut self, _: Nanos, _: &mut Requests) {}
    fn in_flight(&self, _: &mut Vec<InFlight>) {}
    fn open_requests(&self) -> u32 {
        0
    }
    fn session(&self) -> &Session {
        &self.session
    }
    fn in_sync(&self) -> bool {
        true
    }
    fn cancelled(&mut self, _: Nanos) {}
}
