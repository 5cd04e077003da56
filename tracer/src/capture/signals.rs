//! Ctrl-C and SIGTERM: the first ends the capture and the report is still printed, the second ends dbtap at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::CaptureError;

/// Exit code after a second signal.
const AT_ONCE: i32 = 130;

pub(super) struct Signals(Arc<AtomicBool>);

impl Signals {
    pub(super) fn watch() -> Result<Self, CaptureError> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Order matters: the shut-down acts on a flag that an earlier signal has set.
            flag::register_conditional_shutdown(signal, AT_ONCE, Arc::clone(&interrupted))
                .and_then(|_| flag::register(signal, Arc::clone(&interrupted)))
                .map_err(|error| CaptureError::System { what: "watching for Ctrl-C", error })?;
        }
        Ok(Self(interrupted))
    }

    pub(super) fn interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
