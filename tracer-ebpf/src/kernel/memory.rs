//! Reads kernel structures at offsets that user space took from BTF. An address that cannot be read gives zero, never a fault.

use core::ffi::c_void;

use aya_ebpf::helpers::bpf_probe_read_kernel;

/// The member `offset` bytes into the structure at `base`.
#[inline(always)]
pub fn read<T: Copy + Default>(base: *const c_void, offset: u32) -> T {
    // SAFETY: the helper checks the address and fails softly.
    unsafe { bpf_probe_read_kernel(at::<T>(base, offset)) }.unwrap_or_default()
}

/// The structure that the pointer member `offset` bytes into `base` points to; null where there is none.
#[inline(always)]
pub fn follow(base: *const c_void, offset: u32) -> *const c_void {
    read::<u64>(base, offset) as *const c_void
}

/// Address of a member.
#[inline(always)]
pub fn at<T>(base: *const c_void, offset: u32) -> *const T {
    base.cast::<u8>().wrapping_add(offset as usize).cast()
}
