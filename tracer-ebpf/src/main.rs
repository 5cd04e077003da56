//! The kernel programs of the socket backend. On the host target this is an empty program, so that ordinary cargo
//! commands work on the whole workspace.
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
mod kernel;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
