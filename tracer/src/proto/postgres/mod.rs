//! PostgreSQL frontend/backend protocol 3.x.

use super::{Chunk, Detection, Entry, Moment, Piece, Protocol, Session, Side};
use crate::request::{InFlight, Requests};
use crate::sql::Texts;
use crate::time::Nanos;

/// The registry entry.
pub const ENTRY: Entry =
    Entry { name: "postgresql", detect, start: |_from_start| Box::new(Postgres::default()) };

fn detect(_pieces: &[Piece<'_>]) -> Detection {
    Detection::No
}

#[derive(Debug, Default)]
struct Postgres {
    session: Session,
}

impl Protocol for Postgres {
    fn feed(&mut self, _: Moment, _: Side, _: Chunk<'_>, _: &mut Texts, _: &mut Requests) {}
    fn close(&mut self, _: Nanos, _: &mut Requests) {}
    fn in_flight(&self, _: &mut Vec<InFlight>) {}
    fn session(&self) -> &Session {
        &self.session
    }
    fn in_sync(&self) -> bool {
        false
    }
    fn cancelled(&mut self, _: Nanos) {}
}
