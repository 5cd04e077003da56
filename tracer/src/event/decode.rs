//! Bytes of the ring buffer to [`Event`]. A record that does not fit its own claims gives nothing, and never a panic.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tracer_ebpf::{SocketEnd, SocketFacts as RawFacts, direction, end, flag, kind, process};

use super::{Address, End, Event, ProcessChange, SocketFacts, SocketId, Transfer};
use crate::{request::Task, time::Nanos};

/// Decodes one record. None: it is not one of ours, or it is damaged.
pub fn decode(record: &[u8]) -> Option<Event<'_>> {
    match *record.first()? {
        kind::TRANSFER => transfer(record).map(Event::Transfer),
        kind::SOCKET_FACTS => facts(record),
        kind::SOCKET_END => socket_end(record),
        kind::PROCESS => process_change(record),
        _ => None,
    }
}

/// Reads little-endian integers at fixed offsets, as the kernel side of the same machine wrote them.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..at.checked_add(N)?)?.try_into().ok()
    }
    fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_ne_bytes)
    }
    fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_ne_bytes)
    }
    fn u64(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_ne_bytes)
    }
}

macro_rules! offset {
    ($record:ty, $member:ident) => {
        std::mem::offset_of!($record, $member)
    };
}

fn transfer(record: &[u8]) -> Option<Transfer<'_>> {
    use tracer_ebpf::Transfer as Raw;
    let (header, payload) = record.split_at_checked(size_of::<Raw>())?;
    let fields = Fields(header);
    let flags = fields.u16(offset!(Raw, flags))?;
    let length = fields.u32(offset!(Raw, length))?;
    let captured = usize::try_from(fields.u32(offset!(Raw, captured))?).ok()?;
    let bytes = payload.get(..captured)?;
    let skipped = u64::from(length).checked_sub(u64::try_from(captured).ok()?)?;
    Some(Transfer {
        socket: SocketId(fields.u64(offset!(Raw, socket))?),
        at: Nanos(fields.u64(offset!(Raw, at_ns))?),
        task: Task { pid: fields.u32(offset!(Raw, tgid))?, tid: fields.u32(offset!(Raw, tid))? },
        sent: *header.get(offset!(Raw, direction))? == direction::SEND,
        position: fields.u64(offset!(Raw, position))?,
        bytes,
        skipped,
        ends_transfer: flags & flag::ENDS_TRANSFER != 0,
        unreadable: flags & flag::UNREADABLE != 0,
    })
}

fn facts(record: &[u8]) -> Option<Event<'static>> {
    type Raw = RawFacts;
    let fields = Fields(record);
    let family = fields.u16(offset!(Raw, family))?;
    let (local, peer) = match family {
        1 => (
            unix_name(fields.array(offset!(Raw, unix_local))?, fields.u16(offset!(Raw, unix_local_bytes))?),
            unix_name(fields.array(offset!(Raw, unix_peer))?, fields.u16(offset!(Raw, unix_peer_bytes))?),
        ),
        2 | 10 => (
            inet(family, fields.array(offset!(Raw, local))?, fields.u16(offset!(Raw, local_port))?),
            inet(family, fields.array(offset!(Raw, peer))?, fields.u16(offset!(Raw, peer_port))?),
        ),
        _ => return None,
    };
    Some(Event::Facts(
        SocketId(fields.u64(offset!(Raw, socket))?),
        SocketFacts {
            local,
            peer,
            inode: fields.u64(offset!(Raw, inode))?,
            netns: fields.u32(offset!(Raw, netns))?,
            opened_before: false,
        },
    ))
}

fn inet(family: u16, bytes: [u8; 16], port: u16) -> Address {
    let address = if family == 2 {
        IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))
    } else {
        IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
    };
    Address::Inet(SocketAddr::new(address, port))
}

/// A path ends at its NUL, which the kernel counts in its length; an abstract name begins with one and has none at its end.
fn unix_name(bytes: [u8; tracer_ebpf::UNIX_PATH_BYTES], length: u16) -> Address {
    let name = bytes.get(..usize::from(length)).unwrap_or(&[]);
    let name = match name {
        [0, ..] | [] => name,
        path => path.split(|byte| *byte == 0).next().unwrap_or(&[]),
    };
    Address::Unix(name.to_vec())
}

fn socket_end(record: &[u8]) -> Option<Event<'static>> {
    type Raw = SocketEnd;
    let fields = Fields(record);
    let reason = match fields.u32(offset!(Raw, reason))? {
        end::PEER_CLOSED => End::PeerClosed,
        end::FAILED => End::Failed { errno: fields.u32(offset!(Raw, error))?.wrapping_neg() },
        end::CLOSED => End::Closed,
        _ => return None,
    };
    Some(Event::SocketEnd {
        socket: SocketId(fields.u64(offset!(Raw, socket))?),
        at: Nanos(fields.u64(offset!(Raw, at_ns))?),
        reason,
    })
}

fn process_change(record: &[u8]) -> Option<Event<'static>> {
    type Raw = tracer_ebpf::ProcessEvent;
    let fields = Fields(record);
    let change = match fields.u32(offset!(Raw, what))? {
        process::FORK => ProcessChange::Forked { parent: fields.u32(offset!(Raw, parent))? },
        process::EXEC => ProcessChange::Executed,
        process::EXIT => ProcessChange::Exited,
        _ => return None,
    };
    Some(Event::Process {
        pid: fields.u32(offset!(Raw, tgid))?,
        at: Nanos(fields.u64(offset!(Raw, at_ns))?),
        change,
    })
}
