//! Python packages that are newer than the machine's release, or that it has not: MongoDB's own driver, and a server that
//! speaks its wire protocol. They go into `.tools/python`; the end-to-end tests name that folder in `PYTHONPATH`.

use crate::process::{self, Interrupt};
use crate::workspace;
use std::process::Command;

/// With everything that they need, so that a later version of something changes no test.
const PACKAGES: [&str; 4] = ["pymongo==4.20.0", "nx-27017==0.8.1", "neosqlite==1.17.2", "dnspython==2.9.2"];

/// Installs them with pip where they are not there in these versions. Quick, and without the network, when they are.
pub fn ensure(interrupt: &Interrupt) -> anyhow::Result<()> {
    let folder = workspace::tools().join("python");
    // Written last: without it, an installation was interrupted.
    let installed = folder.join("installed");
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let shown = folder.display();
    eprintln!("xtask: installing {} into {shown}, for tests with MongoDB's drivers", PACKAGES.join(", "));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    // The interpreter that the tests use: compiled modules belong to one version.
    let mut install = Command::new("/usr/bin/python3");
    install.args(["-m", "pip", "install", "--quiet", "--no-input", "--no-deps"]);
    install.args(["--disable-pip-version-check", "--root-user-action=ignore"]);
    install.arg("--target").arg(&folder).args(PACKAGES);
    process::run(&mut install, interrupt)?;
    Ok(std::fs::write(installed, wanted)?)
}
