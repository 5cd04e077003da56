//! Addresses, inode and namespace of a socket, read from kernel memory at offsets that user space took from BTF.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_ktime_get_ns, bpf_probe_read_kernel};
use tracer_ebpf::{SocketFacts, UNIX_PATH_BYTES, kind};

use super::{
    maps::{NO_WAKEUP, RECORDS, setting},
    memory::{at, follow, read},
};

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const SOCK_STREAM: u16 = 1;

/// TCP over IPv4 or IPv6, or a Unix stream socket.
#[inline(always)]
pub fn is_stream(sk: *const c_void) -> bool {
    let family: u16 = read(sk, setting!(skc_family));
    let kind: u16 = read(sk, setting!(sk_type));
    (family == AF_INET || family == AF_INET6 || family == AF_UNIX) && kind == SOCK_STREAM
}

/// Tells user space of the socket. False when the ring buffer was full: told at the next
/// transfer then, so it does not count as lost.
#[inline(never)]
pub fn tell(sk: *const c_void, cookie: u64) -> bool {
    let Some(mut entry) = RECORDS.reserve::<SocketFacts>(0) else {
        return false;
    };
    let facts = entry.as_mut_ptr();
    // SAFETY: the entry is ours until submitted, and every member is written before that.
    unsafe {
        core::ptr::write_bytes(facts.cast::<u64>(), 0, size_of::<SocketFacts>() / 8);
        (*facts).kind = kind::SOCKET_FACTS;
        (*facts).socket = cookie;
        (*facts).at_ns = bpf_ktime_get_ns();
        let family: u16 = read(sk, setting!(skc_family));
        (*facts).family = family;
        let socket = follow(sk, setting!(sk_socket));
        if !socket.is_null() {
            (*facts).inode = read(socket, setting!(socket_ino));
        }
        (*facts).netns = read(follow(sk, setting!(skc_net)), setting!(net_ns_inum));
        if family == AF_UNIX {
            let local: u64 = read(sk, setting!(unix_addr));
            (*facts).unix_local_bytes = unix_name(local, &raw mut (*facts).unix_local);
            let peer: u64 = read(sk, setting!(unix_peer));
            if peer != 0 {
                let address: u64 = read(peer as *const c_void, setting!(unix_addr));
                (*facts).unix_peer_bytes = unix_name(address, &raw mut (*facts).unix_peer);
            }
        } else {
            (*facts).local_port = read(sk, setting!(skc_num));
            (*facts).peer_port = u16::from_be(read(sk, setting!(skc_dport)));
            if family == AF_INET6 {
                (*facts).local = read(sk, setting!(skc_v6_rcv_saddr));
                (*facts).peer = read(sk, setting!(skc_v6_daddr));
            } else {
                let local: [u8; 4] = read(sk, setting!(skc_rcv_saddr));
                let peer: [u8; 4] = read(sk, setting!(skc_daddr));
                *(&raw mut (*facts).local).cast::<[u8; 4]>() = local;
                *(&raw mut (*facts).peer).cast::<[u8; 4]>() = peer;
            }
        }
    }
    entry.submit(NO_WAKEUP);
    true
}

/// Copies the name of a `struct unix_address`; returns its length. `len` counts the 2 bytes of the family too.
#[inline(always)]
fn unix_name(address: u64, into: *mut [u8; UNIX_PATH_BYTES]) -> u16 {
    if address == 0 {
        return 0;
    }
    let length: u32 = read(address as *const c_void, setting!(unix_address_len));
    let name: *const c_void = at(address as *const c_void, setting!(unix_address_name) + 2);
    // A path that fills `sun_path` has its NUL behind it (unix_mkname_bsd, net/unix/af_unix.c).
    if length <= 2 || length as usize > UNIX_PATH_BYTES + 3 {
        return 0;
    }
    let longest = UNIX_PATH_BYTES as u32 + 2;
    let mut bytes = u64::from(if length > longest { longest } else { length } - 2);
    // SAFETY: only narrows the value; tells the verifier its range, which LLVM would otherwise optimise away.
    unsafe { core::arch::asm!("{0} &= 127", inout(reg) bytes) };
    if bytes as usize > UNIX_PATH_BYTES {
        return 0;
    }
    // SAFETY: at most UNIX_PATH_BYTES are written; the helper checks the source.
    let status = unsafe { bpf_probe_read_kernel(into.cast(), bytes as u32, name) };
    if status == 0 { bytes as u16 } else { 0 }
}
