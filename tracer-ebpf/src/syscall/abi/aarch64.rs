//! aarch64: include/uapi/asm-generic/unistd.h and arch/arm/tools/syscall.tbl.

pub const SENDFILE: u64 = 71;
pub const SPLICE: u64 = 76;

/// clone, clone3.
#[inline(always)]
pub fn forks(number: u64) -> bool {
    matches!(number, 220 | 435)
}

/// read, write, send to recvfrom, sendmsg, recvmsg. No 32-bit program talks over sockets without one of them.
#[inline(always)]
pub fn moves_bytes_32_bit(number: u64) -> bool {
    matches!(number, 3 | 4 | 289..=292 | 296 | 297)
}

/// A program's own registers tell whether it has 32 bits; there is no other gate.
#[inline(always)]
pub fn came_by_32_bit_gate() -> bool {
    false
}
