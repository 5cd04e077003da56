//! What the person asked for, validated: from here on nothing about it can be wrong usage.
//!
//! Pure: opens no file and resolves no name. Wrong usage is a [`UsageError`], exit code 2.

mod peer;
#[cfg(test)]
mod tests;

pub use peer::{Peer, PeerHost};

use crate::host::target::Selector;
use crate::source::Backend;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// How many bytes are copied in one direction of a connection until the direction turns, when nothing else is asked for:
/// longer than nearly all statements, answers and pipelines.
pub const CAPTURE_BYTES_DEFAULT: u32 = 1 << 20;

/// What may be asked for. Below, many statements are cut; above, one transfer could fill the ring buffer.
pub const CAPTURE_BYTES_RANGE: RangeInclusive<i64> = 1024..=4_194_304;

/// A thread or process name has at most 15 bytes: `TASK_COMM_LEN` is 16 with the NUL (`include/linux/sched.h`).
const COMM_BYTES: usize = 15;

/// Shorter beginnings of container ids meet several containers by chance.
const CONTAINER_DIGITS: usize = 4;

/// Wrong usage: one sentence, with the remedy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Not a length of time.
    #[error("not a length of time; write it like 250ms, 30s, 1m30s")]
    Duration,
    /// Zero time.
    #[error("must be longer than zero")]
    ZeroDuration,
    /// An empty value.
    #[error("must not be empty")]
    Empty,
    /// No process can have this name.
    #[error(
        "longer than the {COMM_BYTES} bytes that the kernel keeps of a name; `ps -o comm` shows the kept part"
    )]
    CommTooLong,
    /// Not the beginning of a container id.
    #[error(
        "not a container id; give at least {CONTAINER_DIGITS} of its hexadecimal digits (a container's name is not known to the kernel: `docker ps` shows the id)"
    )]
    Container,
    /// Not a peer.
    #[error("not a peer; write HOST, HOST:PORT, [IPv6]:PORT or the /path of a Unix socket")]
    Peer,
    /// No selector at all.
    #[error("no target; name a PID, or use --comm, --exe, --container or --cgroup")]
    NoTarget,
    /// A control group that is not absolute.
    #[error(
        "control group `{0}` is not an absolute path; write it as /proc/PID/cgroup shows it, or with /sys/fs/cgroup before it"
    )]
    Cgroup(String),
}

/// Where the report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// This file, completely or not at all.
    File(PathBuf),
}

/// The arguments of `dbtap attach` as given, one field for each.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "AttachConfig documents what each means")]
pub struct AttachRequest {
    pub pids: Vec<u32>,
    pub comms: Vec<String>,
    pub exes: Vec<PathBuf>,
    pub containers: Vec<String>,
    pub cgroups: Vec<PathBuf>,
    pub follow: bool,
    pub protocols: Vec<String>,
    pub peers: Vec<Peer>,
    pub duration: Duration,
    pub slow: Option<Duration>,
    pub capture_bytes: u32,
    pub backend: Option<Backend>,
    pub format: String,
    pub show_values: bool,
    pub output: Option<PathBuf>,
}

/// A capture to be made, valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachConfig {
    /// Which processes; at least one selector, none twice.
    pub selectors: Vec<Selector>,
    /// Trace children of the targets too.
    pub follow: bool,
    /// Names of [`crate::proto::REGISTRY`]; empty: all.
    pub protocols: Vec<String>,
    /// Only connections with one of these peers; empty: all.
    pub peers: Vec<Peer>,
    /// Length of the capture, longer than zero.
    pub duration: Duration,
    /// From which latency on a request counts as slow; `None`: found for each statement.
    pub slow: Option<Duration>,
    /// Bytes copied in one direction of a connection until the direction turns.
    pub capture_bytes: u32,
    /// The way to see traffic; `None`: the best one that this kernel allows.
    pub backend: Option<Backend>,
    /// A name of [`crate::report::OUTPUTS`].
    pub format: String,
    /// Literals and bind values are kept for the report, and shown.
    pub show_values: bool,
    /// Where the report goes.
    pub destination: Destination,
}

impl AttachConfig {
    /// Validates.
    ///
    /// # Errors
    /// What no single argument shows: see [`UsageError`].
    pub fn new(request: AttachRequest) -> Result<Self, UsageError> {
        let mut selectors: Vec<Selector> = request.pids.into_iter().map(Selector::Pid).collect();
        selectors.extend(request.comms.into_iter().map(Selector::Comm));
        selectors.extend(request.exes.into_iter().map(Selector::Exe));
        selectors.extend(request.containers.into_iter().map(Selector::Container));
        for path in request.cgroups {
            if !path.is_absolute() {
                return Err(UsageError::Cgroup(path.display().to_string()));
            }
            selectors.push(Selector::Cgroup(path));
        }
        if selectors.is_empty() {
            return Err(UsageError::NoTarget);
        }
        let mut protocols = request.protocols;
        without_repeats(&mut selectors);
        without_repeats(&mut protocols);
        let destination = match request.output {
            Some(path) if path.as_os_str() != "-" => Destination::File(path),
            _ => Destination::Stdout,
        };
        Ok(Self {
            selectors,
            follow: request.follow,
            protocols,
            peers: request.peers,
            duration: request.duration,
            slow: request.slow,
            capture_bytes: request.capture_bytes,
            backend: request.backend,
            format: request.format,
            show_values: request.show_values,
            destination,
        })
    }
}

/// Keeps the first of equal values, in order.
fn without_repeats<T: PartialEq + Clone>(list: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    for value in list.drain(..) {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    *list = kept;
}

/// A length of time as people write it: `250ms`, `30s`, `1m30s`.
///
/// # Errors
/// [`UsageError::Duration`], [`UsageError::ZeroDuration`].
pub fn parse_duration(text: &str) -> Result<Duration, UsageError> {
    let duration = humantime::parse_duration(text).map_err(|_| UsageError::Duration)?;
    if duration.is_zero() {
        return Err(UsageError::ZeroDuration);
    }
    // Nanoseconds must fit the 64 bits of `time::Nanos`.
    u64::try_from(duration.as_nanos()).map_err(|_| UsageError::Duration)?;
    Ok(duration)
}

/// A process name that the kernel can hold.
///
/// # Errors
/// [`UsageError::Empty`], [`UsageError::CommTooLong`].
pub fn parse_comm(text: &str) -> Result<String, UsageError> {
    match text.len() {
        0 => Err(UsageError::Empty),
        1..=COMM_BYTES => Ok(text.to_owned()),
        _ => Err(UsageError::CommTooLong),
    }
}

/// The beginning of a container id, in small letters.
///
/// # Errors
/// [`UsageError::Container`].
pub fn parse_container(text: &str) -> Result<String, UsageError> {
    // Kubernetes shows ids as `containerd://ID`.
    let id = text.rsplit_once("://").map_or(text, |(_, id)| id);
    if id.len() < CONTAINER_DIGITS || id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(UsageError::Container);
    }
    Ok(id.to_ascii_lowercase())
}
