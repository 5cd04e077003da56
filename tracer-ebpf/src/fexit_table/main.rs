//! The kernel programs of the fexit backend for kernels without `bpf_loop` (Linux 5.10 to 5.16): as `fexit`, with the states of
//! sockets in a table. On the host target this is an empty program.
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
mod argument;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/iovec/kernel.rs"]
mod iovec;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/mod.rs"]
mod kernel;
#[cfg(target_arch = "bpf")]
#[path = "../fexit/message.rs"]
mod message;
#[cfg(target_arch = "bpf")]
#[path = "../fexit/pages.rs"]
mod pages;
#[cfg(target_arch = "bpf")]
mod release;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/repeat/bounded.rs"]
mod repeat;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/store/table.rs"]
mod store;
#[cfg(target_arch = "bpf")]
#[path = "../fexit/transfer.rs"]
mod transfer;

/// Nothing leaves it but what is closed (`release`): a state that made room for another one would come back with positions
/// that begin anew. When it is full, the sockets without a place are counted.
#[cfg(target_arch = "bpf")]
type SocketTable<T> = aya_ebpf::maps::HashMap<u64, T>;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
