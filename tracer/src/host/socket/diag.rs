//! Unix-domain sockets of a network namespace through socket diagnostics: sock_diag(7), `include/uapi/linux/unix_diag.h`.
//!
//! A dump only reads. Answers come from the kernel alone, and are still read as if they were hostile.

use super::State;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, sockopt};
use std::fs::File;
use std::io;
use std::time::Duration;

/// One Unix-domain stream socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnixSocket {
    pub(super) inode: u32,
    /// Socket cookie.
    pub(super) cookie: u64,
    pub(super) state: State,
    /// Inode of the other end; one that no server has accepted yet has none.
    pub(super) peer: Option<u32>,
    /// Of a listening socket: inodes of the clients whose connections wait to be accepted.
    pub(super) waiting: Vec<u32>,
    /// The bound name, as [`crate::event::Address::Unix`] has it.
    pub(super) name: Vec<u8>,
}

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER_BYTES: usize = 16;
const AF_UNIX: u8 = 1;
const SOCK_STREAM: u8 = 1;
const UDIAG_SHOW_NAME: u32 = 0x1;
const UDIAG_SHOW_PEER: u32 = 0x4;
const UDIAG_SHOW_ICONS: u32 = 0x8;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_PEER: u16 = 2;
const UNIX_DIAG_ICONS: u16 = 3;
/// `struct unix_diag_msg` without its attributes.
const MESSAGE_BYTES: usize = 16;
const SEQUENCE: u32 = 1;

/// The kernel answers at once; this only ends a wait that should never be.
const PATIENCE: Duration = Duration::from_secs(2);
/// Sockets kept of one dump.
const MAX_SOCKETS: usize = 1 << 20;
/// Answers to one dump; each holds many sockets.
const MAX_DATAGRAMS: u32 = 1 << 20;
const DUMPS: u32 = 3;

/// The Unix-domain stream sockets of a network namespace; `None`: dbtap's own. Another one is entered by a thread made for
/// it, so nothing else of dbtap moves.
///
/// # Errors
/// No socket diagnostics in this kernel, or no right to enter the namespace.
pub(super) fn unix_sockets(namespace: Option<&File>) -> io::Result<Vec<UnixSocket>> {
    let Some(namespace) = namespace else { return dump() };
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            let network = Some(rustix::thread::LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(namespace), network)?;
            dump()
        });
        inside
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that read the socket list ended early")))
    })
}

fn dump() -> io::Result<Vec<UnixSocket>> {
    let mut last = Vec::new();
    for _ in 0..DUMPS {
        let (sockets, interrupted) = dump_once()?;
        last = sockets;
        // The list changed in the middle, so some sockets may be missing.
        if !interrupted {
            break;
        }
    }
    Ok(last)
}

fn dump_once() -> io::Result<(Vec<UnixSocket>, bool)> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
    rustix::net::send(&socket, &request(), SendFlags::empty())?;
    let mut found = Answer::default();
    let mut buffer = vec![0u8; 1 << 16];
    for _ in 0..MAX_DATAGRAMS {
        let (_, length) = rustix::net::recv(&socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        read_datagram(buffer.get(..length).unwrap_or_default(), &mut found)?;
        if found.done {
            return Ok((found.sockets, found.interrupted));
        }
    }
    Err(io::Error::other("the socket list has no end"))
}

/// `struct nlmsghdr` and `struct unix_diag_req`: all states, with names, peers and waiting connections.
fn request() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(40);
    bytes.extend(40u32.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    bytes.extend(SEQUENCE.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend([AF_UNIX, 0, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend((UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS).to_ne_bytes());
    bytes.extend([0; 8]);
    bytes
}

/// What a dump told by now.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) sockets: Vec<UnixSocket>,
    pub(super) done: bool,
    pub(super) interrupted: bool,
}

/// Reads one datagram of an answer. A message that does not read as expected ends the datagram.
///
/// # Errors
/// The kernel's own refusal.
pub(super) fn read_datagram(mut bytes: &[u8], answer: &mut Answer) -> io::Result<()> {
    while let (Some(length), Some(kind), Some(flags), Some(sequence)) =
        (u32_at(bytes, 0), u16_at(bytes, 4), u16_at(bytes, 6), u32_at(bytes, 8))
    {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(body) = bytes.get(HEADER_BYTES..length) else { return Ok(()) };
        if sequence == SEQUENCE {
            answer.interrupted |= flags & NLM_F_DUMP_INTR != 0;
            match kind {
                NLMSG_DONE => answer.done = true,
                NLMSG_ERROR => {
                    let errno = u32_at(body, 0).map_or(0, |code| i32::from_ne_bytes(code.to_ne_bytes()));
                    return Err(io::Error::from_raw_os_error(errno.saturating_neg()));
                }
                SOCK_DIAG_BY_FAMILY if answer.sockets.len() < MAX_SOCKETS => {
                    answer.sockets.extend(unix_socket(body));
                }
                _ => {}
            }
        }
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
    }
    Ok(())
}

/// `struct unix_diag_msg`: family, type, state, pad, inode, cookie (low word first); then attributes.
fn unix_socket(body: &[u8]) -> Option<UnixSocket> {
    let head = body.get(..MESSAGE_BYTES)?;
    if head[0] != AF_UNIX || head[1] != SOCK_STREAM {
        return None;
    }
    let cookie = u64::from(u32_at(head, 8)?) | u64::from(u32_at(head, 12)?) << 32;
    let state = State::from_tcp(head[2]);
    let (inode, peer, waiting, name) = (u32_at(head, 4)?, None, Vec::new(), Vec::new());
    let mut socket = UnixSocket { inode, cookie, state, peer, waiting, name };
    let mut rest = body.get(MESSAGE_BYTES..)?;
    while let (Some(length), Some(kind)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let length = usize::from(length);
        let Some(value) = rest.get(4..length) else { break };
        match kind {
            UNIX_DIAG_NAME => socket.name = without_end(value),
            UNIX_DIAG_PEER => socket.peer = u32_at(value, 0).filter(|inode| *inode != 0),
            UNIX_DIAG_ICONS => {
                let inodes = value.chunks_exact(4).filter_map(|four| u32_at(four, 0));
                socket.waiting = inodes.filter(|inode| *inode != 0).collect();
            }
            _ => {}
        }
        rest = rest.get(aligned(length)..).unwrap_or_default();
    }
    Some(socket)
}

/// A path may come with the NUL that ends it; an abstract name begins with NUL and is as long as it is.
fn without_end(value: &[u8]) -> Vec<u8> {
    match value.first() {
        Some(0) | None => value.to_vec(),
        Some(_) => value.split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
    }
}

/// Netlink pads messages and attributes to four bytes.
fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
