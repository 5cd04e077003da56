//! Attributes of the request, and of its answer.

use super::{Attribute, Feature, Row, Shape, Subject};
use crate::request::{ErrorCode, TransactionStatus};
use crate::time::Nanos;
use crate::value::Size;

const IDENTITY: Shape = Shape::Set(32);
const FEW: Shape = Shape::Set(8);

/// What is tried for each request. The answer's are effects.
pub(super) const ATTRIBUTES: &[(Subject, Feature, Shape)] = &[
    (Subject::Server, Feature::Identity, IDENTITY),
    (Subject::Database, Feature::Identity, IDENTITY),
    (Subject::Connection, Feature::Identity, IDENTITY),
    (Subject::Process, Feature::Identity, IDENTITY),
    (Subject::Thread, Feature::Identity, IDENTITY),
    (Subject::Request, Feature::FirstOnConnection, FEW),
    (Subject::Connection, Feature::OpenedBefore, FEW),
    (Subject::Connection, Feature::IdleBefore, Shape::Range),
    (Subject::Transaction, Feature::Status, FEW),
    (Subject::Transaction, Feature::Position, Shape::Range),
    (Subject::Request, Feature::Bytes, Shape::Range),
    (Subject::Request, Feature::Previous, FEW),
    (Subject::Load, Feature::InFlight, Shape::Range),
    (Subject::Time, Feature::Window, Shape::Window),
    (Subject::Answer, Feature::Rows, Shape::Range),
    (Subject::Answer, Feature::Bytes, Shape::Range),
    (Subject::Answer, Feature::Error, FEW),
];

/// The code of a request's attribute:
/// - `Identity`: the number in [`Facts`](crate::why::Facts), the process id or the thread id;
/// - `FirstOnConnection`, `OpenedBefore`: 1 yes, 0 no;
/// - `Status`: 0 idle, 1 in a transaction, 2 in a failed one. `Position`: the number itself, from 1;
/// - `IdleBefore`: [`Size::code`] of microseconds, four steps to a doubling ([`idle_micros`]);
/// - `Bytes`, `Rows`: [`Size::code`]. `InFlight`: the number itself. `Previous`: the number of the text;
/// - `Window`: nanoseconds;
/// - `Error`: see [`error_from_code`]; 0 for none.
pub(super) fn code(row: &Row<'_>, attribute: Attribute) -> Option<i64> {
    let facts = row.facts;
    let size = |number: u64| i64::from(Size::of_u64(number).code());
    match (attribute.subject, attribute.feature) {
        (Subject::Server, Feature::Identity) => Some(i64::from(facts.server)),
        (Subject::Database, Feature::Identity) => (facts.database != 0).then(|| i64::from(facts.database)),
        (Subject::Connection, Feature::Identity) => Some(i64::from(facts.connection)),
        (Subject::Process, Feature::Identity) => Some(i64::from(facts.task.pid)),
        (Subject::Thread, Feature::Identity) => Some(i64::from(facts.task.tid)),
        (Subject::Request, Feature::FirstOnConnection) => Some(i64::from(facts.first_on_connection)),
        (Subject::Connection, Feature::OpenedBefore) => Some(i64::from(facts.opened_before)),
        (Subject::Connection, Feature::IdleBefore) => facts.idle_before.map(idle_code),
        (Subject::Transaction, Feature::Status) => facts.transaction.map(|status| match status {
            TransactionStatus::Idle => 0,
            TransactionStatus::InTransaction => 1,
            TransactionStatus::Failed => 2,
        }),
        (Subject::Transaction, Feature::Position) => (facts.position != 0).then(|| i64::from(facts.position)),
        (Subject::Request, Feature::Bytes) => Some(size(facts.request_bytes)),
        (Subject::Request, Feature::Previous) => facts.previous.map(|text| i64::from(text.0)),
        (Subject::Load, Feature::InFlight) => facts.load.map(i64::from),
        (Subject::Time, Feature::Window) => i64::try_from(facts.started_at.0).ok(),
        (Subject::Answer, feature) => {
            // In flight: no outcome, and that must not look like one.
            let outcome = facts.outcome?;
            match feature {
                Feature::Rows => Some(size(outcome.rows)),
                Feature::Bytes => Some(size(outcome.answer_bytes)),
                Feature::Error => Some(outcome.error.map_or(0, error_code)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Clears the lower five bits of the mantissa: whether a connection slept 60 or 61 seconds tells nothing, and fewer
/// codes make fewer hypotheses.
fn idle_code(idle: Nanos) -> i64 {
    i64::from(Size::of_u64(idle.0 / 1000).code() & !0x1f)
}

/// The shortest idle time with this code of `IdleBefore`, in microseconds.
pub fn idle_micros(code: i64) -> f64 {
    Size::from_code(i16::try_from(code).unwrap_or(i16::MAX)).number()
}

/// The first seven bytes, the first one highest: more than any SQLSTATE has.
fn error_code(error: ErrorCode) -> i64 {
    let mut bytes = [0; 8];
    for (slot, byte) in bytes.iter_mut().skip(1).zip(error.as_str().bytes()) {
        *slot = byte;
    }
    i64::from_be_bytes(bytes)
}

/// The error of a code of `Error`; `None`: no error.
pub fn error_from_code(code: i64) -> Option<ErrorCode> {
    let bytes = code.to_be_bytes();
    let text: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 0).collect();
    (!text.is_empty()).then(|| ErrorCode::new(&text))
}
