//! What a connection did before a request: the part of its past that can matter to the next one.

use crate::request::{Request, TransactionStatus};
use crate::sql::TextId;
use crate::time::Nanos;

/// The past of one connection, as far as it was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct History {
    last: Option<(TextId, Nanos)>,
    position: u16,
}

/// What a request finds when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// The statement before it; `None` for the first one seen.
    pub previous: Option<TextId>,
    /// Time since the end of that one; zero inside a pipeline.
    pub idle: Option<Nanos>,
    /// It is the n-th request of its transaction, from 1; 0: not in a transaction block, or not known.
    pub position: u16,
}

impl History {
    /// What a request finds that started then, with this transaction status before it.
    pub fn before(&self, started_at: Nanos, transaction: Option<TransactionStatus>) -> Before {
        let in_block =
            matches!(transaction, Some(TransactionStatus::InTransaction | TransactionStatus::Failed));
        Before {
            previous: self.last.map(|(text, _)| text),
            idle: self.last.map(|(_, ended_at)| started_at - ended_at),
            position: if in_block { self.position.saturating_add(1) } else { 0 },
        }
    }

    /// A request has finished.
    pub fn add(&mut self, request: &Request) {
        self.position = self.before(request.started_at, request.transaction).position;
        self.last = Some((request.text, request.ended_at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testdata;

    #[test]
    fn positions_count_inside_a_block_only() {
        let mut history = History::default();
        let mut positions = Vec::new();
        let inside = Some(TransactionStatus::InTransaction);
        for transaction in
            [None, Some(TransactionStatus::Idle), inside, inside, Some(TransactionStatus::Failed), None]
        {
            positions.push(history.before(Nanos(0), transaction).position);
            history.add(&Request { transaction, ..testdata::request(1, None) });
        }
        assert_eq!(positions, [0, 0, 1, 2, 3, 0]);
    }

    #[test]
    fn idle_time_is_from_end_to_start() {
        let mut history = History::default();
        assert_eq!(history.before(Nanos(5), None).idle, None);
        history.add(&Request { ended_at: Nanos(100), ..testdata::request(1, None) });
        assert_eq!(history.before(Nanos(130), None).idle, Some(Nanos(30)));
        assert_eq!(history.before(Nanos(70), None).idle, Some(Nanos(0)), "pipelined");
    }
}
