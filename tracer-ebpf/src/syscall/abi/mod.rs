//! What only this backend needs to know of the machine's system calls, chosen at build time.

#[cfg(bpf_target_arch = "aarch64")]
mod aarch64;
#[cfg(bpf_target_arch = "x86_64")]
mod x86_64;

#[cfg(bpf_target_arch = "aarch64")]
pub use aarch64::{SENDFILE, SPLICE, came_by_32_bit_gate, forks, moves_bytes_32_bit};
#[cfg(bpf_target_arch = "x86_64")]
pub use x86_64::{SENDFILE, SPLICE, came_by_32_bit_gate, forks, moves_bytes_32_bit};
