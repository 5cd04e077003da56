//! The kernel programs of the fexit backend (Linux 5.17 on): the kernel's own functions that send and receive,
//! where they return. For older kernels there is `fexit_table`. On the host target this is an empty program.
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
mod argument;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/iovec/kernel.rs"]
mod iovec;
#[cfg(target_arch = "bpf")]
#[path = "../kernel/mod.rs"]
mod kernel;
#[cfg(target_arch = "bpf")]
mod message;
#[cfg(target_arch = "bpf")]
mod pages;
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
