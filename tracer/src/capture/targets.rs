//! The processes of a capture: found, put into the kernel's table, and followed until they end.
//!
//! A process id alone means nothing for long, so every entry is held against the start time that it had when found.

use std::collections::HashMap;

use super::CaptureError;
use crate::{
    config::AttachConfig,
    event::ProcessChange,
    host::{
        kernel::{Kernel, LOOKING},
        process::{Process, ProcessError},
        socket::{self, OpenSocket},
        target,
    },
    source::bpf::TargetTable,
    time::Nanos,
};

/// Rounds of looking for children that were forked while the table was filled.
const MOST_ROUNDS: usize = 8;
/// Ended processes kept for the report.
const MOST_KEPT: usize = 1024;

/// One process.
pub(super) struct Traced {
    pub process: Process,
    pub ended_at: Option<Nanos>,
}

/// All of them, by process id.
pub(super) struct Targets {
    traced: HashMap<u32, Traced>,
    ended: Vec<Traced>,
    follow: bool,
}

impl Targets {
    pub(super) fn resolve(config: &AttachConfig) -> Result<Self, CaptureError> {
        let found = target::resolve(&config.selectors, config.follow)?;
        let traced = found.into_iter().map(|process| (process.pid, Traced::new(process))).collect();
        Ok(Self { traced, ended: Vec::new(), follow: config.follow })
    }

    /// A process of another user shows its connections to the privileged only. Without them the report would take those that were
    /// open before for new ones.
    pub(super) fn check_visible(&self) -> Result<(), CaptureError> {
        let missing = Kernel::own_capabilities().missing(&LOOKING);
        if missing.is_empty() {
            // Where something else forbids it, such as a security module, the rest of the report is still worth having.
            return Ok(());
        }
        let mut pids: Vec<u32> = self.traced.keys().copied().collect();
        pids.sort_unstable();
        match pids
            .into_iter()
            .find(|pid| matches!(socket::may_be_listed(*pid), Err(ProcessError::Permission(_))))
        {
            Some(pid) => Err(CaptureError::Hidden { pid, missing: missing.join(" and ") }),
            None => Ok(()),
        }
    }

    /// Puts all of them into the table, and children that were forked meanwhile: from here on the kernel follows.
    pub(super) fn install(&mut self, table: &mut TargetTable) -> Result<(), CaptureError> {
        for _ in 0..MOST_ROUNDS {
            for traced in self.traced.values() {
                if !table.contains(traced.process.pid) && !table.insert(traced.process.pid, self.follow) {
                    return Err(CaptureError::TooManyTargets);
                }
            }
            // A process may have ended and its id passed on between finding it and here.
            self.traced.retain(|pid, traced| {
                let same = traced.process.is_running();
                if !same {
                    table.remove(*pid);
                }
                same
            });
            if !self.follow {
                break;
            }
            let known: Vec<Process> = self.traced.values().map(|traced| traced.process.clone()).collect();
            let mut new = target::descendants(&known)?;
            new.retain(|process| !self.traced.contains_key(&process.pid));
            if new.is_empty() {
                break;
            }
            self.traced.extend(new.into_iter().map(|process| (process.pid, Traced::new(process))));
        }
        if self.traced.is_empty() { Err(CaptureError::Gone) } else { Ok(()) }
    }

    /// What the kernel told of a target.
    pub(super) fn change(&mut self, (pid, at, change): (u32, Nanos, ProcessChange)) {
        match change {
            ProcessChange::Forked { .. } => {
                // A child that is gone already has nothing to be shown but its requests.
                if let Ok(process) = Process::read(pid) {
                    self.end(pid, at);
                    self.traced.insert(pid, Traced::new(process));
                }
            }
            ProcessChange::Executed => {
                if let Some(traced) = self.traced.get_mut(&pid)
                    && let Ok(process) = Process::read(pid)
                {
                    traced.process = process;
                }
            }
            ProcessChange::Exited => self.end(pid, at),
        }
    }

    /// Finds those whose end was not told: the record may have been lost.
    pub(super) fn check(&mut self, table: &TargetTable) {
        let gone: Vec<u32> = self.traced.keys().copied().filter(|pid| !table.contains(*pid)).collect();
        for pid in gone {
            self.end(pid, Nanos(0));
        }
    }

    fn end(&mut self, pid: u32, at: Nanos) {
        if let Some(mut traced) = self.traced.remove(&pid) {
            traced.ended_at = Some(at);
            if self.ended.len() < MOST_KEPT {
                self.ended.push(traced);
            }
        }
    }

    pub(super) fn any_left(&self) -> bool {
        !self.traced.is_empty()
    }

    /// Running and ended ones, by process id.
    pub(super) fn all(&self) -> Vec<&Traced> {
        let mut all: Vec<&Traced> = self.traced.values().chain(&self.ended).collect();
        all.sort_by_key(|traced| traced.process.pid);
        all
    }

    /// Sockets that they have now.
    pub(super) fn sockets(&self) -> Vec<OpenSocket> {
        let pids: Vec<u32> = self.traced.keys().copied().collect();
        // A process that ends meanwhile, or hides its descriptors, only leaves `opened_before` unknown.
        let found = socket::open_sockets_of(&pids).into_values().filter_map(Result::ok);
        found.flat_map(|sockets| sockets.sockets).collect()
    }

    /// For the line that says `attached`.
    pub(super) fn describe(&self) -> String {
        let all = self.all();
        match all.as_slice() {
            [one] => {
                format!("pid {} ({})", one.process.pid, crate::host::printable(one.process.comm.as_bytes()))
            }
            several => format!("{} processes", several.len()),
        }
    }
}

impl Traced {
    fn new(process: Process) -> Self {
        Self { process, ended_at: None }
    }
}
