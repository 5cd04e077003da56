//! What the kernel side saw, decoded and in order. Pure: bytes in, events out.

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
