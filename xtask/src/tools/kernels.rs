//! Linux kernels of Debian's suites, unpacked into `.tools/kernels/ARCHITECTURE/NAME`, for tests that boot them. Never
//! installed.
//!
//! Package names carry the version, and versions move: they are found by pattern in the package lists.

use super::debian::{self, Suite};
use crate::process::Interrupt;
use crate::workspace;
use anyhow::{Context as _, bail, ensure};
use std::path::{Path, PathBuf};

/// A machine architecture that Debian builds cloud kernels for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// x86-64
    Amd64,
    /// aarch64
    Arm64,
}

impl Architecture {
    /// Debian's name.
    pub fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// Which kernel of a suite: a series is the first two numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Series {
    /// The newest of this series.
    Exactly([u32; 2]),
    /// The newest of the oldest series that is not older than this one: backports drop what is old.
    From([u32; 2]),
    /// The newest of all.
    Newest,
}

/// A kernel that can be had.
#[derive(Debug)]
pub struct Kernel {
    /// Name of its folder, and what a person calls it.
    pub name: &'static str,
    /// Debian's suites to look in: the newest that any of them has.
    pub suites: &'static [&'static str],
    /// What to take there.
    pub series: Series,
}

/// Every kernel that the tests boot.
pub const KERNELS: [Kernel; 6] = [
    Kernel { name: "5.10", suites: &["bullseye"], series: Series::Exactly([5, 10]) },
    Kernel { name: "6.1", suites: &["bookworm"], series: Series::Exactly([6, 1]) },
    Kernel { name: "6.12", suites: &["trixie"], series: Series::Exactly([6, 12]) },
    Kernel { name: "6.18", suites: &["trixie-backports"], series: Series::From([6, 18]) },
    Kernel { name: "sid", suites: &["unstable"], series: Series::Newest },
    Kernel { name: "newest", suites: &["unstable", "trixie-backports"], series: Series::Newest },
];

/// Makes sure of a kernel and returns its image. Quick, and without the network, when it is there; delete its folder to get a newer one.
pub fn ensure(kernel: &Kernel, architecture: Architecture, interrupt: &Interrupt) -> anyhow::Result<PathBuf> {
    let folder = workspace::tools().join("kernels").join(architecture.debian()).join(kernel.name);
    let image = folder.join("vmlinuz");
    if image.is_file() {
        return Ok(image);
    }
    eprintln!(
        "xtask: unpacking a kernel of Debian {} into {}, for tests that boot it",
        kernel.suites.join(" or "),
        folder.display()
    );
    let (suite, package) = find(kernel, architecture, interrupt)?;
    place(&suite, &package, &folder, interrupt).with_context(|| format!("cannot unpack {package}"))?;
    Ok(image)
}

fn find(
    kernel: &Kernel,
    architecture: Architecture,
    interrupt: &Interrupt,
) -> anyhow::Result<(Suite, String)> {
    let mut best: Option<(Vec<u32>, Suite, String)> = None;
    for name in kernel.suites {
        let found = Suite::open_of(name, Some(architecture.debian()), interrupt).and_then(|suite| {
            let names = suite.names("linux-")?;
            let chosen = choose(names.iter().map(String::as_str), architecture, kernel.series);
            let (version, package) = chosen.context("no package of such a cloud kernel")?;
            Ok((version, suite, package.to_owned()))
        });
        match found {
            Ok(found) if best.as_ref().is_none_or(|(version, ..)| *version < found.0) => best = Some(found),
            Ok(_) => {}
            Err(error) => {
                interrupt.check()?;
                eprintln!("xtask: Debian {name} has no kernel for {}: {error:#}", kernel.name);
            }
        }
    }
    match best {
        Some((_, suite, package)) => Ok((suite, package)),
        None => bail!(
            "no kernel {} for {} in Debian {}: is this machine's mirror complete?",
            kernel.name,
            architecture.debian(),
            kernel.suites.join(", ")
        ),
    }
}

/// The numbers at the start of a version: `6.12.107+deb13` is 6, 12, 107; `5.10.0-32` is 5, 10, 0, 32.
fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

/// Of package names, the kernel to take, with its version.
fn choose<'a>(
    names: impl Iterator<Item = &'a str>,
    architecture: Architecture,
    series: Series,
) -> Option<(Vec<u32>, &'a str)> {
    let end = format!("-cloud-{}", architecture.debian());
    let mut kernels: Vec<(Vec<u32>, bool, &str)> = names
        .filter_map(|name| {
            // From 6.19 on the image package only names the one that has the files.
            let has_files = name.starts_with("linux-binary-");
            let rest = name.strip_prefix("linux-binary-").or_else(|| name.strip_prefix("linux-image-"))?;
            let version = numbers(rest.strip_suffix(&end)?);
            // With two numbers it is a package that only depends on the current one.
            (version.len() >= 3).then_some((version, has_files, name))
        })
        .collect();
    kernels.sort();
    let series = match series {
        Series::Exactly(series) => Some(series.to_vec()),
        Series::From(first) => kernels
            .iter()
            .filter_map(|(version, ..)| version.get(..2))
            .find(|series| *series >= first.as_slice())
            .map(<[u32]>::to_vec),
        Series::Newest => kernels.last().and_then(|(version, ..)| version.get(..2)).map(<[u32]>::to_vec),
    }?;
    let newest = kernels.into_iter().rfind(|(version, ..)| version.starts_with(&series));
    newest.map(|(version, _, name)| (version, name))
}

/// Complete or not at all.
fn place(suite: &Suite, package: &str, folder: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let packages = suite.download(&[package.to_owned()], interrupt)?;
    let unpacked = suite.scratch().join("unpacked");
    debian::unpack(&packages, &unpacked, interrupt)?;
    let image = image(&unpacked)?.context("the package holds no kernel image")?;
    let above = folder.parent().context("no folder above")?;
    std::fs::create_dir_all(above)?;
    let beside = tempfile::tempdir_in(above)?;
    let complete = beside.path().join("kernel");
    std::fs::create_dir(&complete)?;
    std::fs::copy(&image, complete.join("vmlinuz")).context("cannot copy the kernel image")?;
    // For a person who wants to know.
    std::fs::write(complete.join("package"), format!("{package}\n"))?;
    ensure!(!folder.exists(), "{} is in the way; delete it", folder.display());
    std::fs::rename(&complete, folder).with_context(|| format!("cannot write {}", folder.display()))
}

/// `boot/vmlinuz-VERSION`, or, from 6.19 on, `usr/lib/modules/VERSION/vmlinuz`.
fn image(unpacked: &Path) -> anyhow::Result<Option<PathBuf>> {
    let (boot, modules) = (unpacked.join("boot"), unpacked.join("usr/lib/modules"));
    if boot.is_dir() {
        for entry in std::fs::read_dir(boot)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("vmlinuz-") {
                return Ok(Some(entry.path()));
            }
        }
    }
    if modules.is_dir() {
        for entry in std::fs::read_dir(modules)? {
            let image = entry?.path().join("vmlinuz");
            if image.is_file() {
                return Ok(Some(image));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &str, series: Series, expected: &str) {
        let chosen = choose(names.split(' '), Architecture::Amd64, series);
        assert_eq!(chosen.map_or("none", |(_, name)| name), expected, "{series:?} of {names}");
    }

    #[test]
    fn the_newest_of_a_series() {
        let names = "linux-image-5.10.0-9-cloud-amd64 linux-image-5.10.0-32-cloud-amd64 linux-image-5.10.0-32-amd64 \
                     linux-image-5.10.0-33-cloud-amd64-unsigned linux-image-5.10.0-40-cloud-arm64 \
                     linux-image-cloud-amd64 linux-image-6.1-cloud-amd64 linux-headers-5.10.0-50-cloud-amd64";
        check(names, Series::Exactly([5, 10]), "linux-image-5.10.0-32-cloud-amd64");
        check(names, Series::Exactly([5, 1]), "none");
        check(names, Series::Newest, "linux-image-5.10.0-32-cloud-amd64");
        check("linux-image-amd64", Series::Newest, "none");
    }

    #[test]
    fn the_oldest_series_that_is_new_enough() {
        let backports = "linux-image-6.16.12+deb13-cloud-amd64 linux-image-6.18.9+deb13-cloud-amd64 \
                         linux-image-6.18.15+deb13-cloud-amd64 linux-image-7.3.4+deb13-cloud-amd64 \
                         linux-binary-7.3.4+deb13-cloud-amd64";
        check(backports, Series::From([6, 18]), "linux-image-6.18.15+deb13-cloud-amd64");
        check(backports, Series::From([6, 19]), "linux-binary-7.3.4+deb13-cloud-amd64");
        check(backports, Series::From([7, 4]), "none");
        check(backports, Series::Newest, "linux-binary-7.3.4+deb13-cloud-amd64");
    }
}
