//! bpf-linker: turns the kernel programs' LLVM bitcode into one BPF object.

use super::rustc::Rustc;
use crate::process::{self, Interrupt};
use crate::workspace;
use anyhow::{Context as _, bail};
use std::process::{Command, Stdio};

/// The last version that builds without an LLVM of the system.
const VERSION: &str = "0.10.3";

/// Newest LLVM whose bitcode that version reads.
const LLVM_MAJOR: u32 = 22;

/// Makes sure of `.tools/bin/bpf-linker` in that version, built with this compiler.
pub fn ensure(rustc: &Rustc, interrupt: &Interrupt) -> anyhow::Result<()> {
    if rustc.llvm_major > LLVM_MAJOR {
        bail!(
            "rustc {} writes LLVM {} bitcode, and bpf-linker {VERSION} reads up to LLVM {LLVM_MAJOR}; \
             use an older toolchain here, for example: rustup override set 1.95.0",
            rustc.release,
            rustc.llvm_major
        );
    }
    let folder = workspace::tools();
    let program = folder.join("bin/bpf-linker");
    let stamp = folder.join("bpf-linker.built-with");
    let wanted = format!("bpf-linker {VERSION}, rustc {}\n", rustc.release);
    let version = Command::new(&program).arg("--version").stderr(Stdio::null()).output();
    let runs = version.is_ok_and(|done| done.stdout.starts_with(format!("bpf-linker {VERSION}").as_bytes()));
    if runs && std::fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(());
    }
    eprintln!(
        "xtask: installing bpf-linker {VERSION} into {}: it links the kernel programs (about a minute)",
        folder.display()
    );
    let mut install = Command::new("cargo");
    install
        .args(["install", "--quiet", "--locked", "--force", "bpf-linker"])
        .arg(format!("--version=={VERSION}"))
        .arg("--root")
        .arg(&folder);
    process::run(&mut install, interrupt)?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
