//! What goes wrong on a production host: wrong targets, missing rights, places that cannot be written, signals, and
//! processes that talk to no database. Each ends with the exit code and the words that the contract names.
//!
//! Needs root; no server.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

mod output;
mod signals;
mod targets;

use std::time::Duration;

use tests::dbtap::{Dbtap, Ended};

/// Longer than a short capture takes on a busy machine.
const SOON: Duration = Duration::from_secs(40);

/// Runs `dbtap` to its end.
fn run(arguments: &[&str]) -> Ended {
    Dbtap::with(arguments).unwrap().run(SOON).unwrap()
}

/// No report, a sentence that says why and holds these words, nothing on stdout, and no sign of a crash.
#[track_caller]
fn check_refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.stdout.is_empty(), "{}", ended.text());
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is not in {:?}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("backtrace"), "{}", ended.stderr);
    if code == 1 {
        assert!(ended.stderr.starts_with("dbtap: "), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "one line: {}", ended.stderr);
    }
}
