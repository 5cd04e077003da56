//! The machine's saved registers and system call numbers, chosen at build time. A backend that reads system calls brings it.

#[cfg(bpf_target_arch = "aarch64")]
mod aarch64;
#[cfg(bpf_target_arch = "x86_64")]
mod x86_64;

#[cfg(bpf_target_arch = "aarch64")]
pub use aarch64::{Registers, argument, is_of_64_bit_program, number, syscall};
#[cfg(bpf_target_arch = "x86_64")]
pub use x86_64::{Registers, argument, is_of_64_bit_program, number, syscall};
