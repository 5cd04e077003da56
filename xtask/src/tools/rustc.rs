//! What the compiler in use says about itself.

use crate::process;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::Command;

/// The compiler that cargo uses in this repository.
#[derive(Debug)]
pub struct Rustc {
    /// For example `1.95.0`.
    pub release: String,
    /// Major version of its LLVM, for example 22.
    pub llvm_major: u32,
    /// The folder above its libraries.
    pub sysroot: PathBuf,
}

impl Rustc {
    /// Asks `rustc` itself.
    pub fn ask() -> anyhow::Result<Self> {
        let version = process::output(Command::new("rustc").arg("-vV"))?;
        let field = |name: &str| {
            let value = version.lines().find_map(|line| line.strip_prefix(name));
            value.map(str::trim).with_context(|| format!("`rustc -vV` printed no line `{name}`"))
        };
        let llvm = field("LLVM version:")?;
        let llvm_major = llvm.split('.').next().and_then(|major| major.parse().ok());
        let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
        Ok(Self {
            release: field("release:")?.to_owned(),
            llvm_major: llvm_major.with_context(|| format!("cannot read LLVM version {llvm:?}"))?,
            sysroot: PathBuf::from(sysroot.trim()),
        })
    }
}
