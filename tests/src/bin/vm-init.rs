//! The first process of an emulated machine: runs the programs of a plan and says on the console how each ended, then
//! says the verdict and switches the machine off. Never to be run on a host.

use std::io::Write as _;

use anyhow::{Context as _, ensure};
use tests::vm::{boot, plan, run};

fn main() -> anyhow::Result<()> {
    ensure!(
        std::process::id() == 1,
        "this program is for emulated machines only: it mounts file systems and switches the machine off"
    );
    let mut console = std::io::stdout();
    // The machine's verdict is this line. A machine that dies before has none.
    match check(&mut console) {
        Ok((0, steps)) => writeln!(console, "\nvm: end: passed {steps}")?,
        Ok((failed, steps)) => writeln!(console, "\nvm: end: failed {failed} of {steps}")?,
        Err(error) => writeln!(console, "\nvm: end: error: {error:#}")?,
    }
    boot::power_off()
}

/// How many steps failed, and how many there were.
fn check(console: &mut std::io::Stdout) -> anyhow::Result<(usize, usize)> {
    for sentence in boot::boot()? {
        writeln!(console, "vm: refused: {sentence}")?;
    }
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").context("no kernel release")?;
    writeln!(console, "vm: kernel: {}", release.trim())?;
    let steps = plan::read(&std::fs::read_to_string(plan::PATH).context("no plan")?)?;
    Ok((run::all(&steps, console)?, steps.len()))
}
