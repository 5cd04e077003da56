//! The records that kernel programs and user space share, and their limits: defined once, here.
//!
//! Every record is `repr(C)`, has no padding, no `bool` and no enum with data. User space decodes by copy and never casts
//! a reference, because a ring buffer's bytes are only as trustworthy as the kernel side that wrote them.
#![cfg_attr(target_arch = "bpf", no_std)]

/// [`Transfer::kind`] and friends: which record follows.
pub mod kind {
    /// [`super::Transfer`].
    pub const TRANSFER: u8 = 1;
    /// [`super::SocketFacts`].
    pub const SOCKET_FACTS: u8 = 2;
    /// [`super::SocketEnd`].
    pub const SOCKET_END: u8 = 3;
    /// [`super::ProcessEvent`].
    pub const PROCESS: u8 = 4;
}

/// [`Transfer::direction`].
pub mod direction {
    /// The process sent.
    pub const SEND: u8 = 0;
    /// The process received.
    pub const RECEIVE: u8 = 1;
}

/// [`Transfer::flags`].
pub mod flag {
    /// Last record of its send or receive call.
    pub const ENDS_TRANSFER: u16 = 1;
    /// The user buffer could not be found or read (sendfile, splice, io_uring, 32-bit caller, too many iovecs).
    pub const UNREADABLE: u16 = 2;
}

/// [`SocketEnd::reason`].
pub mod end {
    /// A receive returned 0: the peer sent its last byte.
    pub const PEER_CLOSED: u32 = 1;
    /// A send or receive failed, with [`super::SocketEnd::error`].
    pub const FAILED: u32 = 2;
    /// The kernel moved the TCP socket out of the connected states.
    pub const CLOSED: u32 = 3;
}

/// [`ProcessEvent::what`].
pub mod process {
    /// A target made a child process.
    pub const FORK: u32 = 1;
    /// A target replaced its program.
    pub const EXEC: u32 = 2;
    /// A target's last thread ended.
    pub const EXIT: u32 = 3;
}

/// Bits of an entry of the target table, one byte per process id.
pub mod target {
    /// This process is traced.
    pub const TRACED: u8 = 1;
    /// Its children are traced too.
    pub const FOLLOW_CHILDREN: u8 = 2;
}

/// A contiguous piece of one direction's byte stream that one socket call moved. `captured` bytes of it follow the
/// struct; the rest, up to `length`, moved but was not copied.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// [`kind::TRANSFER`].
    pub kind: u8,
    /// [`mod@direction`].
    pub direction: u8,
    /// [`mod@flag`].
    pub flags: u16,
    /// Bytes moved that this record stands for.
    pub length: u32,
    /// Bytes that follow this struct; never more than `length`.
    pub captured: u32,
    /// Zero.
    pub reserved: u32,
    /// Socket cookie.
    pub socket: u64,
    /// `CLOCK_MONOTONIC` at the end of the call, in ns.
    pub at_ns: u64,
    /// Bytes that moved in this direction between the first transfer seen on the socket and this piece.
    pub position: u64,
    /// Process id of the caller.
    pub tgid: u32,
    /// Thread id of the caller.
    pub tid: u32,
}

/// Longest name in a Unix socket address: `sun_path` of `struct sockaddr_un` (include/uapi/linux/un.h).
pub const UNIX_PATH_BYTES: usize = 108;

/// What the kernel knows of a socket, sent once, before its first transfer.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketFacts {
    /// [`kind::SOCKET_FACTS`].
    pub kind: u8,
    /// Zero.
    pub reserved: u8,
    /// `AF_INET` (2), `AF_INET6` (10) or `AF_UNIX` (1).
    pub family: u16,
    /// Local port, host order.
    pub local_port: u16,
    /// Peer port, host order.
    pub peer_port: u16,
    /// Socket cookie.
    pub socket: u64,
    /// `CLOCK_MONOTONIC`, ns.
    pub at_ns: u64,
    /// Inode number of the socket file.
    pub inode: u64,
    /// Local address; the first 4 bytes for IPv4.
    pub local: [u8; 16],
    /// Peer address; the first 4 bytes for IPv4.
    pub peer: [u8; 16],
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Length of `unix_local`.
    pub unix_local_bytes: u16,
    /// Length of `unix_peer`.
    pub unix_peer_bytes: u16,
    /// Bound name of this end.
    pub unix_local: [u8; UNIX_PATH_BYTES],
    /// Bound name of the other end.
    pub unix_peer: [u8; UNIX_PATH_BYTES],
}

/// A connection came to its end.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketEnd {
    /// [`kind::SOCKET_END`].
    pub kind: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// [`mod@end`].
    pub reason: u32,
    /// Socket cookie.
    pub socket: u64,
    /// `CLOCK_MONOTONIC`, ns.
    pub at_ns: u64,
    /// Negative errno where the reason is [`end::FAILED`].
    pub error: i32,
    /// [`mod@direction`] of the call that told it, where one did.
    pub direction: u32,
}

/// A target forked, executed or ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessEvent {
    /// [`kind::PROCESS`].
    pub kind: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// [`mod@process`].
    pub what: u32,
    /// `CLOCK_MONOTONIC`, ns.
    pub at_ns: u64,
    /// The process that it happened to; the child of a fork.
    pub tgid: u32,
    /// The parent of a fork, else 0.
    pub parent: u32,
}

/// Payload sizes of the three record classes. A class holds one byte less than its array, so that its length is a bit mask.
pub const SMALL_BYTES: usize = 256;
/// See [`SMALL_BYTES`].
pub const MEDIUM_BYTES: usize = 2048;
/// See [`SMALL_BYTES`].
pub const LARGE_BYTES: usize = 16384;
/// Most bytes that one record carries.
pub const MAX_PIECE_BYTES: u64 = LARGE_BYTES as u64 - 1;
/// Past the capture limit, so much of each transfer's beginning is still copied.
pub const HEAD_BYTES: u64 = 128;
/// Past the capture limit, so much of each transfer's end is still copied.
pub const TAIL_BYTES: u64 = 1024;

/// Byte offsets of kernel structure members, from the running kernel's BTF, and the capture limit. Set before loading.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Bytes copied in one direction until the direction turns.
    pub capture_bytes: u64,
    /// Most processes in the target table.
    pub max_targets: u32,
    /// `sock.__sk_common.skc_family`
    pub skc_family: u32,
    /// `sock.__sk_common.skc_cookie`
    pub skc_cookie: u32,
    /// `sock.__sk_common.skc_daddr`
    pub skc_daddr: u32,
    /// `sock.__sk_common.skc_rcv_saddr`
    pub skc_rcv_saddr: u32,
    /// `sock.__sk_common.skc_dport`
    pub skc_dport: u32,
    /// `sock.__sk_common.skc_num`
    pub skc_num: u32,
    /// `sock.__sk_common.skc_v6_daddr`
    pub skc_v6_daddr: u32,
    /// `sock.__sk_common.skc_v6_rcv_saddr`
    pub skc_v6_rcv_saddr: u32,
    /// `sock.__sk_common.skc_net`
    pub skc_net: u32,
    /// `net.ns.inum`
    pub net_ns_inum: u32,
    /// `sock.sk_type`
    pub sk_type: u32,
    /// `sock.sk_socket`
    pub sk_socket: u32,
    /// `msghdr.msg_iter`
    pub msghdr_iter: u32,
    /// `iov_iter.iter_type`; `type` before Linux 5.14
    pub iter_kind: u32,
    /// Bits of these 4 bytes that tell the kind.
    pub iter_kind_mask: u32,
    /// `ITER_IOVEC` of `enum iter_type`
    pub iter_kind_iovec: u32,
    /// `ITER_UBUF` of it; `u32::MAX` where there is none.
    pub iter_kind_ubuf: u32,
    /// `iov_iter.__iov`; `iov` before Linux 6.4
    pub iter_iovec: u32,
    /// `iov_iter.ubuf`; 0 where there is none.
    pub iter_ubuf: u32,
    /// `iov_iter.iov_offset`
    pub iter_offset: u32,
    /// `iov_iter.count`
    pub iter_count: u32,
    /// `sock.__sk_common.skc_prot`
    pub skc_prot: u32,
    /// `sock.__sk_common.skc_state`
    pub skc_state: u32,
    /// `proto.sendpage`; 0 where there is none (Linux 6.5).
    pub proto_sendpage: u32,
    /// `socket_alloc.vfs_inode` and on to `inode.i_ino`: from `struct socket`, which lies first in `socket_alloc`.
    pub socket_ino: u32,
    /// `unix_sock.peer`
    pub unix_peer: u32,
    /// `unix_sock.addr`
    pub unix_addr: u32,
    /// `unix_address.len`
    pub unix_address_len: u32,
    /// `unix_address.name`
    pub unix_address_name: u32,
    /// `task_struct.tgid`
    pub task_tgid: u32,
    /// `task_struct.signal`
    pub task_signal: u32,
    /// `signal_struct.live`
    pub signal_live: u32,
    /// `sock.sk_shutdown`
    pub sk_shutdown: u32,
    /// `sock.sk_receive_queue.qlen`
    pub sk_receive_queue_qlen: u32,
    /// `task_struct.io_uring`; 0 on a kernel without io_uring.
    pub task_io_uring: u32,
    /// `task_struct.files`
    pub task_files: u32,
    /// `files_struct.fdt`
    pub files_fdt: u32,
    /// `fdtable.fd`
    pub fdtable_fd: u32,
    /// `file.private_data`
    pub file_private_data: u32,
    /// `socket.sk`
    pub socket_sk: u32,
    /// `fdtable.max_fds`
    pub fdtable_max_fds: u32,
    /// `file.f_inode`
    pub file_inode: u32,
    /// `inode.i_mode`
    pub inode_mode: u32,
    /// `task_struct.thread_info.status`; 0 where the architecture has none.
    pub task_status: u32,
}

/// Counters that kernel programs keep, by index in the per-CPU array `COUNTERS`.
pub mod counter {
    /// Records that found the ring buffer full.
    pub const LOST_RECORDS: u32 = 0;
    /// Bytes of payload and skipped stretches in them.
    pub const LOST_BYTES: u32 = 1;
    /// Children not followed because the target table was full.
    pub const TARGETS_REFUSED: u32 = 2;
    /// Sockets of targets that got no state (out of memory): their traffic is missing.
    pub const SOCKETS_REFUSED: u32 = 3;
    /// Calls of targets that may have moved bytes where the programs cannot look (syscall backend): those of a 32-bit
    /// program, and io_uring's.
    pub const CALLS_UNSEEN: u32 = 4;
    /// How many there are.
    pub const COUNT: u32 = 5;
}

const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(size_of::<Transfer>() == 48);
    assert!(offset_of!(Transfer, socket) == 16);
    assert!(offset_of!(Transfer, tgid) == 40);
    assert!(size_of::<SocketFacts>() == 288);
    assert!(offset_of!(SocketFacts, unix_local) == 72);
    assert!(size_of::<SocketEnd>() == 32);
    assert!(size_of::<ProcessEvent>() == 24);
    assert!(size_of::<Settings>() == 192);
};
