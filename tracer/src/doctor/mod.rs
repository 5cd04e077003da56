//! `dbtap doctor`: what this host and a process allow, each "no" with its remedy. Changes nothing.
//!
//! Facts are gathered by [`crate::host`], and by trying the backends (`trials`); what follows from them (`checks`,
//! [`connections`]) and how it is shown ([`render`]) is pure.

mod backends;
pub mod checks;
pub mod connections;
mod layout;
#[cfg(test)]
mod tests;
mod trials;

use crate::host::kernel::Kernel;
use crate::host::process::{Process, ProcessError};
use crate::host::socket::{OpenSockets, open_sockets};
use crate::host::{libraries, printable};
use connections::Group;
use std::collections::BTreeSet;

/// The answer to one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As needed.
    Yes,
    /// Stands in the way; the check has a remedy.
    No,
    /// Worth knowing, and neither.
    Note,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word or two.
    pub name: &'static str,
    /// The answer.
    pub verdict: Verdict,
    /// What was found. Raw: [`render`] makes it safe for a terminal.
    pub found: String,
    /// What to do; of every "no", and of no other.
    pub remedy: Option<String>,
}

/// Everything that doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The process asked about.
    pub pid: Option<u32>,
    /// Checks, in the order in which they are worth reading.
    pub checks: Vec<Check>,
    /// The connections of the process.
    pub connections: Vec<Group>,
}

impl Diagnosis {
    /// Nothing stands in the way of `dbtap attach`. Exit code 0, otherwise 1.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.verdict != Verdict::No)
    }
}

/// What was learned of a process.
pub struct ProcessFacts {
    /// Its description.
    pub process: Process,
    /// Its sockets.
    pub sockets: Result<OpenSockets, ProcessError>,
    /// File names of TLS libraries that it has loaded.
    pub tls_libraries: Result<BTreeSet<String>, ProcessError>,
}

impl ProcessFacts {
    /// Looks at a process.
    ///
    /// # Errors
    /// [`ProcessError`]: it is none that can be observed.
    pub fn read(pid: u32) -> Result<Self, ProcessError> {
        let process = Process::read(pid)?;
        Ok(Self { process, sockets: open_sockets(pid), tls_libraries: libraries::tls(pid) })
    }
}

/// Looks at this host, and at a process if one is given.
pub fn diagnose(pid: Option<u32>) -> Diagnosis {
    let kernel = Kernel::read();
    let mut checks = checks::of_host(&kernel, &trials::of_each());
    let mut groups = Vec::new();
    if let Some(pid) = pid {
        let facts = if pid == std::process::id() { None } else { Some(ProcessFacts::read(pid)) };
        checks.extend(checks::of_process(facts.as_ref(), kernel.capabilities));
        if let Some(Ok(ProcessFacts { sockets: Ok(open), .. })) = &facts {
            groups = connections::group(&open.sockets);
        }
    }
    Diagnosis { pid, checks, connections: groups }
}

/// The diagnosis as text: at most `columns` wide (never less than 40), ends with a line end, safe for a terminal.
pub fn render(diagnosis: &Diagnosis, columns: usize) -> String {
    let columns = columns.max(40);
    let mut text = String::new();
    for check in &diagnosis.checks {
        let mark = match check.verdict {
            Verdict::Yes => "yes",
            Verdict::No => "NO",
            Verdict::Note => "-",
        };
        let head = format!("{mark:<4} {:<16} ", check.name);
        layout::paragraph(&mut text, &head, &printable(check.found.as_bytes()), columns);
        if let Some(remedy) = &check.remedy {
            layout::paragraph(&mut text, &format!("{:21} ", "-> "), &printable(remedy.as_bytes()), columns);
        }
    }
    connections::render(&mut text, &diagnosis.connections, columns);
    let blocking = diagnosis.checks.iter().filter(|check| check.verdict == Verdict::No).count();
    let verdict = match (blocking, diagnosis.pid) {
        (0, Some(pid)) => format!("Ready: `dbtap attach {pid}` has everything that it needs."),
        (0, None) => "Ready: this host has everything that `dbtap attach` needs.".to_owned(),
        (1, _) => "Not ready: one check says no. Its remedy is beside it.".to_owned(),
        (count, _) => format!("Not ready: {count} checks say no. Their remedies are beside them."),
    };
    text.push('\n');
    layout::paragraph(&mut text, "", &verdict, columns);
    text
}
