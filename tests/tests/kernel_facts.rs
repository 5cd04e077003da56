//! What is told of a socket before its first transfer, and that one socket has one identity.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::{
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        linux::fs::MetadataExt,
        unix::net::UnixListener,
    },
};

use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{self, read, write},
    pair::socket_id,
    text,
};
use tracer::event::{Address, Event, SocketFacts, SocketId};

fn facts_of(events: &[Event<'_>], id: SocketId) -> SocketFacts {
    let mut found = events.iter().filter_map(|event| match event {
        Event::Facts(socket, facts) if *socket == id => Some(facts.clone()),
        _ => None,
    });
    let facts = found.next().unwrap();
    assert_eq!(found.next(), None, "facts come once");
    facts
}

fn inode(path: &str) -> u64 {
    std::fs::metadata(path).unwrap().st_ino()
}

fn inode_of(fd: RawFd) -> u64 {
    inode(&format!("/proc/self/fd/{fd}"))
}

/// Whatever number a backend has for a socket, the inode tells which one it is, and it keeps its number.
#[test]
fn a_socket_whose_cookie_nobody_asked_for() {
    let mut tap = Tap::attach();
    let pairs = Kind::ALL.map(Pair::connected);
    let mut child = Child::new(|parent| {
        for round in 0..2 {
            for pair in &pairs {
                let (here, there) = pair.fds();
                write(here, b"ab").unwrap();
                read(there, 2).unwrap();
            }
            if round == 0 {
                parent.wait();
            }
        }
    });
    tap.trace(child.pid(), false);
    child.go();
    let both = 2 * pairs.len();
    tap.wait_until("the first round", |events| text::sockets(events).len() == both);
    // From here on they have cookies.
    let cookies = pairs.each_ref().map(Pair::id);
    child.go();
    child.finish();
    tap.drain();
    let events = tap.events();
    assert_eq!(text::sockets(&events).len(), both);
    for (pair, cookie) in pairs.iter().zip(cookies) {
        let wanted = inode_of(pair.here.as_raw_fd());
        let found: Vec<SocketId> = events
            .iter()
            .filter_map(|event| match event {
                Event::Facts(id, facts) if facts.inode == wanted => Some(*id),
                _ => None,
            })
            .collect();
        assert_eq!(found.len(), 1, "{:?}", pair.kind);
        assert_eq!(text::of_socket(&events, found[0]), "send 0 ab. send 2 ab.", "{:?}", pair.kind);
        // A number of its own has the highest bit, which no cookie has.
        assert!(found[0] == cookie || found[0].0 >> 63 == 1, "{:?}: {:?}", pair.kind, found[0]);
    }
}

fn inet(socket: &TcpStream) -> (Address, Address) {
    let canonical = |address: std::net::SocketAddr| {
        Address::Inet(std::net::SocketAddr::new(address.ip().to_canonical(), address.port()))
    };
    (canonical(socket.local_addr().unwrap()), canonical(socket.peer_addr().unwrap()))
}

/// Cases 62 and 63.
#[test]
fn addresses_inode_and_namespace_of_both_ends() {
    let mut tap = Tap::attach();
    let pairs = Pair::of_all_kinds();
    let mut child = Child::new(|_| {
        for pair in &pairs {
            let (here, there) = pair.fds();
            write(here, b"x").unwrap();
            read(there, 1).unwrap();
            write(there, b"y").unwrap();
        }
    });
    tap.trace(child.pid(), false);
    child.go();
    child.finish();
    tap.drain();
    let events = tap.events();
    for pair in &pairs {
        let (here, there) = (&pair.here, &pair.there);
        let of_here = facts_of(&events, socket_id(here.as_raw_fd()));
        let of_there = facts_of(&events, socket_id(there.as_raw_fd()));
        let (local, peer) = if pair.kind.is_tcp() {
            let (local, peer) = inet(&TcpStream::from(here.try_clone().unwrap()));
            let Address::Inet(shown) = local else { unreachable!() };
            assert_eq!(shown.is_ipv4(), pair.kind != Kind::Tcp6);
            (local, peer)
        } else {
            (Address::Unix(Vec::new()), Address::Unix(pair.name.clone()))
        };
        assert_eq!((&of_here.local, &of_here.peer), (&local, &peer), "{:?}", pair.kind);
        assert_eq!((&of_there.local, &of_there.peer), (&peer, &local), "{:?}", pair.kind);
        for (facts, end) in [(of_here, here), (of_there, there)] {
            assert_eq!(facts.inode, inode_of(end.as_raw_fd()), "{:?}", pair.kind);
            assert_eq!(u64::from(facts.netns), inode("/proc/self/ns/net"), "{:?}", pair.kind);
        }
    }
}

/// Case 63: the namespace is the socket's, wherever its user is.
#[test]
fn a_socket_of_another_network_namespace() {
    let mut tap = Tap::attach();
    let mut child = Child::new(|parent| {
        // SAFETY: takes no memory; this process has one thread.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
        parent.tell(inode("/proc/self/ns/net"));
        let pair = Pair::new(Kind::UnixPair);
        parent.tell(pair.id().0);
        parent.wait();
        write(pair.fds().0, b"x").unwrap();
    });
    child.go();
    let (netns, id) = (child.told(), SocketId(child.told()));
    assert_ne!(netns, inode("/proc/self/ns/net"));
    tap.trace(child.pid(), false);
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(u64::from(facts_of(&tap.events(), id).netns), netns);
}

/// `sun_path` has 108 bytes, all of which a name may use (unix(7)).
#[test]
fn the_longest_unix_names() {
    let mut tap = Tap::attach();
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let folder = dir.path().to_str().unwrap().len();
    // A path of 108 bytes has no room for its NUL; the standard library does not bind it, the kernel does.
    for length in [107, 108] {
        let path = dir.path().join("p".repeat(length - folder - 1)).to_str().unwrap().to_owned();
        check_name(&mut tap, path.as_bytes());
    }
    check_name(&mut tap, &[b"\0".as_slice(), &[b'n'; 107]].concat());
    check_name(&mut tap, b"\0a\0b\x1b");
}

fn check_name(tap: &mut Tap, name: &[u8]) {
    let listener = bound(name);
    let (address, bytes) = unix_address(name);
    let mut child = Child::new(|parent| {
        let socket = unix_socket();
        // SAFETY: the address outlives the call.
        let status = unsafe { libc::connect(socket, (&raw const address).cast(), bytes) };
        assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
        parent.tell(socket_id(socket).0);
        write(socket, b"x").unwrap();
    });
    tap.trace(child.pid(), false);
    child.go();
    let id = SocketId(child.told());
    child.finish();
    tap.drain();
    let facts = facts_of(&tap.events(), id);
    assert_eq!((facts.local, facts.peer), (Address::Unix(Vec::new()), Address::Unix(name.to_vec())));
    drop(listener);
}

fn unix_socket() -> RawFd {
    // SAFETY: takes no memory.
    let socket = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    assert!(socket >= 0);
    socket
}

fn unix_address(name: &[u8]) -> (libc::sockaddr_un, u32) {
    let mut path = [0; 108];
    for (to, from) in path.iter_mut().zip(name) {
        *to = from.cast_signed();
    }
    (libc::sockaddr_un { sun_family: 1, sun_path: path }, u32::try_from(2 + name.len()).unwrap())
}

fn bound(name: &[u8]) -> UnixListener {
    use std::os::fd::FromRawFd;
    let socket = unix_socket();
    let (address, bytes) = unix_address(name);
    // SAFETY: the address outlives the call.
    let status = unsafe { libc::bind(socket, (&raw const address).cast(), bytes) };
    assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::listen(socket, 8) }, 0);
    // SAFETY: a fresh descriptor that nobody else owns.
    UnixListener::from(unsafe { OwnedFd::from_raw_fd(socket) })
}

/// Case 55.
#[test]
fn one_socket_under_many_descriptors() {
    let mut tap = Tap::attach();
    for pair in Pair::of_all_kinds() {
        let (here, _) = pair.fds();
        let mut child = Child::new(|_| {
            write(here, b"a").unwrap();
            // SAFETY: takes no memory.
            let second = unsafe { libc::dup(here) };
            write(second, b"b").unwrap();
            // SAFETY: takes no memory; 200 is free in this child.
            assert_eq!(unsafe { libc::dup2(second, 200) }, 200);
            calls::close(here);
            calls::close(second);
            write(200, b"c").unwrap();
        });
        tap.trace(child.pid(), false);
        child.go();
        child.finish();
        tap.drain();
        assert_eq!(
            text::of_socket(&tap.events(), pair.id()),
            "send 0 a. send 1 b. send 2 c.",
            "{:?}",
            pair.kind
        );
        tap.forget();
    }
}

/// Case 55: over SCM_RIGHTS to another traced process.
#[test]
fn a_socket_that_is_handed_to_another_process() {
    let mut tap = Tap::attach();
    for pair in Pair::of_all_kinds() {
        let (here, _) = pair.fds();
        let way = Pair::new(Kind::UnixPair);
        let (give, take) = way.fds();
        let mut giver = Child::new(|_| {
            write(here, b"giver").unwrap();
            calls::send_descriptor(give, here);
        });
        let mut taker = Child::new(|_| {
            calls::close(here);
            let got = calls::receive_descriptor(take);
            write(got, b"taker").unwrap();
        });
        tap.trace(giver.pid(), false);
        tap.trace(taker.pid(), false);
        giver.go();
        giver.finish();
        taker.go();
        taker.finish();
        tap.drain();
        let events = tap.events();
        assert_eq!(text::of_socket(&events, pair.id()), "send 0 giver. send 5 taker.", "{:?}", pair.kind);
        let pids: Vec<u32> = events
            .iter()
            .filter_map(|event| match event {
                Event::Transfer(piece) if piece.socket == pair.id() => Some(piece.task.pid),
                _ => None,
            })
            .collect();
        assert_eq!(pids, [giver.pid(), taker.pid()]);
        tap.forget();
    }
}

/// Case 54.
#[test]
fn a_descriptor_number_that_is_used_again() {
    let mut tap = Tap::attach();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut child = Child::new(|parent| {
        let mut numbers = Vec::new();
        for word in [b"one", b"two"] {
            let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
            numbers.push(socket.as_raw_fd());
            parent.tell(socket_id(socket.as_raw_fd()).0);
            write(socket.as_raw_fd(), word).unwrap();
        }
        assert_eq!(numbers[0], numbers[1]);
    });
    tap.trace(child.pid(), false);
    child.go();
    let ids = [SocketId(child.told()), SocketId(child.told())];
    child.finish();
    tap.drain();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(text::sockets(&tap.events()), ids);
    assert_eq!(text::of_socket(&tap.events(), ids[0]), "send 0 one. end closed");
    assert_eq!(text::of_socket(&tap.events(), ids[1]), "send 0 two. end closed");
}

#[test]
fn other_sockets_and_files_give_no_record() {
    let mut tap = Tap::attach();
    let mut child = Child::new(|_| {
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.send_to(b"datagram", udp.local_addr().unwrap()).unwrap();
        udp.recv(&mut [0; 10]).unwrap();
        let (one, two) = std::os::unix::net::UnixDatagram::pair().unwrap();
        one.send(b"datagram").unwrap();
        two.recv(&mut [0; 10]).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"text").unwrap();
    });
    tap.trace(child.pid(), false);
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(text::sockets(&tap.events()), []);
}
