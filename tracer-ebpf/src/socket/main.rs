//! The kernel programs of the socket backend (Linux 6.3): tracepoints that fire once for every completed send or receive.
//! On the host target this is an empty program, so that ordinary cargo commands work on the whole workspace.
//!
//! A program here never writes to a target, never waits, and turns away processes that are no targets first thing.
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
#[path = "../kernel/arch/mod.rs"]
mod arch;
#[cfg(target_arch = "bpf")]
mod buffers;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/iovec/user.rs"]
mod iovec;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/mod.rs"]
mod kernel;
#[cfg(target_arch = "bpf")]
mod registers;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/repeat/bpf_loop.rs"]
mod repeat;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/store/sk_storage.rs"]
mod store;
#[cfg(target_arch = "bpf")]
mod transfer;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
