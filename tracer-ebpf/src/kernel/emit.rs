//! Writes transfer records: a reservation of the right class, the header, and the user bytes copied straight into it.

use core::{ffi::c_void, ptr};

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use tracer_ebpf::{LARGE_BYTES, MEDIUM_BYTES, SMALL_BYTES, Transfer, counter, flag};

use super::maps::{NO_WAKEUP, RECORDS, count};

#[repr(C)]
struct Record<const N: usize> {
    header: Transfer,
    payload: [u8; N],
}

/// Writes the header and copies `header.captured` bytes from `user`.
#[inline(always)]
pub fn record(header: &Transfer, user: u64) {
    let wanted = header.captured as usize;
    if wanted == 0 {
        without_payload(header);
    } else if wanted < SMALL_BYTES {
        let mut bytes = wanted as u64;
        // SAFETY: only narrows the value. LLVM can prove such a mask redundant and drop it, and the verifier then refuses.
        unsafe { core::arch::asm!("{0} &= 255", inout(reg) bytes) };
        with_payload::<SMALL_BYTES>(header, user, bytes);
    } else if wanted < MEDIUM_BYTES {
        let mut bytes = wanted as u64;
        // SAFETY: as above.
        unsafe { core::arch::asm!("{0} &= 2047", inout(reg) bytes) };
        with_payload::<MEDIUM_BYTES>(header, user, bytes);
    } else {
        let mut bytes = wanted as u64;
        // SAFETY: as above.
        unsafe { core::arch::asm!("{0} &= 16383", inout(reg) bytes) };
        with_payload::<LARGE_BYTES>(header, user, bytes);
    }
}

#[inline(always)]
fn with_payload<const N: usize>(header: &Transfer, user: u64, bytes: u64) {
    let Some(mut entry) = RECORDS.reserve::<Record<N>>(0) else {
        return lost(header);
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the entry is ours until submitted; `bytes` < N by the mask of the caller.
    unsafe {
        ptr::write(&raw mut (*record).header, *header);
        let payload = (&raw mut (*record).payload).cast::<c_void>();
        if bpf_probe_read_user(payload, bytes as u32, user as *const c_void) != 0 {
            (*record).header.captured = 0;
            (*record).header.flags = header.flags | flag::UNREADABLE;
        }
    }
    entry.submit(NO_WAKEUP);
}

#[inline(always)]
fn without_payload(header: &Transfer) {
    let Some(mut entry) = RECORDS.reserve::<Transfer>(0) else {
        return lost(header);
    };
    entry.write(*header);
    entry.submit(NO_WAKEUP);
}

#[inline(always)]
fn lost(header: &Transfer) {
    count(counter::LOST_RECORDS, 1);
    count(counter::LOST_BYTES, u64::from(header.length));
}
