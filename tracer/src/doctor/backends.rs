//! Which backend would run, and why not a better one. Pure.

use super::checks::{no, note, yes};
use super::{Check, Verdict};
use crate::source::{Backend, Trial};

/// What the last resort costs others: entry and exit of a call that no target makes, measured on Linux 6.18.
const COST_OF_SYSCALL: &str = "while a capture runs, every system call of every process on this host takes about 0.2 us longer (0.3 us in a target)";

const NOT_TRIED: &str = "see to what the lines above say, then ask again";

fn name(backend: Backend) -> &'static str {
    match backend {
        Backend::Socket => "socket backend",
        Backend::Fexit => "fexit backend",
        Backend::Syscall => "syscall backend",
    }
}

/// One check for each backend; the first that works is the one that `attach` takes.
pub(super) fn of(trials: &[(Backend, Trial)]) -> Vec<Check> {
    if let Some(reason) = shared(trials) {
        return vec![no("backend", format!("not tried: {reason}"), NOT_TRIED)];
    }
    let chosen = trials.iter().find(|(_, trial)| *trial == Trial::Works).map(|(backend, _)| *backend);
    let mut checks: Vec<Check> = trials
        .iter()
        .map(|(backend, trial)| match trial {
            Trial::Works if chosen == Some(*backend) => yes(name(*backend), works(*backend)),
            Trial::Works => note(name(*backend), "works too"),
            Trial::Refused(reason) => note(name(*backend), reason),
            Trial::Unknown(reason) => note(name(*backend), format!("not known: {reason}")),
        })
        .collect();
    if chosen.is_none() {
        checks.push(none(trials));
    }
    debug_assert!(checks.iter().filter(|check| check.verdict != Verdict::Note).count() == 1);
    checks
}

/// The reason why none could be tried.
fn shared(trials: &[(Backend, Trial)]) -> Option<&str> {
    let (_, Trial::Unknown(first)) = trials.first()? else { return None };
    trials
        .iter()
        .all(|(_, trial)| matches!(trial, Trial::Unknown(reason) if reason == first))
        .then_some(first.as_str())
}

fn works(backend: Backend) -> String {
    let works = "works: `dbtap attach` takes it";
    match backend {
        Backend::Socket | Backend::Fexit => works.to_owned(),
        Backend::Syscall => format!("{works}; {COST_OF_SYSCALL}"),
    }
}

fn none(trials: &[(Backend, Trial)]) -> Check {
    let unknown = trials.iter().any(|(_, trial)| matches!(trial, Trial::Unknown(_)));
    if unknown {
        return no("backend", "none could be tried to the end", NOT_TRIED);
    }
    let remedy = "use a host with Linux 5.10 or later whose kernel was built with tracepoints and BTF, as those of the \
                  distributions are; where this one was, report what the lines above say to the dbtap project";
    no("backend", "this kernel allows none of dbtap's ways to see socket traffic", remedy)
}
