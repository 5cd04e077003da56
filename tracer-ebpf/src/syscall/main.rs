//! The kernel programs of the syscall backend, the last resort: entry and exit of system calls, of every process of
//! the host. On the host target this is an empty program.
//!
//! A program here never writes to a target, never waits, and turns away processes that are no targets first thing. It uses
//! no helper that Linux 5.10 lacks.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![cfg_attr(
    target_arch = "bpf",
    expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lengths are bounded by masks that the verifier checks; a checked conversion is a branch it must follow"
    )
)]

#[cfg(target_arch = "bpf")]
mod abi;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/arch/mod.rs"]
mod arch;
#[cfg(target_arch = "bpf")]
mod calls;
#[cfg(target_arch = "bpf")]
mod descriptor;
#[cfg(target_arch = "bpf")]
mod in_progress;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/iovec/user.rs"]
mod iovec;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/mod.rs"]
mod kernel;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/repeat/bounded.rs"]
mod repeat;
#[cfg(target_arch = "bpf")]
mod sharing;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/store/table.rs"]
mod store;
#[cfg(target_arch = "bpf")]
mod transfer;

/// Nobody tells which sockets are closed: the one that was not used for longest makes room.
#[cfg(target_arch = "bpf")]
type SocketTable<T> = aya_ebpf::maps::LruHashMap<u64, T>;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
