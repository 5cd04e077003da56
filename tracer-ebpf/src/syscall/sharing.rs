//! Whether a process that is no target may hold a socket of a target. Only then the calls of all processes are looked at.

use aya_ebpf::{helpers::bpf_probe_read_user, macros::map, maps::Array};

/// 1 from the moment that a target may have shared a socket.
#[map]
static SHARED: Array<u32> = Array::with_max_entries(1, 0);

/// SOL_SOCKET and SCM_RIGHTS (include/uapi/asm-generic/socket.h, include/linux/socket.h).
const SOL_SOCKET: u32 = 1;
const SCM_RIGHTS: u32 = 1;

/// `struct cmsghdr`.
#[repr(C)]
#[derive(Clone, Copy)]
struct ControlHeader {
    bytes: u64,
    level: u32,
    kind: u32,
}

/// Address and length of the control data within `struct user_msghdr`.
const CONTROL: u64 = 32;

#[inline(always)]
pub fn is_possible() -> bool {
    // SAFETY: a value of the map.
    SHARED.get_ptr(0).is_some_and(|shared| unsafe { *shared } != 0)
}

#[inline(always)]
pub fn begins() {
    if let Some(shared) = SHARED.get_ptr_mut(0) {
        // SAFETY: a value of the map; only ever set to 1.
        unsafe { *shared = 1 }
    }
}

/// Does the message pass descriptors on? Its first control message is looked at.
#[inline(always)]
pub fn passes_descriptors(message: u64) -> bool {
    // SAFETY: the helper checks the address and fails softly.
    let Ok([control, bytes]) = (unsafe { bpf_probe_read_user((message + CONTROL) as *const [u64; 2]) })
    else {
        return false;
    };
    if bytes < size_of::<ControlHeader>() as u64 {
        return false;
    }
    // SAFETY: as above.
    match unsafe { bpf_probe_read_user(control as *const ControlHeader) } {
        Ok(header) => header.level == SOL_SOCKET && header.kind == SCM_RIGHTS,
        Err(_) => false,
    }
}
