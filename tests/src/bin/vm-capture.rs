//! A capture of the demo's application, held against what that measured itself. Runs in the machines of `cargo xtask vm`
//! and on a host, as root, with `demo-server` and `demo-app` beside it. Arguments are passed on to `dbtap attach`.

use anyhow::Context as _;
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("no folder of this program")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sentence = tests::vm::capture::check(folder, &arguments)?;
    Ok(writeln!(std::io::stdout(), "{sentence}")?)
}
