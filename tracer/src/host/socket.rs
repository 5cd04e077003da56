//! The sockets that a process holds now: found by its file descriptors, described by the kernel's own lists.
//!
//! TCP from `/proc/PID/net/tcp` and `tcp6`, which show the process's network namespace. Unix-domain sockets from socket
//! diagnostics (sock_diag(7)): nothing else tells the path of the other end.

mod diag;
mod tables;
#[cfg(test)]
mod tests;

use super::process::{ProcessError, bracketed, namespace, path_of, read_error};
use crate::event::{Address, SocketFacts, SocketId};
use diag::UnixSocket;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
pub use tables::State;

/// A socket that a process holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSocket {
    /// Ends, inode, namespace; `opened_before` is true.
    pub facts: SocketFacts,
    /// What the connection does.
    pub state: State,
    /// Its identity for the kernel programs, where the kernel's lists tell it (Unix-domain sockets).
    pub id: Option<SocketId>,
}

/// The sockets of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenSockets {
    /// TCP and Unix-domain stream sockets, by inode; one that several descriptors share appears once (case 55).
    pub sockets: Vec<OpenSocket>,
    /// Sockets of other kinds (UDP, netlink, ...), not bound yet, or of another network namespace than the process's own.
    pub unlisted: usize,
}

/// The sockets of one process.
///
/// # Errors
/// [`ProcessError`]: it does not run, or may not be looked at.
pub fn open_sockets(pid: u32) -> Result<OpenSockets, ProcessError> {
    open_sockets_of(&[pid]).remove(&pid).unwrap_or(Err(ProcessError::NotFound(pid)))
}

/// May the sockets of the process be listed?
///
/// # Errors
/// [`ProcessError`]: it does not run, or may not be looked at.
pub fn may_be_listed(pid: u32) -> Result<(), ProcessError> {
    namespace(pid, "net")?;
    socket_inodes(pid).map(drop)
}

/// The sockets of many processes, with one look at the lists of each network namespace that they are in.
pub fn open_sockets_of(pids: &[u32]) -> BTreeMap<u32, Result<OpenSockets, ProcessError>> {
    let mut answers = BTreeMap::new();
    let mut by_namespace: BTreeMap<u32, Vec<(u32, BTreeSet<u64>)>> = BTreeMap::new();
    for pid in pids.iter().copied().collect::<BTreeSet<_>>() {
        match socket_inodes(pid).and_then(|inodes| Ok((namespace(pid, "net")?, inodes))) {
            Ok((netns, inodes)) => by_namespace.entry(netns).or_default().push((pid, inodes)),
            Err(error) => {
                answers.insert(pid, Err(error));
            }
        }
    }
    let own_netns = namespace(std::process::id(), "net").ok();
    for (netns, holders) in by_namespace {
        let wanted: HashSet<u64> = holders.iter().flat_map(|(_, inodes)| inodes.iter().copied()).collect();
        let members: Vec<u32> = holders.iter().map(|(pid, _)| *pid).collect();
        let known = if wanted.is_empty() {
            HashMap::new()
        } else {
            describe(netns, own_netns == Some(netns), &members, &wanted)
        };
        for (pid, inodes) in holders {
            let sockets: Vec<OpenSocket> =
                inodes.iter().filter_map(|inode| known.get(inode).cloned()).collect();
            let unlisted = inodes.len() - sockets.len();
            answers.insert(pid, Ok(OpenSockets { sockets, unlisted }));
        }
    }
    answers
}

/// Inodes of the sockets among the file descriptors of a process.
fn socket_inodes(pid: u32) -> Result<BTreeSet<u64>, ProcessError> {
    let folder = path_of(pid, "fd");
    let mut inodes = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).map_err(|source| read_error(pid, &folder, source))? {
        let entry = entry.map_err(|source| read_error(pid, &folder, source))?;
        // A descriptor that is closed meanwhile is no error.
        let Ok(link) = std::fs::read_link(entry.path()) else { continue };
        inodes.extend(link.to_str().and_then(|link| bracketed(link, "socket")));
    }
    Ok(inodes)
}

/// What the lists of a network namespace say of the wanted inodes. `members`: processes in it; one of them must
/// still run for the lists to be readable.
fn describe(netns: u32, is_own: bool, members: &[u32], wanted: &HashSet<u64>) -> HashMap<u64, OpenSocket> {
    let mut known = HashMap::new();
    let mut add = |inode: u64, local: Address, peer: Address, state: State, id: Option<SocketId>| {
        let facts = SocketFacts { local, peer, inode, netns, opened_before: true };
        known.insert(inode, OpenSocket { facts, state, id });
    };
    let open = |table: &str| members.iter().find_map(|pid| File::open(path_of(*pid, table)).ok());
    for table in ["net/tcp", "net/tcp6"] {
        let Some(file) = open(table) else { continue };
        for row in tables::tcp(BufReader::with_capacity(1 << 16, file), wanted) {
            add(row.inode, Address::Inet(row.local), Address::Inet(row.peer), row.state, None);
        }
    }
    let here = if is_own { None } else { open("ns/net") };
    let listed = if is_own || here.is_some() { diag::unix_sockets(here.as_ref()).ok() } else { None };
    let Some(listed) = listed else {
        // No socket diagnostics: the own path is still known, the other end is not.
        let Some(file) = open("net/unix") else { return known };
        for (inode, state, path) in tables::unix(BufReader::new(file), wanted) {
            add(inode, Address::Unix(path), Address::Unix(Vec::new()), state, None);
        }
        return known;
    };
    let held: Vec<&UnixSocket> =
        listed.iter().filter(|socket| wanted.contains(&u64::from(socket.inode))).collect();
    let mut peers = Peers::default();
    peers.learn(&listed);
    // Unix sockets connect across network namespaces; a server on the host is then in the list of ours.
    let connected = |socket: &&UnixSocket| socket.state == State::Established;
    let elsewhere = match held.iter().copied().filter(connected).any(|socket| peers.name(socket).is_none()) {
        true if !is_own => diag::unix_sockets(None).unwrap_or_default(),
        _ => Vec::new(),
    };
    peers.learn(&elsewhere);
    for socket in held {
        let peer = Address::Unix(peers.name(socket).unwrap_or_default().to_vec());
        let local = Address::Unix(socket.name.clone());
        add(u64::from(socket.inode), local, peer, socket.state, Some(SocketId(socket.cookie)));
    }
    known
}

/// The names of other ends, by inode.
#[derive(Default)]
struct Peers<'a> {
    names: HashMap<u32, &'a [u8]>,
    /// By the inode of the client: the name of the server that has not accepted it yet.
    waiting: HashMap<u32, &'a [u8]>,
}

impl<'a> Peers<'a> {
    fn learn(&mut self, sockets: &'a [UnixSocket]) {
        for socket in sockets {
            self.names.entry(socket.inode).or_insert(&socket.name);
            for client in &socket.waiting {
                self.waiting.entry(*client).or_insert(&socket.name);
            }
        }
    }

    /// `None`: nothing is known of the other end.
    fn name(&self, socket: &UnixSocket) -> Option<&'a [u8]> {
        match socket.peer {
            Some(peer) => self.names.get(&peer).copied(),
            None => self.waiting.get(&socket.inode).copied(),
        }
    }
}
