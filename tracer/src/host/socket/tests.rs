//! Rows and messages as the kernel writes them, and real sockets of these tests.

use super::*;
use proptest::prelude::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener, UnixStream};

#[test]
fn tcp_rows() {
    let check = |row: &str, expected: &str| {
        let shown = tables::tcp_row(row).map_or("none".to_owned(), |row| {
            format!("{} {} > {} {:?}", row.inode, row.local, row.peer, row.state)
        });
        assert_eq!(shown, expected, "{row}");
    };
    let tail = "00000000:00000000 00:00000000 00000000   101        0 61581 1 000000009bd9ec26 100 0 0 10 0";
    check(
        &format!("   0: 0100007F:1538 00000000:0000 0A {tail}"),
        "61581 127.0.0.1:5432 > 0.0.0.0:0 Listening",
    );
    check(
        &format!("  12: 0500000A:C001 0700000A:1538 01 {tail}"),
        "61581 10.0.0.5:49153 > 10.0.0.7:5432 Established",
    );
    let (v6, mapped) = ("00000000000000000000000001000000", "0000000000000000FFFF00000700000A");
    check(&format!(" 9999: {v6}:C001 {v6}:1538 08 {tail}"), "61581 [::1]:49153 > [::1]:5432 Other");
    check(
        &format!("1: {mapped}:C001 {mapped}:1538 01 {tail}"),
        "61581 10.0.0.7:49153 > 10.0.0.7:5432 Established",
    );
    check(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "none",
    );
    for wrong in
        ["", "0:", "0: 0100007F:1538 00000000:0000 0A", "0: 0100007é:1538 00000000:0000 0A 1 2 3 4 5 6"]
    {
        check(wrong, "none");
    }
}

#[test]
fn unix_rows() {
    let check = |row: &[u8], expected: Option<(u64, State, &[u8])>| {
        let found = tables::unix_row(row);
        assert_eq!(found.as_ref().map(|(inode, state, path)| (*inode, *state, path.as_slice())), expected);
    };
    let head = "00000000971e844b: 00000002 00000000";
    check(
        format!("{head} 00010000 0001 01 615 /run/a b").as_bytes(),
        Some((615, State::Listening, b"/run/a b")),
    );
    check(format!("{head} 00000000 0001 03   615").as_bytes(), Some((615, State::Established, b"")));
    check(
        format!("{head} 00000000 0001 03 615 @abs@x").as_bytes(),
        Some((615, State::Established, b"\0abs@x")),
    );
    check(format!("{head} 00000000 0001 01 615 /\u{1b}").as_bytes(), Some((615, State::Other, b"/\x1b")));
    check(format!("{head} 00000000 0002 01 615 /datagram").as_bytes(), None);
    check(b"Num       RefCount Protocol Flags    Type St Inode Path", None);
    check(b"", None);
}

fn own_sockets() -> Vec<OpenSocket> {
    open_sockets(std::process::id()).unwrap().sockets
}

fn with_ends(sockets: &[OpenSocket], local: &Address, peer: &Address) -> usize {
    sockets.iter().filter(|socket| socket.facts.local == *local && socket.facts.peer == *peer).count()
}

#[test]
fn tcp_of_a_real_process() {
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(bind).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, far) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let _second = client.try_clone().unwrap();
        let sockets = own_sockets();
        let found = sockets.iter().find(|socket| socket.facts.local == Address::Inet(near)).unwrap();
        assert_eq!((&found.facts.peer, found.state), (&Address::Inet(far), State::Established));
        assert_eq!(found.facts.netns, namespace(std::process::id(), "net").unwrap());
        assert!(found.facts.opened_before && found.facts.inode > 0);
        // Case 55: two descriptors, one socket.
        assert_eq!(with_ends(&sockets, &Address::Inet(near), &Address::Inet(far)), 1);
        let listening = sockets.iter().find(|socket| socket.facts.local == Address::Inet(far)).unwrap();
        assert_eq!(listening.state, State::Listening);
    }
}

/// Case 63: a v6 socket that talks v4.
#[test]
fn mapped_addresses_show_as_v4() {
    let listener = TcpListener::bind("[::]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert!(server.peer_addr().unwrap().is_ipv6());
    let near: SocketAddr = client.local_addr().unwrap();
    let sockets = own_sockets();
    let far = Address::Inet(SocketAddr::from(([127, 0, 0, 1], port)));
    assert_eq!(with_ends(&sockets, &far, &Address::Inet(near)), 1);
    assert_eq!(with_ends(&sockets, &Address::Inet(near), &far), 1);
}

/// Case 62: the path of the other end, also of an abstract name.
#[test]
fn unix_of_a_real_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".s.PGSQL.5432");
    let listener = UnixListener::bind(&path).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    let (_server, _) = listener.accept().unwrap();
    let (_one, _two) = UnixStream::pair().unwrap();
    let name = format!("dbtap test {}", std::process::id()).into_bytes();
    let abstract_listener = UnixListener::bind_addr(&UnixAddr::from_abstract_name(&name).unwrap()).unwrap();
    let _abstract_client = UnixStream::connect_addr(&abstract_listener.local_addr().unwrap()).unwrap();
    let sockets = own_sockets();
    let bound = Address::Unix(path.as_os_str().as_encoded_bytes().to_vec());
    let unnamed = Address::Unix(Vec::new());
    let hidden = Address::Unix([b"\0".as_slice(), &name].concat());
    assert_eq!(with_ends(&sockets, &unnamed, &bound), 1, "the client");
    assert_eq!(with_ends(&sockets, &bound, &unnamed), 2, "the listener and the accepted end");
    // Nobody has accepted it: a server that hangs is just what is looked for.
    assert_eq!(with_ends(&sockets, &unnamed, &hidden), 1, "the client of an abstract name");
    let client = sockets.iter().find(|socket| socket.facts.peer == bound).unwrap();
    assert!(client.state == State::Established && client.id.is_some_and(|id| id.0 != 0));
    let server = |socket: &&OpenSocket| socket.facts.local == bound;
    let states: Vec<State> = sockets.iter().filter(server).map(|socket| socket.state).collect();
    assert!(states.contains(&State::Listening) && states.contains(&State::Established));
}

#[test]
fn ten_thousand_connections() {
    const EACH: usize = 2_500;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    assert!(limit.maximum.is_none_or(|most| most > 10_500), "this test needs `ulimit -Hn` above 10500");
    // Not accepted: connections that wait in the listener's queue are complete, and cost no descriptor.
    let mut clients = Vec::new();
    let mut listeners = Vec::new();
    for _ in 0..4 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 4096).unwrap();
        let address = listener.local_addr().unwrap();
        clients.extend((0..EACH).map(|_| TcpStream::connect(address).unwrap()));
        listeners.push(listener);
    }
    let sockets = own_sockets();
    for listener in &listeners {
        let peer = Address::Inet(listener.local_addr().unwrap());
        let to_it = |socket: &&OpenSocket| socket.facts.peer == peer && socket.state == State::Established;
        assert_eq!(sockets.iter().filter(to_it).count(), EACH);
    }
    let inodes: BTreeSet<u64> = sockets.iter().map(|socket| socket.facts.inode).collect();
    assert_eq!(inodes.len(), sockets.len());
}

#[test]
fn many_processes_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = std::process::id();
    let answers = open_sockets_of(&[own, 4_194_304, own]);
    assert_eq!(answers.len(), 2);
    assert!(matches!(answers[&4_194_304], Err(ProcessError::NotFound(4_194_304))));
    let local = Address::Inet(listener.local_addr().unwrap());
    let own = answers[&own].as_ref().unwrap();
    assert_eq!(own.sockets.iter().filter(|socket| socket.facts.local == local).count(), 1);
}

/// Case 63: a process in a network namespace of its own, and a Unix socket that connects into it from there.
#[test]
fn another_network_namespace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server");
    let listener = UnixListener::bind(&path).unwrap();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let inside_path = path.clone();
    let thread = std::thread::spawn(move || {
        let flags = rustix::thread::UnshareFlags::NEWNET;
        // SAFETY: only the network namespace of this thread changes; descriptors and memory stay shared.
        let entered = unsafe { rustix::thread::unshare_unsafe(flags) };
        if !rustix::process::geteuid().is_root() {
            assert_eq!(
                entered,
                Err(rustix::io::Errno::PERM),
                "only root has network namespaces to test with"
            );
            return;
        }
        entered.unwrap();
        let client = UnixStream::connect(inside_path).unwrap();
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        ready.send((u32::try_from(tid).unwrap(), listener.local_addr().unwrap())).unwrap();
        let _ = ended.recv();
        drop((client, listener));
    });
    // /proc/TID of a thread shows the namespaces of the thread.
    let Ok((tid, listening)) = is_ready.recv() else { return thread.join().unwrap() };
    let found = open_sockets(tid);
    drop(end);
    thread.join().unwrap();
    drop(listener);
    let sockets = found.unwrap().sockets;
    assert_ne!(namespace(std::process::id(), "net").unwrap(), sockets[0].facts.netns);
    let any = Address::Inet(SocketAddr::from(([0, 0, 0, 0], 0)));
    assert_eq!(with_ends(&sockets, &Address::Inet(listening), &any), 1);
    let server = Address::Unix(path.as_os_str().as_encoded_bytes().to_vec());
    assert_eq!(with_ends(&sockets, &Address::Unix(Vec::new()), &server), 1, "{sockets:?}");
}

fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 16).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(body);
    bytes
}

#[test]
fn diagnostic_messages() {
    let mut body = vec![1, 1, 1, 0, 7, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0];
    body.extend([7, 0, 0, 0, b'/', b'a', 0, 0]);
    body.extend([8, 0, 2, 0, 9, 0, 0, 0]);
    body.extend([16, 0, 3, 0, 11, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0]);
    let mut answer = diag::Answer::default();
    diag::read_datagram(&[message(20, &body), message(3, &[0; 4])].concat(), &mut answer).unwrap();
    let expected = UnixSocket {
        inode: 7,
        cookie: (1 << 32) + 5,
        state: State::Established,
        peer: Some(9),
        waiting: vec![11, 12],
        name: b"/a".to_vec(),
    };
    assert!(answer.done && !answer.interrupted);
    assert_eq!(answer.sockets, [expected]);
    let refused = diag::read_datagram(&message(2, &(-2i32).to_ne_bytes()), &mut answer).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::NotFound);
}

proptest! {
    #[test]
    fn any_datagram(head in 0u32..80, kind in prop::sample::select(vec![2u16, 3, 20]), body in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut bytes = message(kind, &body);
        bytes[..4].copy_from_slice(&head.to_ne_bytes());
        let mut answer = diag::Answer::default();
        let _ = diag::read_datagram(&bytes, &mut answer);
        prop_assert!(answer.sockets.len() <= bytes.len() / 16);
    }

    #[test]
    fn any_rows(table in prop::collection::vec(any::<u8>(), 0..2000)) {
        let rows = tables::tcp(table.as_slice(), &HashSet::from([1])).len();
        let unix = tables::unix(table.as_slice(), &HashSet::from([1])).len();
        prop_assert!(rows + unix <= table.len());
    }

    #[test]
    fn any_tcp_row(row in "[0-9A-Fa-f: é]{0,80}") {
        if let Some(row) = tables::tcp_row(&row) {
            prop_assert!(row.local.is_ipv4() || row.local.is_ipv6());
        }
    }
}
