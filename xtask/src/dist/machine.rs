//! The machines that binaries are made for, and how each is built.
//!
//! Static with glibc: musl's standard library comes with rustup only, glibc's with every Rust. The targets are always named,
//! so that the flag for static linking does not reach build scripts and procedural macros, which the compiler loads.

use crate::process::{self, Interrupt};
use crate::{packages, workspace};
use anyhow::ensure;
use std::path::PathBuf;
use std::process::Command;

/// A cargo profile of the workspace.
const PROFILE: &str = "shipped";

/// Linker and libc of aarch64 on another machine.
const CROSS_PACKAGES: [&str; 2] = ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"];
const CROSS_LINKER: &str = "aarch64-linux-gnu-gcc";

/// A machine that dbtap runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Machine {
    /// 64-bit Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
    /// 64-bit ARM
    Aarch64,
}

impl Machine {
    /// As in the names of targets and as `uname -m` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// `e_machine` of its programs (elf.h, `EM_X86_64` and `EM_AARCH64`).
    pub fn elf_number(self) -> u16 {
        match self {
            Self::X86_64 => 62,
            Self::Aarch64 => 183,
        }
    }

    /// Its programs run here.
    pub fn is_this_one(self) -> bool {
        std::env::consts::ARCH == self.name()
    }

    /// Builds dbtap and returns the binary's path.
    pub fn build(self, interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
        let target = format!("{}-unknown-linux-gnu", self.name());
        let mut command = Command::new("cargo");
        command.args(["build", "--locked", "--package=tracer", "--features=bpf", "--bin=dbtap"]);
        command.arg(format!("--profile={PROFILE}")).arg(format!("--target={target}"));
        command.env("RUSTFLAGS", "-C target-feature=+crt-static");
        if !self.is_this_one() {
            ensure!(self == Self::Aarch64, "binaries for {} are built on {} only", self.name(), self.name());
            packages::ensure("building for aarch64", &CROSS_PACKAGES, interrupt)?;
            // The standard library for another machine is not here, but its source is: the kernel programs need it too.
            command.arg("-Zbuild-std=std").env("RUSTC_BOOTSTRAP", "1");
            command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", CROSS_LINKER);
        }
        process::run(&mut command, interrupt)?;
        let binary = workspace::target()?.join(target).join(PROFILE).join("dbtap");
        ensure!(binary.is_file(), "cargo built no {}", binary.display());
        Ok(binary)
    }
}
