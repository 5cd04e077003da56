//! Requests for the tests.

use super::{Facts, ObservedOutcome};
use crate::request::Task;
use crate::time::Nanos;

/// A plain request on connection 1.
pub(crate) fn facts(started_at: Nanos, latency: Nanos) -> Facts {
    Facts {
        started_at,
        latency,
        connection: 1,
        server: 0,
        database: 0,
        task: Task { pid: 1, tid: 1 },
        first_on_connection: false,
        opened_before: true,
        idle_before: Some(Nanos::from_millis(1)),
        previous: None,
        transaction: None,
        position: 0,
        load: None,
        request_bytes: 100,
        outcome: Some(ObservedOutcome { rows: 1, answer_bytes: 100, error: None }),
    }
}
