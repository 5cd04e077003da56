//! Boots a machine and keeps what its console says.
//!
//! QEMU's exit code says nothing: it is 0 also after a panic of the guest. One virtual CPU: with several, QEMU's emulation
//! corrupts kernels that patch their own code, and attaching probes makes them do that.

use crate::process::Interrupt;
use crate::tools::kernels::Architecture;
use anyhow::Context as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(50);

/// How the emulator ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Ended,
    /// It was killed when its time was up.
    TooLong,
}

/// Boots `kernel`, and returns when the machine is off or `limit` is over. What it says is in the file `console` then.
pub fn run(
    architecture: Architecture,
    (kernel, initramfs): (&Path, &Path),
    parameters: &str,
    console: &Path,
    limit: Duration,
    interrupt: &Interrupt,
) -> anyhow::Result<End> {
    let file = fs::File::create(console).with_context(|| format!("cannot write {}", console.display()))?;
    let (program, machine, own): (_, &[&str], _) = match architecture {
        // On a busy host the emulated timer is too late for the kernel's test of it, and the kernel gives up.
        Architecture::Amd64 => ("qemu-system-x86_64", &["-cpu", "max"], "console=ttyS0 no_timer_check"),
        // Pointer authentication as the standard defines it would take most of the emulation's time.
        Architecture::Arm64 => {
            ("qemu-system-aarch64", &["-machine", "virt", "-cpu", "max,pauth-impdef=on"], "console=ttyAMA0")
        }
    };
    // It must not outlive this process, however that ends.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig=KILL", program])
        .args(machine)
        .args(["-accel", "tcg", "-smp", "1", "-m", "1024"])
        .args(["-display", "none", "-nodefaults", "-serial", "stdio", "-no-reboot"])
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(initramfs)
        .arg("-append")
        .arg(format!("{own} quiet panic=-1 mitigations=off random.trust_cpu=on {parameters}"))
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    let mut child = Running(command.spawn().context("cannot start setpriv")?);
    let begin = Instant::now();
    loop {
        interrupt.check()?;
        if child.0.try_wait()?.is_some() {
            return Ok(End::Ended);
        }
        if begin.elapsed() > limit {
            return Ok(End::TooLong);
        }
        std::thread::sleep(POLL);
    }
}

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
