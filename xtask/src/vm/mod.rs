//! `cargo xtask vm`: boots real kernels in an emulator and runs the tests of the kernel side in there, and a capture from
//! beginning to end.
//!
//! Needs no root and no hardware support. The machine's own verdict on its console decides, never QEMU's exit code.

mod console;
mod cpio;
mod guest;
mod initramfs;
mod machines;
mod plan;
mod qemu;

use crate::process::Interrupt;
use crate::tools::kernels::{self, Architecture, KERNELS};
use crate::{packages, tools, workspace};
use anyhow::{Context as _, bail};
use console::Told;
use guest::Program;
use machines::Machine;
use plan::Wanted;
use std::collections::VecDeque;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Options of `cargo xtask vm`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Machines to boot, for instance 5.10 or 6.12-integrity; all, if none is named
    kernel: Vec<String>,
    #[command(flatten)]
    wanted: Wanted,
}

/// An emulator that does not end by itself by then hangs.
const LIMIT: Duration = Duration::from_secs(1200);

/// Of a failed machine so many lines of its console are shown, the last ones.
const SHOWN_LINES: usize = 60;

/// `cargo xtask vm`
pub fn run(arguments: &Arguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    boot_all(&machines::named(&arguments.kernel)?, &arguments.wanted, interrupt)
}

fn boot_all(machines: &[Machine], wanted: &Wanted, interrupt: &Interrupt) -> anyhow::Result<()> {
    packages::ensure("an emulator to boot kernels in", &emulators(machines), interrupt)?;
    tools::ensure(interrupt)?;
    // What cannot be had fails its own machines, not the others.
    let mut failed = Vec::new();
    let mut waiting = VecDeque::new();
    for machine in machines {
        let kernel = KERNELS.iter().find(|kernel| kernel.name == machine.kernel);
        let kernel = kernel.with_context(|| format!("no kernel {}", machine.kernel))?;
        match kernels::ensure(kernel, machine.architecture, interrupt) {
            Ok(image) => waiting.push_back((machine, image)),
            Err(error) => {
                interrupt.check()?;
                eprintln!("xtask: {}: FAILED: {error:#}", machine.name);
                failed.push(machine.name);
            }
        }
    }
    let programs = guest::build()?;
    let folder = workspace::target()?.join("vm");
    std::fs::create_dir_all(&folder)?;

    let at_once = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (waiting, failed, passed) = (Mutex::new(waiting), Mutex::new(failed), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                let next = || locked(&waiting).pop_front();
                while let Some((machine, image)) = next() {
                    let begin = Instant::now();
                    let told = boot(machine, &image, &programs, wanted, &folder, interrupt);
                    if interrupt.count() > 0 {
                        return;
                    }
                    let seconds = begin.elapsed().as_secs_f64();
                    if show(machine, told, seconds, &folder, &mut locked(&passed)).is_err() {
                        locked(&failed).push(machine.name);
                    }
                }
            });
        }
    });
    interrupt.check()?;
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !failed.is_empty() {
        bail!("these machines failed: {}", failed.join(", "));
    }
    if *locked(&passed) == 0 && !wanted.filter.is_empty() {
        bail!("no test has any of {} in its name", wanted.filter.join(", "));
    }
    eprintln!("xtask: all machines passed; their consoles are in {}", folder.display());
    Ok(())
}

fn emulators(machines: &[Machine]) -> Vec<&'static str> {
    let has = |architecture| machines.iter().any(|machine| machine.architecture == architecture);
    let packages = [(Architecture::Amd64, "qemu-system-x86"), (Architecture::Arm64, "qemu-system-arm")];
    packages.into_iter().filter(|(architecture, _)| has(*architecture)).map(|(_, package)| package).collect()
}

fn boot(
    machine: &Machine,
    kernel: &Path,
    programs: &[Program],
    wanted: &Wanted,
    folder: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<Told> {
    let plan = plan::of(machine, programs, wanted);
    let initramfs = folder.join(format!("{}.cpio", machine.name));
    initramfs::write(&initramfs, programs, &plan)?;
    let console = console_of(machine, folder);
    let files = (kernel, initramfs.as_path());
    let end = qemu::run(machine.architecture, files, machine.parameters, &console, LIMIT, interrupt)?;
    std::fs::remove_file(&initramfs)?;
    let said = std::fs::read(&console).with_context(|| format!("cannot read {}", console.display()))?;
    Ok(console::read(&String::from_utf8_lossy(&said), end, plan.len(), wanted.filter.is_empty()))
}

fn console_of(machine: &Machine, folder: &Path) -> std::path::PathBuf {
    folder.join(format!("{}.console", machine.name))
}

/// Says how a machine ended. One machine's lines stay together.
fn show(
    machine: &Machine,
    told: anyhow::Result<Told>,
    seconds: f64,
    folder: &Path,
    passed: &mut u64,
) -> anyhow::Result<()> {
    let name = machine.name;
    let told = told.inspect_err(|error| eprintln!("xtask: {name}: FAILED: {error:#}"))?;
    eprintln!("\n=== machine {name}, kernel {}, {seconds:.0} s", told.kernel);
    for step in &told.steps {
        eprintln!("{step}");
    }
    *passed += told.passed;
    if told.failures.is_empty() {
        eprintln!("=== {name}: good");
        return Ok(());
    }
    let console = console_of(machine, folder);
    let said = std::fs::read(&console).unwrap_or_default();
    let lines: Vec<String> = String::from_utf8_lossy(&said).lines().map(str::to_owned).collect();
    eprintln!("--- end of {}:", console.display());
    for line in lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)) {
        eprintln!("{line}");
    }
    for failure in &told.failures {
        eprintln!("=== {name}: FAILED: {failure}");
    }
    bail!("{name} failed")
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
