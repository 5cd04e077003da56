//! Debian's package rust-src, unpacked without installing it, for machines whose rustup cannot download.
//!
//! Uses the mirror and keys that the machine's apt uses already, and a scratch folder for apt's state: the
//! machine's own package lists and sources stay as they are.

use crate::process::{self, Interrupt};
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where packages come from when apt names no Debian mirror.
const DEFAULT_MIRROR: &str = "http://deb.debian.org/debian/";

/// Suites that may carry a compiler newer than the machine's own release, tried in order.
const SUITES: [&str; 3] = ["trixie-backports", "testing", "unstable"];

/// Puts the library source of a compiler release at `tree` (`.../lib/rustlib/src/rust`).
///
/// A library that is there already is replaced. Errors when no suite has that release.
pub fn place_rust_src(release: &str, tree: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let mirror = mirror().unwrap_or_else(|| DEFAULT_MIRROR.to_owned());
    for suite in SUITES {
        let scratch = tempfile::tempdir().context("cannot make a scratch folder")?;
        let package = match download(&mirror, suite, release, scratch.path(), interrupt) {
            Ok(package) => package,
            Err(error) => {
                interrupt.check()?;
                eprintln!("xtask: {suite} has no rust-src {release}: {error:#}");
                continue;
            }
        };
        let unpacked = scratch.path().join("unpacked");
        process::run(Command::new("dpkg").arg("-x").arg(&package).arg(&unpacked), interrupt)?;
        // The package also holds the compiler's own source, which nobody needs here.
        let library = unpacked.join(format!("usr/src/rustc-{release}/library"));
        return replace(&library, &tree.join("library"), interrupt);
    }
    bail!("Debian has no package rust-src {release} in {}", SUITES.join(", "))
}

/// The mirror that this machine's apt takes Debian packages from.
fn mirror() -> Option<String> {
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]);
    let mirrors = process::output(&mut ask).ok()?;
    // Security updates live in an archive of their own, which has no other suites.
    let main = mirrors.lines().find(|uri| !uri.trim_end_matches('/').ends_with("security"))?;
    Some(main.to_owned())
}

/// Downloads the package into the scratch folder and returns its path.
fn download(
    mirror: &str,
    suite: &str,
    release: &str,
    scratch: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<PathBuf> {
    for folder in ["state/lists/partial", "cache/archives/partial", "package"] {
        std::fs::create_dir_all(scratch.join(folder))?;
    }
    std::fs::write(scratch.join("status"), "")?;
    std::fs::write(scratch.join("sources.list"), format!("deb {mirror} {suite} main\n"))?;
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        let option = |name: &str, path: &str| format!("-o{name}={}", scratch.join(path).display());
        command
            .arg("--quiet=2")
            .arg(option("Dir::Etc::SourceList", "sources.list"))
            .arg("-oDir::Etc::SourceParts=/dev/null")
            .arg(option("Dir::State", "state"))
            .arg(option("Dir::State::Lists", "state/lists"))
            .arg(option("Dir::State::status", "status"))
            .arg(option("Dir::Cache", "cache"))
            // apt's unprivileged download user cannot enter the scratch folder.
            .arg("-oAPT::Sandbox::User=")
            .args(words)
            .current_dir(scratch.join("package"));
        command
    };
    process::run(&mut apt(&["update", "--error-on=any"]), interrupt)?;
    process::run(&mut apt(&["download", &format!("rust-src={release}*")]), interrupt)?;
    let mut files = std::fs::read_dir(scratch.join("package"))?;
    Ok(files.next().context("apt-get downloaded nothing")??.path())
}

/// Puts `new` in the place of `tree`: complete or not at all.
fn replace(new: &Path, tree: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let folder = tree.parent().context("no folder above the source tree")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    let beside =
        tempfile::tempdir_in(folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    // The scratch folder may be on another file system, where a rename cannot reach.
    let complete = beside.path().join("library");
    process::run(Command::new("cp").arg("-r").arg(new).arg(&complete), interrupt)?;
    if tree.exists() {
        std::fs::remove_dir_all(tree).with_context(|| format!("cannot replace {}", tree.display()))?;
    }
    std::fs::rename(&complete, tree).with_context(|| format!("cannot write {}", tree.display()))
}
