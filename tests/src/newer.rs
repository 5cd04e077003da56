//! Servers that are newer than the machine's release, with their own clients: unpacked by `cargo xtask test` (or `cargo xtask
//! tools --newer-servers`) into `.tools/debian/NAME`, and run in there with their own libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

/// Gives the programs inside the machine's devices, processes, users and temporary files. The mounts are the program's own
/// and go with it. The process keeps its id: every step takes the place of the one before.
const ENTER: &str = "set -e; root=$1 tmp=$2; shift 2; mkdir -p \"$root$tmp\"; \
                     mount --rbind /proc \"$root/proc\"; mount --rbind /dev \"$root/dev\"; \
                     mount --rbind \"$tmp\" \"$root$tmp\"; mount --bind /etc/passwd \"$root/etc/passwd\"; \
                     mount --bind /etc/group \"$root/etc/group\"; exec \"$@\"";

/// The root folder of unpacked packages.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// `mysql`, `valkey` or `postgresql-17`.
    ///
    /// # Errors
    /// When it was not unpacked; with the remedy.
    pub fn named(name: &str) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/debian").join(name);
        ensure!(
            root.join("usr").is_dir(),
            "no {name} in .tools/debian: `cargo xtask tools --newer-servers` unpacks it from Debian's later suites; it \
             needs the package mirror once"
        );
        Ok(Self { root: root.canonicalize()? })
    }

    /// A program in there, as root or as this user and group. Needs root.
    pub fn command(&self, program: &str, owner: Option<(u32, u32)>) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c", ENTER, "sh"]);
        command.arg(&self.root).arg(std::env::temp_dir()).arg("chroot");
        if let Some((user, group)) = owner {
            command.args([format!("--userspec={user}:{group}"), "--groups=".to_owned()]);
        }
        command.arg(&self.root).arg(program);
        // There are no other locales in there.
        command.env("PATH", "/usr/sbin:/usr/bin").env("LC_ALL", "C").env_remove("LANG");
        command
    }
}
