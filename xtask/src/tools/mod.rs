//! The tools that the kernel programs' build needs beside a stable Rust toolchain: rust-src and bpf-linker.
//!
//! Each is looked for first and installed only when missing, with one line that says what and why.

mod bpf_linker;
pub mod cargo_fuzz;
mod debian;
pub mod kernels;
pub mod newer_servers;
pub mod python_packages;
mod rust_src;
mod rustc;

use crate::process::Interrupt;
use clap::ValueEnum;
use std::path::PathBuf;

/// Options of `cargo xtask tools`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where rust-src comes from; by default rustup, and Debian's package where rustup cannot install it
    #[arg(long)]
    rust_src_from: Option<Origin>,
    /// Sysroot to put rust-src into, instead of rustc's own
    #[arg(long)]
    rust_src_into: Option<PathBuf>,
    /// Also unpack the newer database servers and install the newer Python packages that the end-to-end tests run
    #[arg(long)]
    newer_servers: bool,
}

/// Where rust-src can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Origin {
    /// `rustup component add rust-src`
    Rustup,
    /// Debian's package rust-src of the same version, from the machine's own package mirror
    Debian,
}

/// Installs what is missing.
pub fn ensure(interrupt: &Interrupt) -> anyhow::Result<()> {
    run(&Arguments { rust_src_from: None, rust_src_into: None, newer_servers: false }, interrupt)
}

/// `cargo xtask tools`
pub fn run(arguments: &Arguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let rustc = rustc::Rustc::ask()?;
    let sysroot = arguments.rust_src_into.clone().unwrap_or_else(|| rustc.sysroot.clone());
    rust_src::ensure(&rustc, &sysroot, arguments.rust_src_from, interrupt)?;
    if arguments.newer_servers {
        newer_servers::ensure(interrupt)?;
        python_packages::ensure(interrupt)?;
    }
    bpf_linker::ensure(&rustc, interrupt)
}
