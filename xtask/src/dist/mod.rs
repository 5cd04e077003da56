//! `cargo xtask dist`: what is given to others. A static binary for each machine, the man page, completions, and checksums.
//!
//! Every binary is tried as far as this machine can: its headers always, and a run in a root folder that holds nothing else.

mod elf;
mod machine;

use crate::process::{self, Interrupt};
use crate::{root, tools, workspace};
use anyhow::{Context as _, ensure};
use clap::ValueEnum as _;
pub use machine::Machine;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Options of `cargo xtask dist`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Machines to build for; all of them when none is named
    machines: Vec<Machine>,
}

/// Shell completions, by the shell's name for `dbtap completions` and by the file name that the shell looks for.
const COMPLETIONS: [(&str, &str); 3] = [("bash", "dbtap.bash"), ("zsh", "_dbtap"), ("fish", "dbtap.fish")];

/// Mounts what a kernel shows of itself into a folder, and runs the binary with that folder as its root. The mounts end with
/// the mount namespace, so with the shell.
const IN_EMPTY_ROOT: &str =
    r#"mount -t proc proc "$0/proc" && mount -t sysfs sys "$0/sys" && exec chroot "$0" "$@""#;

/// Builds everything into `target/dist`.
pub fn run(arguments: &Arguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    tools::ensure(interrupt)?;
    let folder = workspace::target()?.join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let all = Machine::value_variants();
    let machines = if arguments.machines.is_empty() { all } else { arguments.machines.as_slice() };
    for machine in machines {
        let built = machine.build(interrupt)?;
        let bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
        elf::check(&bytes, machine.elf_number())
            .with_context(|| format!("{} does not run everywhere", built.display()))?;
        let name = format!("dbtap-{}-{}-linux", env!("CARGO_PKG_VERSION"), machine.name());
        let binary = folder.join(name);
        fs::copy(&built, &binary).with_context(|| format!("cannot write {}", binary.display()))?;
        if machine.is_this_one() {
            try_in_empty_root(&binary, interrupt)?;
            write_documents(&binary, &folder)?;
        }
    }
    write_checksums(&folder)?;
    eprintln!("xtask: made {}", folder.display());
    Ok(())
}

/// As on a host of which nothing is known: no libc, no `/etc`, no shell.
fn try_in_empty_root(binary: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    root::ensure("trying the binary in an empty root folder")?;
    let empty = tempfile::tempdir()?;
    for name in ["proc", "sys"] {
        fs::create_dir(empty.path().join(name))?;
    }
    fs::copy(binary, empty.path().join("dbtap"))?;
    let run = |arguments: &[&str]| -> anyhow::Result<String> {
        let mut command = root::command("unshare");
        command.args(["--mount", "--propagation=private", "sh", "-c", IN_EMPTY_ROOT]);
        command.arg(empty.path()).arg("/dbtap").args(arguments).stdin(Stdio::null());
        let done =
            command.output().with_context(|| format!("cannot start `{}`", process::describe(&command)))?;
        interrupt.check()?;
        Ok(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let version = run(&["--version"])?;
    ensure!(
        version.trim() == format!("dbtap {}", env!("CARGO_PKG_VERSION")),
        "in an empty root folder, `dbtap --version` printed: {version}"
    );
    // Whether this kernel allows tracing is another matter; that it was found out is what counts.
    let doctor = run(&["doctor"])?;
    let verdict = doctor.lines().last().unwrap_or_default();
    ensure!(
        verdict.starts_with("Ready") || verdict.starts_with("Not ready"),
        "in an empty root folder, `dbtap doctor` printed: {doctor}"
    );
    eprintln!("xtask: in an empty root folder, `dbtap doctor` says: {verdict}");
    Ok(())
}

fn write_documents(binary: &Path, folder: &Path) -> anyhow::Result<()> {
    let write = |name: &str, arguments: &[&str]| -> anyhow::Result<()> {
        let text = process::output(Command::new(binary).args(arguments))?;
        ensure!(!text.is_empty(), "`dbtap {}` printed nothing", arguments.join(" "));
        fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    for (shell, name) in COMPLETIONS {
        write(name, &["completions", shell])?;
    }
    write("dbtap.1", &["man"])
}

/// `sha256sum --check SHA256SUMS` in the folder verifies it.
fn write_checksums(folder: &Path) -> anyhow::Result<()> {
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().into());
    }
    names.sort();
    let sums = process::output(Command::new("sha256sum").args(&names).current_dir(folder))?;
    ensure!(sums.lines().count() == names.len(), "sha256sum printed: {sums}");
    fs::write(folder.join("SHA256SUMS"), sums).context("cannot write SHA256SUMS")
}
