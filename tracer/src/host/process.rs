//! One process, as `/proc/PID` shows it (proc_pid_stat(5)).

use super::printable;
use rustix::io::Errno;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// `PF_KTHREAD` (`include/linux/sched.h`): the task is a kernel thread.
const PF_KTHREAD: u64 = 0x0020_0000;

/// No file read here is longer in honest use; `/proc` files of a hostile process must not fill the memory.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What the kernel appends to the path of a file that has no name any more.
const DELETED: &str = " (deleted)";

/// Why a process cannot be looked at. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// No process has this number.
    #[error(
        "there is no process {0}; `ps -e` lists those that run (inside a container a process has another number than on the host)"
    )]
    NotFound(u32),
    /// It is a thread of a process.
    #[error("{tid} is a thread of process {pid}; use {pid}")]
    Thread {
        /// The number as given.
        tid: u32,
        /// The process that the thread belongs to.
        pid: u32,
    },
    /// It is a part of the kernel.
    #[error("process {pid} ({name}) is a kernel thread, which sends no database requests; choose another process", name = printable(comm.as_bytes()))]
    KernelThread {
        /// The number as given.
        pid: u32,
        /// Its name.
        comm: String,
    },
    /// It has ended and waits for its parent.
    #[error("process {pid} ({name}) has ended and only waits for its parent to notice (zombie); choose a running one", name = printable(comm.as_bytes()))]
    Zombie {
        /// The number as given.
        pid: u32,
        /// Its name.
        comm: String,
    },
    /// The system forbids it.
    #[error(
        "not allowed to look at process {0}; run dbtap as root with sudo (where root is refused too, a security module such as SELinux or AppArmor forbids it)"
    )]
    Permission(u32),
    /// Something else went wrong with a file of `/proc`.
    #[error("cannot read {path}: {source}; check that /proc is mounted and complete", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of `/proc` reads unlike any kernel's.
    #[error("{path} does not read as expected; report the kernel version to the dbtap project", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// A user process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id, in the pid namespace of the mounted `/proc`.
    pub pid: u32,
    /// Its parent.
    pub parent_pid: u32,
    /// Name, at most 15 bytes, chosen by the process. Raw: outputs make it safe for a terminal.
    pub comm: String,
    /// Its program file; `None` where the system forbids to see it, which does not hinder observing its sockets.
    pub exe: Option<Exe>,
    /// When it started, in clock ticks since boot. With the pid, its identity: a later process of the same pid differs.
    pub start_time_ticks: u64,
    /// Number of threads.
    pub threads: u32,
    /// Text of `/proc/PID/cgroup`.
    pub cgroups: String,
}

impl Process {
    /// Reads a process.
    ///
    /// # Errors
    /// [`ProcessError`]; a process that ends meanwhile is [`ProcessError::NotFound`].
    pub fn read(pid: u32) -> Result<Self, ProcessError> {
        let stat = Stat::read(pid)?;
        let tgid = status_number(&file(pid, "status")?, "Tgid");
        if let Some(owner) = tgid.filter(|owner| *owner != u64::from(pid)) {
            return Err(ProcessError::Thread { tid: pid, pid: u32::try_from(owner).unwrap_or(0) });
        }
        Self::complete(stat)
    }

    /// Reads what [`Stat`] does not have.
    pub(super) fn complete(stat: Stat) -> Result<Self, ProcessError> {
        let Stat { pid, comm, .. } = stat;
        if stat.kernel_thread {
            return Err(ProcessError::KernelThread { pid, comm });
        }
        if stat.ended {
            return Err(ProcessError::Zombie { pid, comm });
        }
        let exe = match exe(pid) {
            Err(ProcessError::Permission(_)) => None,
            exe => Some(exe?),
        };
        let cgroups = file(pid, "cgroup")?;
        // Between the two reads the pid may have passed to another process.
        let now = Stat::read(pid)?;
        if now.start_time_ticks != stat.start_time_ticks {
            return Err(ProcessError::NotFound(pid));
        }
        Ok(Self {
            pid,
            parent_pid: stat.parent_pid,
            comm,
            exe,
            start_time_ticks: stat.start_time_ticks,
            threads: stat.threads,
            cgroups,
        })
    }

    /// Is this very process still running? False for an ended one, a zombie, and a later process of the same pid (case 65).
    pub fn is_running(&self) -> bool {
        Stat::read(self.pid).is_ok_and(|now| now.start_time_ticks == self.start_time_ticks && !now.ended)
    }

    /// Id of the innermost container that it runs in.
    pub fn container_id(&self) -> Option<&str> {
        super::cgroup::container_ids(&self.cgroups).first().copied()
    }
}

/// The few words of `/proc/PID/stat` that are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: u32,
    pub(super) comm: String,
    pub(super) parent_pid: u32,
    pub(super) start_time_ticks: u64,
    pub(super) threads: u32,
    /// Zombie or dead.
    pub(super) ended: bool,
    pub(super) kernel_thread: bool,
}

impl Stat {
    pub(super) fn read(pid: u32) -> Result<Self, ProcessError> {
        let path = path_of(pid, "stat");
        let text = bytes(pid, "stat")?;
        Self::parse(&text).filter(|stat| stat.pid == pid).ok_or(ProcessError::Malformed { path })
    }

    /// `pid (comm) state ppid ...`. The name may hold spaces, parentheses and line ends, so the last `)` ends it.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let open = text.iter().position(|byte| *byte == b'(')?;
        let close = text.iter().rposition(|byte| *byte == b')')?;
        let pid = std::str::from_utf8(text.get(..open)?).ok()?.trim().parse().ok()?;
        let comm = String::from_utf8_lossy(text.get(open + 1..close)?).into_owned();
        let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        // proc_pid_stat(5) counts from 1 and the words here begin with field 3.
        let field = |number: usize| words.get(number - 3).copied();
        Some(Self {
            pid,
            comm,
            parent_pid: field(4)?.parse().ok()?,
            start_time_ticks: field(22)?.parse().ok()?,
            threads: field(20)?.parse().ok()?,
            ended: matches!(field(3)?, "Z" | "X" | "x"),
            kernel_thread: field(9)?.parse::<u64>().ok()? & PF_KTHREAD != 0,
        })
    }
}

/// The program file of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exe {
    /// As the process's own mount namespace names it.
    pub path: PathBuf,
    /// It was removed or replaced since the process started.
    pub deleted: bool,
    /// Device and inode number.
    pub id: (u64, u64),
}

pub(super) fn exe(pid: u32) -> Result<Exe, ProcessError> {
    let link = path_of(pid, "exe");
    let path = std::fs::read_link(&link).map_err(|source| read_error(pid, &link, source))?;
    // Follows the link to the file itself, whatever its path means here.
    let file = std::fs::metadata(&link).map_err(|source| read_error(pid, &link, source))?;
    let (path, deleted) = without_deleted(path, file.nlink() == 0);
    Ok(Exe { path, deleted, id: (file.dev(), file.ino()) })
}

/// Inode number of a namespace of a process, `kind` as in `/proc/PID/ns`: `net`, `pid`, ...
///
/// # Errors
/// [`ProcessError`].
pub fn namespace(pid: u32, kind: &str) -> Result<u32, ProcessError> {
    let path = path_of(pid, "ns").join(kind);
    let link = std::fs::read_link(&path).map_err(|source| read_error(pid, &path, source))?;
    let number =
        link.to_str().and_then(|text| bracketed(text, kind)).and_then(|number| u32::try_from(number).ok());
    number.ok_or(ProcessError::Malformed { path })
}

/// N of `kind:[N]`, the form of links to things without a name.
pub(super) fn bracketed(link: &str, kind: &str) -> Option<u64> {
    link.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

/// The number behind `Name:` in a `/proc/PID/status` text, its unit left out.
pub(super) fn status_number(text: &str, name: &str) -> Option<u64> {
    status_word(text, name)?.parse().ok()
}

/// The first word behind `Name:` in a `/proc/PID/status` text.
pub(super) fn status_word<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_ascii_whitespace().next()
}

/// A text file of `/proc/PID`.
pub(super) fn file(pid: u32, name: &str) -> Result<String, ProcessError> {
    Ok(String::from_utf8_lossy(&bytes(pid, name)?).into_owned())
}

pub(super) fn path_of(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

/// The error of a `/proc/PID` file in terms of the process.
pub(super) fn read_error(pid: u32, path: &Path, source: io::Error) -> ProcessError {
    match Errno::from_io_error(&source) {
        Some(Errno::NOENT | Errno::SRCH) => ProcessError::NotFound(pid),
        Some(Errno::ACCESS | Errno::PERM) => ProcessError::Permission(pid),
        _ => ProcessError::Read { path: path.to_owned(), source },
    }
}

fn bytes(pid: u32, name: &str) -> Result<Vec<u8>, ProcessError> {
    let path = path_of(pid, name);
    let mut text = Vec::new();
    let read = std::fs::File::open(&path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut text));
    read.map_err(|source| read_error(pid, &path, source))?;
    Ok(text)
}

/// The path without the kernel's mark. A file that still has a name may really be called so.
fn without_deleted(exe: PathBuf, unlinked: bool) -> (PathBuf, bool) {
    let bare = exe.to_str().and_then(|text| text.strip_suffix(DELETED)).map(PathBuf::from);
    match bare {
        Some(bare) if unlinked => (bare, true),
        _ => (exe, false),
    }
}
