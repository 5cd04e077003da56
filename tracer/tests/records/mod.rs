//! Records as the kernel side writes them, for tests, fuzzing and benches: the inverse of `tracer::event::decode`.
//!
//! Layouts: the `repr(C)` structs of `tracer_ebpf`. Integers in the machine's own byte order.
#![allow(dead_code, reason = "each program that includes this file uses a part of it")]

use std::mem::offset_of;
use std::net::IpAddr;

use tracer::event::{Address, End, Event, ProcessChange, SocketFacts, Transfer};
use tracer_ebpf::{direction, end, flag, kind, process};

/// A zeroed record with its kind in place.
struct Record(Vec<u8>);

impl Record {
    fn new(kind: u8, bytes: usize) -> Self {
        let mut record = vec![0; bytes];
        record[0] = kind;
        Self(record)
    }
    fn put<const N: usize>(mut self, at: usize, value: [u8; N]) -> Self {
        self.0[at..at + N].copy_from_slice(&value);
        self
    }
}

/// The record that decodes to this event. Lengths past what a record can hold are cut.
pub fn encode(event: &Event<'_>) -> Vec<u8> {
    match event {
        Event::Transfer(piece) => transfer(piece),
        Event::Facts(socket, known) => facts(socket.0, known),
        Event::SocketEnd { socket, at, reason } => {
            type Raw = tracer_ebpf::SocketEnd;
            let (reason, error) = match reason {
                End::PeerClosed => (end::PEER_CLOSED, 0),
                End::Failed { errno } => (end::FAILED, errno.wrapping_neg()),
                End::Closed => (end::CLOSED, 0),
            };
            Record::new(kind::SOCKET_END, size_of::<Raw>())
                .put(offset_of!(Raw, reason), reason.to_ne_bytes())
                .put(offset_of!(Raw, socket), socket.0.to_ne_bytes())
                .put(offset_of!(Raw, at_ns), at.0.to_ne_bytes())
                .put(offset_of!(Raw, error), error.to_ne_bytes())
                .0
        }
        Event::Process { pid, at, change } => {
            type Raw = tracer_ebpf::ProcessEvent;
            let (what, parent) = match change {
                ProcessChange::Forked { parent } => (process::FORK, *parent),
                ProcessChange::Executed => (process::EXEC, 0),
                ProcessChange::Exited => (process::EXIT, 0),
            };
            Record::new(kind::PROCESS, size_of::<Raw>())
                .put(offset_of!(Raw, what), what.to_ne_bytes())
                .put(offset_of!(Raw, at_ns), at.0.to_ne_bytes())
                .put(offset_of!(Raw, tgid), pid.to_ne_bytes())
                .put(offset_of!(Raw, parent), parent.to_ne_bytes())
                .0
        }
    }
}

/// A piece of a stream.
pub fn transfer(piece: &Transfer<'_>) -> Vec<u8> {
    type Raw = tracer_ebpf::Transfer;
    let captured = u32::try_from(piece.bytes.len()).unwrap_or(u32::MAX);
    let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
    let side = if piece.sent { direction::SEND } else { direction::RECEIVE };
    let mut flags = 0;
    flags |= if piece.ends_transfer { flag::ENDS_TRANSFER } else { 0 };
    flags |= if piece.unreadable { flag::UNREADABLE } else { 0 };
    let mut record = Record::new(kind::TRANSFER, size_of::<Raw>())
        .put(offset_of!(Raw, direction), [side])
        .put(offset_of!(Raw, flags), flags.to_ne_bytes())
        .put(offset_of!(Raw, length), length.to_ne_bytes())
        .put(offset_of!(Raw, captured), captured.to_ne_bytes())
        .put(offset_of!(Raw, socket), piece.socket.0.to_ne_bytes())
        .put(offset_of!(Raw, at_ns), piece.at.0.to_ne_bytes())
        .put(offset_of!(Raw, position), piece.position.to_ne_bytes())
        .put(offset_of!(Raw, tgid), piece.task.pid.to_ne_bytes())
        .put(offset_of!(Raw, tid), piece.task.tid.to_ne_bytes())
        .0;
    record.extend_from_slice(piece.bytes);
    record
}

fn facts(socket: u64, known: &SocketFacts) -> Vec<u8> {
    type Raw = tracer_ebpf::SocketFacts;
    let record = Record::new(kind::SOCKET_FACTS, size_of::<Raw>())
        .put(offset_of!(Raw, socket), socket.to_ne_bytes())
        .put(offset_of!(Raw, inode), known.inode.to_ne_bytes())
        .put(offset_of!(Raw, netns), known.netns.to_ne_bytes());
    match (&known.local, &known.peer) {
        (Address::Inet(local), Address::Inet(peer)) => {
            let v4 = local.is_ipv4() && peer.is_ipv4();
            record
                .put(offset_of!(Raw, family), if v4 { 2u16 } else { 10 }.to_ne_bytes())
                .put(offset_of!(Raw, local_port), local.port().to_ne_bytes())
                .put(offset_of!(Raw, peer_port), peer.port().to_ne_bytes())
                .put(offset_of!(Raw, local), inet(local.ip(), v4))
                .put(offset_of!(Raw, peer), inet(peer.ip(), v4))
                .0
        }
        (local, peer) => {
            let (local_len, local_bytes) = unix(local);
            let (peer_len, peer_bytes) = unix(peer);
            record
                .put(offset_of!(Raw, family), 1u16.to_ne_bytes())
                .put(offset_of!(Raw, unix_local_bytes), local_len.to_ne_bytes())
                .put(offset_of!(Raw, unix_peer_bytes), peer_len.to_ne_bytes())
                .put(offset_of!(Raw, unix_local), local_bytes)
                .put(offset_of!(Raw, unix_peer), peer_bytes)
                .0
        }
    }
}

/// `v4`: both ends are; an IPv4 address beside an IPv6 one is mapped into IPv6.
fn inet(ip: IpAddr, v4: bool) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) if v4 => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&ip.octets());
            bytes
        }
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn unix(address: &Address) -> (u16, [u8; tracer_ebpf::UNIX_PATH_BYTES]) {
    let mut bytes = [0; tracer_ebpf::UNIX_PATH_BYTES];
    let Address::Unix(name) = address else { return (0, bytes) };
    let kept = name.len().min(bytes.len());
    bytes[..kept].copy_from_slice(&name[..kept]);
    (u16::try_from(kept).unwrap_or(0), bytes)
}
