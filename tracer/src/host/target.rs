//! Which processes a person means: selectors resolved to processes, and the children of those.
//!
//! Every call takes a fresh look, so it can be repeated: once the kernel side follows forks, [`descendants`] finds
//! the children that started between the first look and then.

use super::process::{self, Process, ProcessError, Stat};
use super::{cgroup, printable};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Most processes that one capture observes.
pub const MAX_TARGETS: usize = 1024;

/// Looks for new children that find no end: processes that fork faster than `/proc` can be read.
const MAX_ROUNDS: u32 = 8;

/// One way of naming processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// This process.
    Pid(u32),
    /// Every process of exactly this name.
    Comm(String),
    /// Every process that runs this file: the same inode, or the same path in its own mount namespace.
    Exe(PathBuf),
    /// Every process in the container whose id begins so.
    Container(String),
    /// Every process in this control group or below it.
    Cgroup(PathBuf),
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = |path: &Path| printable(path.as_os_str().as_encoded_bytes());
        match self {
            Self::Pid(pid) => write!(f, "pid {pid}"),
            Self::Comm(name) => write!(f, "--comm {}", printable(name.as_bytes())),
            Self::Exe(exe) => write!(f, "--exe {}", path(exe)),
            Self::Container(id) => write!(f, "--container {id}"),
            Self::Cgroup(group) => write!(f, "--cgroup {}", path(group)),
        }
    }
}

/// Why the targets cannot be had. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A process that was named cannot be looked at.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// dbtap itself was named.
    #[error("process {0} is dbtap itself; choose the process whose database requests are slow")]
    OwnProcess(u32),
    /// A selector that no process fits.
    #[error("no process matches {0}; {remedy}", remedy = remedy(.0))]
    NoMatch(Selector),
    /// A selector that no readable process fits, while others were not readable.
    #[error(
        "no process that dbtap may look at matches {selector}, and {hidden} could not be looked at; run dbtap as root with sudo"
    )]
    Hidden {
        /// The selector.
        selector: Selector,
        /// How many processes could not be looked at.
        hidden: usize,
    },
    /// The beginning of an id that several containers share.
    #[error("{count} running containers have an id that begins with {prefix}; give more of its digits")]
    AmbiguousContainer {
        /// As given.
        prefix: String,
        /// How many have it.
        count: usize,
    },
    /// Too many.
    #[error(
        "{found} processes match, and dbtap observes at most {MAX_TARGETS} at once; name fewer, or leave out their children with --no-follow"
    )]
    TooMany {
        /// How many match.
        found: usize,
    },
    /// `/proc` itself cannot be listed.
    #[error("cannot list /proc: {0}; check that it is mounted")]
    Proc(io::Error),
}

fn remedy(selector: &Selector) -> &'static str {
    match selector {
        Selector::Pid(_) => "`ps -e` lists those that run",
        Selector::Comm(_) => "`ps -e -o pid,comm` shows the names (exact, at most 15 bytes)",
        Selector::Exe(_) => {
            "`ls -l /proc/PID/exe` shows the program file of a process; scripts run their interpreter"
        }
        Selector::Container(_) => {
            "`docker ps`, `podman ps` or `crictl ps` shows the ids of those that run on this host"
        }
        Selector::Cgroup(_) => {
            "`cat /proc/PID/cgroup` shows the group of a process, `systemd-cgls` all of them"
        }
    }
}

/// The processes that the selectors name, with their running descendants when `follow`; ordered by pid, none twice.
/// Never dbtap itself, kernel threads or zombies.
///
/// # Errors
/// [`TargetError`]. Each selector must name at least one process: a capture that silently observes less than
/// was asked for would mislead.
pub fn resolve(selectors: &[Selector], follow: bool) -> Result<Vec<Process>, TargetError> {
    let own = std::process::id();
    let mut found: BTreeMap<u32, Process> = BTreeMap::new();
    let by_pid = selectors.iter().filter_map(|selector| match selector {
        Selector::Pid(pid) => Some(*pid),
        _ => None,
    });
    for pid in by_pid {
        if pid == own {
            return Err(TargetError::OwnProcess(pid));
        }
        found.insert(pid, Process::read(pid)?);
    }
    let by_property: Vec<&Selector> = selectors.iter().filter(|s| !matches!(s, Selector::Pid(_))).collect();
    if !by_property.is_empty() {
        let mut all = all_stats()?;
        all.retain(|stat| stat.pid != own && !stat.ended && !stat.kernel_thread);
        for selector in by_property {
            let before = found.len();
            let matching = matching(selector, &all)?;
            let mut known = 0;
            for stat in matching {
                let pid = stat.pid;
                match Process::complete(stat) {
                    Ok(process) => {
                        known += usize::from(found.insert(pid, process).is_some());
                    }
                    // It ended between the two looks.
                    Err(ProcessError::NotFound(_) | ProcessError::Zombie { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if found.len() == before && known == 0 {
                return Err(TargetError::NoMatch(selector.clone()));
            }
        }
    }
    let found: Vec<Process> = found.into_values().collect();
    if follow { descendants(&found) } else { limited(found) }
}

/// The given processes and all their descendants that run now. Processes that have ended meanwhile stay in the
/// answer, and their pids, if used again, are not followed.
///
/// # Errors
/// [`TargetError::Proc`], [`TargetError::TooMany`].
pub fn descendants(of: &[Process]) -> Result<Vec<Process>, TargetError> {
    let own = std::process::id();
    let mut found: BTreeMap<u32, Process> = of.iter().map(|process| (process.pid, process.clone())).collect();
    for _ in 0..MAX_ROUNDS {
        let before = found.len();
        let stats = all_stats()?;
        let mut family: BTreeSet<u32> = stats
            .iter()
            .filter(|s| found.get(&s.pid).is_some_and(|p| p.start_time_ticks == s.start_time_ticks))
            .map(|s| s.pid)
            .collect();
        let mut children: BTreeMap<u32, Vec<&Stat>> = BTreeMap::new();
        for stat in &stats {
            children.entry(stat.parent_pid).or_default().push(stat);
        }
        let mut open: Vec<u32> = family.iter().copied().collect();
        while let Some(parent) = open.pop() {
            for child in children.get(&parent).into_iter().flatten() {
                // A zombie's children have another parent already.
                if child.pid == own || child.ended || child.kernel_thread || !family.insert(child.pid) {
                    continue;
                }
                open.push(child.pid);
                // One that ends right now, or that may not be looked at, cannot be observed anyway.
                if let Ok(process) = Process::complete((*child).clone()) {
                    found.insert(child.pid, process);
                }
            }
        }
        if found.len() > MAX_TARGETS {
            return Err(TargetError::TooMany { found: found.len() });
        }
        // Reading /proc takes time in which a target may fork; without news in a whole round, none was missed.
        if found.len() == before {
            break;
        }
    }
    limited(found.into_values().collect())
}

fn limited(found: Vec<Process>) -> Result<Vec<Process>, TargetError> {
    match found.len() {
        0..=MAX_TARGETS => Ok(found),
        found => Err(TargetError::TooMany { found }),
    }
}

/// Those of `all` that fit. Reads no more of a process than the selector needs.
fn matching(selector: &Selector, all: &[Stat]) -> Result<Vec<Stat>, TargetError> {
    let cgroups = |stat: &Stat| process::file(stat.pid, "cgroup").unwrap_or_default();
    let fitting =
        |fits: &mut dyn FnMut(&Stat) -> bool| all.iter().filter(|stat| fits(stat)).cloned().collect();
    Ok(match selector {
        Selector::Pid(pid) => fitting(&mut |stat| stat.pid == *pid),
        Selector::Comm(comm) => fitting(&mut |stat| stat.comm == *comm),
        Selector::Cgroup(group) => fitting(&mut |stat| cgroup::is_within(&cgroups(stat), group)),
        Selector::Container(prefix) => {
            in_container(prefix, all.iter().map(|stat| (stat, cgroups(stat))))?.into_iter().cloned().collect()
        }
        Selector::Exe(path) => {
            // The file need not exist here: a container's program has its path in the container.
            let wanted = std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
            let mut hidden = 0;
            let found: Vec<Stat> = fitting(&mut |stat| match process::exe(stat.pid) {
                Ok(exe) => Some(exe.id) == wanted || exe.path == *path,
                Err(ProcessError::Permission(_)) => {
                    hidden += 1;
                    false
                }
                Err(_) => false,
            });
            // Root may be kept from a process too, by a security module; then the sentence would be no help.
            if found.is_empty() && hidden > 0 && !rustix::process::geteuid().is_root() {
                return Err(TargetError::Hidden { selector: selector.clone(), hidden });
            }
            found
        }
    })
}

/// Those in the one container whose id begins with `prefix`, of processes with their `/proc/PID/cgroup` text.
fn in_container<T>(prefix: &str, all: impl Iterator<Item = (T, String)>) -> Result<Vec<T>, TargetError> {
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let mut inside = Vec::new();
    for (process, cgroups) in all {
        let fitting = cgroup::container_ids(&cgroups).into_iter().filter(|id| id.starts_with(prefix));
        let fitting: Vec<String> = fitting.map(str::to_owned).collect();
        if !fitting.is_empty() {
            inside.push(process);
        }
        ids.extend(fitting);
    }
    match ids.len() {
        0 | 1 => Ok(inside),
        count => Err(TargetError::AmbiguousContainer { prefix: prefix.to_owned(), count }),
    }
}

fn all_stats() -> Result<Vec<Stat>, TargetError> {
    let mut stats = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(TargetError::Proc)? {
        let name = entry.map_err(TargetError::Proc)?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        stats.extend(Stat::read(pid).ok());
    }
    Ok(stats)
}
