//! Where things are: the repository, and the folder that cargo builds into.

use crate::process;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root folder.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The folder for tools that only this repository uses.
pub fn tools() -> PathBuf {
    root().join(".tools")
}

/// The folder that cargo builds into: asked of cargo, because a variable or a configuration file may move it.
pub fn target() -> anyhow::Result<PathBuf> {
    let arguments = ["metadata", "--format-version=1", "--no-deps", "--locked", "--offline"];
    let text = process::output(Command::new("cargo").args(arguments))?;
    let metadata: serde_json::Value = serde_json::from_str(&text).context("cargo metadata: not JSON")?;
    let folder = metadata["target_directory"].as_str().context("cargo metadata: no target_directory")?;
    Ok(PathBuf::from(folder))
}
