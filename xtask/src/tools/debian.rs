//! Packages of another of Debian's suites, unpacked without installing them: a compiler's library source, newer servers.
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
    for name in SUITES {
        let wanted = [format!("rust-src={release}*")];
        let found = Suite::open(name, interrupt).and_then(|suite| {
            let packages = suite.download(&wanted, interrupt)?;
            Ok((suite, packages))
        });
        let (suite, packages) = match found {
            Ok(found) => found,
            Err(error) => {
                interrupt.check()?;
                eprintln!("xtask: {name} has no rust-src {release}: {error:#}");
                continue;
            }
        };
        let unpacked = suite.scratch().join("unpacked");
        unpack(&packages, &unpacked, interrupt)?;
        // The package also holds the compiler's own source, which nobody needs here.
        let library = unpacked.join(format!("usr/src/rustc-{release}/library"));
        return replace(&library, &tree.join("library"), interrupt);
    }
    bail!("Debian has no package rust-src {release} in {}", SUITES.join(", "))
}

/// One of Debian's suites, with apt's state in a folder that is gone when dropped.
#[derive(Debug)]
pub struct Suite {
    scratch: tempfile::TempDir,
    /// Debian's name of another architecture than this machine's.
    architecture: Option<&'static str>,
}

impl Suite {
    /// Takes the suite's package list. Errors when the mirror is not reached or has no such suite.
    pub fn open(name: &str, interrupt: &Interrupt) -> anyhow::Result<Self> {
        Self::open_of(name, None, interrupt)
    }

    /// As [`Self::open`], with the packages of another architecture, by Debian's name of it.
    pub fn open_of(
        name: &str,
        architecture: Option<&'static str>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Self> {
        let scratch = tempfile::tempdir().context("cannot make a scratch folder")?;
        let suite = Self { scratch, architecture };
        let folder = suite.scratch();
        for inner in ["state/lists/partial", "cache/archives/partial", "packages"] {
            std::fs::create_dir_all(folder.join(inner))?;
        }
        let mirror = mirror().unwrap_or_else(|| DEFAULT_MIRROR.to_owned());
        std::fs::write(folder.join("status"), "")?;
        std::fs::write(folder.join("sources.list"), format!("deb {mirror} {name} main\n"))?;
        process::run(suite.apt("apt-get").args(["update", "--error-on=any"]), interrupt)?;
        Ok(suite)
    }

    /// A folder for whatever the caller makes of the packages.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The names of all its packages that begin so.
    pub fn names(&self, beginning: &str) -> anyhow::Result<Vec<String>> {
        let said = process::output(self.apt("apt-cache").args(["pkgnames", beginning]))?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// The names of these packages and of all that they depend on, as apt would install them on an empty machine.
    pub fn with_dependencies(&self, packages: &[&str]) -> anyhow::Result<Vec<String>> {
        let mut simulate = self.apt("apt-get");
        simulate.args(["--simulate", "--no-install-recommends", "install"]).args(packages);
        let said = process::output(&mut simulate)?;
        let names = said.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
        Ok(names.map(str::to_owned).collect())
    }

    /// Downloads packages (`NAME` or `NAME=VERSION`) and returns their paths.
    pub fn download(&self, packages: &[String], interrupt: &Interrupt) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.scratch().join("packages");
        let mut download = self.apt("apt-get");
        process::run(download.arg("download").args(packages).current_dir(&folder), interrupt)?;
        let files: Vec<PathBuf> =
            std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        anyhow::ensure!(files.len() >= packages.len(), "apt-get downloaded {} of {packages:?}", files.len());
        Ok(files)
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let option = |name: &str, path: &str| format!("-o{name}={}", self.scratch().join(path).display());
        command
            .arg("--quiet=2")
            .arg(option("Dir::Etc::SourceList", "sources.list"))
            .arg("-oDir::Etc::SourceParts=/dev/null")
            .arg(option("Dir::State", "state"))
            .arg(option("Dir::State::Lists", "state/lists"))
            .arg(option("Dir::State::status", "status"))
            .arg(option("Dir::Cache", "cache"))
            // apt's unprivileged download user cannot enter the scratch folder.
            .arg("-oAPT::Sandbox::User=");
        if let Some(architecture) = self.architecture {
            command
                .arg(format!("-oAPT::Architecture={architecture}"))
                .arg(format!("-oAPT::Architectures={architecture}"));
        }
        command
    }
}

/// Unpacks packages into a folder, without running anything of them.
pub fn unpack(packages: &[PathBuf], folder: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    for package in packages {
        process::run(Command::new("dpkg").arg("-x").arg(package).arg(folder), interrupt)?;
    }
    Ok(())
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
