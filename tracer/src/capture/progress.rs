//! What a person sees on stderr while a capture runs: the line that says `attached`, and on a terminal a line that is
//! written over itself.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::source::Backend;

/// The line changes this often.
const REFRESH: Duration = Duration::from_millis(500);

pub(super) struct Progress {
    terminal: bool,
    until: Option<Instant>,
    next: Instant,
    shown: bool,
}

impl Progress {
    /// Says that every probe is in place; scripts wait for this line.
    pub(super) fn begin(targets: &str, duration: Duration, backend: Backend) -> Self {
        let now = Instant::now();
        let mut stderr = std::io::stderr();
        let whole = Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        let length = humantime::format_duration(whole);
        let _ = writeln!(stderr, "attached to {targets} for {length}; Ctrl-C ends early and still reports");
        if backend.is_paid_by_all() {
            let name = backend.name();
            let _ = writeln!(
                stderr,
                "note: with the backend {name} every process on this host pays for the capture"
            );
        }
        Self { terminal: stderr.is_terminal(), until: now.checked_add(duration), next: now, shown: false }
    }

    pub(super) fn show(&mut self, requests: u64, lost: impl FnOnce() -> u64) {
        let now = Instant::now();
        if !self.terminal || now < self.next {
            return;
        }
        self.next = now + REFRESH;
        self.shown = true;
        let left = self.until.map_or(0, |until| until.saturating_duration_since(now).as_secs());
        // A terminal that went away must not end the capture.
        let _ = write!(std::io::stderr(), "\r\x1b[K{left} s left, {requests} requests, {} lost ", lost());
    }

    pub(super) fn end(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
