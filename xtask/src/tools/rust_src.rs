//! rust-src: the source of `core`, which has to be built for the BPF target because no prebuilt one exists.

use super::rustc::Rustc;
use super::{Origin, debian};
use crate::process::{self, Interrupt};
use anyhow::{Context as _, ensure};
use std::path::Path;
use std::process::Command;

/// Marks a tree that rustup does not look after, with the release that it belongs to.
const MARK: &str = "lib/rustlib/src/rust/.placed-for-rustc";

/// Makes sure that `sysroot` has the library source of exactly this compiler.
///
/// Without an `origin`: rustup first, Debian's package where rustup is missing or cannot download.
pub fn ensure(
    rustc: &Rustc,
    sysroot: &Path,
    origin: Option<Origin>,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    if is_present(rustc, sysroot) {
        return Ok(());
    }
    eprintln!(
        "xtask: installing rust-src of rustc {}: the kernel programs need `core` built for their target",
        rustc.release
    );
    let from_debian = match origin {
        Some(origin) => origin == Origin::Debian,
        None => match with_rustup(interrupt) {
            Ok(()) => false,
            Err(error) => {
                interrupt.check()?;
                eprintln!("xtask: {error:#}; taking Debian's package rust-src instead");
                true
            }
        },
    };
    if from_debian {
        let tree = sysroot.join("lib/rustlib/src/rust");
        debian::place_rust_src(&rustc.release, &tree, interrupt).with_context(|| {
            format!("no rust-src for rustc {}; `rustup component add rust-src` would do it", rustc.release)
        })?;
        std::fs::write(sysroot.join(MARK), &rustc.release).context("cannot mark the new rust-src")?;
    } else if origin.is_some() {
        with_rustup(interrupt)?;
    }
    ensure!(is_present(rustc, sysroot), "rust-src was installed, but is not in {}", sysroot.display());
    Ok(())
}

fn is_present(rustc: &Rustc, sysroot: &Path) -> bool {
    let core = sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml");
    // A compiler that rustup has since replaced leaves the tree that was placed by hand behind.
    let placed_for = std::fs::read_to_string(sysroot.join(MARK)).ok();
    core.is_file() && placed_for.is_none_or(|release| release == rustc.release)
}

fn with_rustup(interrupt: &Interrupt) -> anyhow::Result<()> {
    ensure!(process::exists("rustup"), "there is no rustup here");
    process::run(Command::new("rustup").args(["component", "add", "rust-src"]), interrupt)
}
