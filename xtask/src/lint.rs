//! `cargo xtask lint`: the fast checks. Runs nothing that needs root or a server.

use crate::process::Interrupt;
use crate::step::{self, Step};
use crate::tools;

/// Makes sure of the tools and runs the checks.
pub fn run(interrupt: &Interrupt) -> anyhow::Result<()> {
    tools::ensure(interrupt)?;
    step::run_all(steps(), interrupt)
}

/// The checks, quickest first.
pub fn steps() -> Vec<Step> {
    let tidy = "test --locked --package xtask --test tidy";
    let host = "clippy --workspace --all-targets --locked --features tracer/bpf -- -D warnings";
    // The core must build without the kernel part; then it cannot depend on it.
    let core = "clippy --package tracer --all-targets --locked --no-default-features -- -D warnings";
    let kernel = "clippy --package tracer-ebpf --locked --target bpfel-unknown-none -Z build-std=core \
                  -- -D warnings";
    let documents = "doc --workspace --no-deps --locked";
    vec![
        Step::cargo("format", "fmt --all --check"),
        Step::cargo("format, fuzz targets", "fmt --manifest-path fuzz/Cargo.toml --check"),
        // Their workspace has a lock file of its own, which a new dependency of tracer makes stale.
        Step::cargo("lock file, fuzz targets", "tree --manifest-path fuzz/Cargo.toml --locked --depth=0"),
        Step::cargo("house rules", tidy),
        Step::cargo("clippy, host side", host),
        Step::cargo("clippy, without the kernel part", core),
        // -Z on a stable toolchain; .cargo/config.toml says why.
        kernel_side("clippy, kernel side", kernel, "x86_64"),
        kernel_side("clippy, kernel side of aarch64", kernel, "aarch64"),
        Step::cargo("documents", documents).with("RUSTDOCFLAGS", "-D warnings"),
    ]
}

/// Registers and call numbers are those of one machine, chosen as tracer's build script does it.
fn kernel_side(heading: &'static str, clippy: &str, machine: &str) -> Step {
    Step::cargo(heading, clippy)
        // -Z on a stable toolchain; .cargo/config.toml says why.
        .with("RUSTC_BOOTSTRAP", "1")
        .with("RUSTFLAGS", format!("--cfg=bpf_target_arch=\"{machine}\""))
}
