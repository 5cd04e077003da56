//! Two connected stream sockets of every kind that is traced.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::{
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener, UnixStream},
    },
    sync::atomic::{AtomicU32, Ordering},
};

use tracer::event::SocketId;

use super::alone::{Alone, alone};

/// How two sockets are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TCP over 127.0.0.1.
    Tcp4,
    /// TCP over `::1`.
    Tcp6,
    /// IPv4 through an IPv6 socket, address `::ffff:127.0.0.1`.
    TcpMapped,
    /// `socketpair(2)`, without names.
    UnixPair,
    /// A Unix socket bound to a path.
    UnixPath,
    /// A Unix socket bound to an abstract name.
    UnixAbstract,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Tcp4, Self::Tcp6, Self::TcpMapped, Self::UnixPair, Self::UnixPath, Self::UnixAbstract];

    /// True for the kinds over TCP.
    pub fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp4 | Self::Tcp6 | Self::TcpMapped)
    }
}

/// Two ends of a connection. `here` connected, `there` accepted.
#[derive(Debug)]
pub struct Pair {
    /// How they are connected.
    pub kind: Kind,
    /// The end that asked for the connection.
    pub here: OwnedFd,
    /// The end that accepted it.
    pub there: OwnedFd,
    /// What the listener was bound to, for a Unix socket with a name.
    pub name: Vec<u8>,
    _dir: Option<tempfile::TempDir>,
    _alone: Alone,
}

impl Pair {
    /// Connects two sockets, whose cookies exist from then on: a backend without the helper that makes them uses its own
    /// numbers for the others.
    pub fn new(kind: Kind) -> Self {
        let pair = Self::connected(kind);
        let (here, there) = pair.fds();
        socket_id(here);
        socket_id(there);
        pair
    }

    /// Connects two sockets whose cookies nobody has asked for.
    pub fn connected(kind: Kind) -> Self {
        let alone = alone();
        match kind {
            Kind::Tcp4 => Self::tcp(kind, "127.0.0.1:0", "127.0.0.1", alone),
            Kind::Tcp6 => Self::tcp(kind, "[::1]:0", "::1", alone),
            // A listener on `::` also takes IPv4 connections (net.ipv6.bindv6only is 0 by default).
            Kind::TcpMapped => Self::tcp(kind, "[::]:0", "::ffff:127.0.0.1", alone),
            Kind::UnixPair => {
                let (here, there) = UnixStream::pair().unwrap();
                Self {
                    kind,
                    here: here.into(),
                    there: there.into(),
                    name: Vec::new(),
                    _dir: None,
                    _alone: alone,
                }
            }
            Kind::UnixPath => {
                let dir = tempfile::Builder::new().prefix("dbtap-test-").tempdir().unwrap();
                let path = dir.path().join("socket");
                let address = SocketAddr::from_pathname(&path).unwrap();
                let name = path.into_os_string().into_encoded_bytes();
                Self::unix(kind, &address, name, Some(dir), alone)
            }
            Kind::UnixAbstract => {
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let name = format!("dbtap-test-{}-{number}", std::process::id()).into_bytes();
                let address = SocketAddr::from_abstract_name(&name).unwrap();
                Self::unix(kind, &address, [&[0], name.as_slice()].concat(), None, alone)
            }
        }
    }

    /// One of each kind.
    pub fn of_all_kinds() -> Vec<Self> {
        Kind::ALL.map(Self::new).into()
    }

    fn tcp(kind: Kind, bind: &str, host: &str, alone: Alone) -> Self {
        let listener = TcpListener::bind(bind).unwrap();
        let here = TcpStream::connect((host, listener.local_addr().unwrap().port())).unwrap();
        let (there, _) = listener.accept().unwrap();
        Self { kind, here: here.into(), there: there.into(), name: Vec::new(), _dir: None, _alone: alone }
    }

    fn unix(
        kind: Kind,
        address: &SocketAddr,
        name: Vec<u8>,
        dir: Option<tempfile::TempDir>,
        alone: Alone,
    ) -> Self {
        let listener = UnixListener::bind_addr(address).unwrap();
        let here = UnixStream::connect_addr(address).unwrap();
        let (there, _) = listener.accept().unwrap();
        Self { kind, here: here.into(), there: there.into(), name, _dir: dir, _alone: alone }
    }

    /// Descriptor numbers of both ends.
    pub fn fds(&self) -> (RawFd, RawFd) {
        (self.here.as_raw_fd(), self.there.as_raw_fd())
    }

    /// Identity of this end.
    pub fn id(&self) -> SocketId {
        socket_id(self.here.as_raw_fd())
    }
}

/// The kernel's own answer to which socket a descriptor stands for: `SO_COOKIE`.
pub fn socket_id(fd: RawFd) -> SocketId {
    let mut cookie = 0_u64;
    let mut bytes = libc::socklen_t::try_from(size_of::<u64>()).unwrap();
    // SAFETY: room for the 8 bytes of the option, and its length.
    let status = unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_COOKIE, (&raw mut cookie).cast(), &raw mut bytes)
    };
    assert_eq!(status, 0, "SO_COOKIE: {}", std::io::Error::last_os_error());
    SocketId(cookie)
}
