//! The demo's payments service: one server, one application, one hidden cause of slowness.
//!
//! Both sides are ordinary PostgreSQL programs in processes of their own. They know nothing of the
//! tool that watches them, and they never talk to it.

pub mod end;
pub mod server;
pub mod statement;
pub mod statistics;
pub mod user_ids;
pub mod workload;

use std::time::Duration;

/// Time that the server takes for an ordinary request.
pub const FAST: Duration = Duration::from_millis(2);

/// Time that the server takes for a lookup of a slow user.
pub const SLOW: Duration = Duration::from_secs(2);

/// Whether lookups of this user are slow: the last decimal digit is 3 or 7.
///
/// This is the cause that a person in front of the report has to find.
pub fn is_slow_user(user_id: i64) -> bool {
    matches!(user_id.rem_euclid(10), 3 | 7)
}
