//! What the kernel side saw, decoded and in order. Pure: bytes in, events out.

mod decode;
pub mod order;

pub use decode::decode;

use crate::{request::Task, time::Nanos};

/// Identity of a socket: the kernel's socket cookie. Never reused while the host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// An address of one end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// TCP over IPv4 or IPv6; IPv4-mapped IPv6 addresses appear as IPv4.
    Inet(std::net::SocketAddr),
    /// Unix-domain stream socket: raw path as bound; a leading NUL is an abstract name. Empty: unnamed.
    Unix(Vec<u8>),
}

/// Facts of a connection that its bytes do not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFacts {
    /// This end.
    pub local: Address,
    /// The other end.
    pub peer: Address,
    /// Inode number of the socket, as `/proc/PID/fd` shows it. 0: unknown.
    pub inode: u64,
    /// Inode number of its network namespace. 0: unknown.
    pub netns: u32,
    /// It was open when the capture began.
    pub opened_before: bool,
}

/// A piece of one direction's byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// On which socket.
    pub socket: SocketId,
    /// When the call that moved it was complete.
    pub at: Nanos,
    /// Which thread made the call.
    pub task: Task,
    /// True: the process sent. False: it received.
    pub sent: bool,
    /// Bytes that moved in this direction before this piece, since the first transfer seen.
    pub position: u64,
    /// The captured beginning of the piece.
    pub bytes: &'a [u8],
    /// Bytes of the piece behind them that were not captured.
    pub skipped: u64,
    /// The last piece of its call.
    pub ends_transfer: bool,
    /// The user memory could not be found or read.
    pub unreadable: bool,
}

impl Transfer<'_> {
    /// Length on the wire.
    pub fn len(&self) -> u64 {
        (self.bytes.len() as u64).saturating_add(self.skipped)
    }
    /// True when nothing moved.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer sent its last byte, and the process has read it.
    PeerClosed,
    /// A call failed with this errno.
    Failed {
        /// Positive, as in errno(3).
        errno: u32,
    },
    /// The kernel took the socket out of the connected states: closed here, or reset.
    Closed,
}

/// What happened to a target process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessChange {
    /// It is a new child of a target.
    Forked {
        /// Process id of the target.
        parent: u32,
    },
    /// It runs another program now.
    Executed,
    /// Its last thread ended.
    Exited,
}

/// One decoded record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Bytes moved.
    Transfer(Transfer<'a>),
    /// A socket's facts, before its first transfer.
    Facts(SocketId, SocketFacts),
    /// A connection's end.
    SocketEnd {
        /// On which socket.
        socket: SocketId,
        /// When.
        at: Nanos,
        /// Why.
        reason: End,
    },
    /// A change of the set of targets.
    Process {
        /// Process id.
        pid: u32,
        /// When.
        at: Nanos,
        /// What.
        change: ProcessChange,
    },
}
