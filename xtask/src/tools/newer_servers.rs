//! Database servers that are newer than the machine's release, with their own clients and libraries: unpacked from Debian's
//! later suites into `.tools/debian/NAME`, never installed. The end-to-end tests run them in there.

use super::debian::{self, Suite};
use crate::process::Interrupt;
use crate::workspace;
use anyhow::{Context as _, ensure};
use std::os::unix::fs::symlink;
use std::path::Path;

/// One server.
struct Server {
    /// Name of its folder.
    name: &'static str,
    /// Debian's suite that has it.
    suite: &'static str,
    packages: &'static [&'static str],
    /// What must be there in the end.
    program: &'static str,
}

const SERVERS: [Server; 3] = [
    // Only unstable has MySQL.
    Server {
        name: "mysql",
        suite: "unstable",
        packages: &["mysql-server-core", "mysql-client-core"],
        program: "usr/sbin/mysqld",
    },
    Server {
        name: "valkey",
        suite: "trixie",
        packages: &["valkey-server", "valkey-tools"],
        program: "usr/bin/valkey-server",
    },
    Server {
        name: "postgresql-17",
        suite: "trixie",
        packages: &["postgresql-17", "postgresql-client-17"],
        program: "usr/lib/postgresql/17/bin/postgres",
    },
];

/// Libraries that the servers name and can do without here: compilers and interpreters of extensions.
const NOT_NEEDED: [&str; 4] = ["libllvm", "libperl", "libz3", "libsystemd-shared"];
/// What a server needs beside its own packages and libraries; the shell is part of every system, so nobody depends on it.
const ALSO_NEEDED: [&str; 4] = ["zlib1g", "tzdata", "libc-bin", "dash"];

/// Unpacks those servers that are not there yet. Quick, and without the network, when all are.
pub fn ensure(interrupt: &Interrupt) -> anyhow::Result<()> {
    for server in &SERVERS {
        let folder = workspace::tools().join("debian").join(server.name);
        if folder.exists() {
            continue;
        }
        eprintln!(
            "xtask: unpacking {} of Debian {} into {}, for tests with newer servers",
            server.packages.join(", "),
            server.suite,
            folder.display()
        );
        place(server, &folder, interrupt)
            .with_context(|| format!("no {} from Debian {}", server.name, server.suite))?;
    }
    Ok(())
}

/// Complete or not at all.
fn place(server: &Server, folder: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let suite = Suite::open(server.suite, interrupt)?;
    let packages: Vec<&str> = server.packages.iter().copied().chain(["dash"]).collect();
    let mut wanted = suite.with_dependencies(&packages)?;
    wanted.retain(|name| {
        let library =
            name.starts_with("lib") && !NOT_NEEDED.iter().any(|beginning| name.starts_with(beginning));
        library || server.packages.contains(&name.as_str()) || ALSO_NEEDED.contains(&name.as_str())
    });
    let packages = suite.download(&wanted, interrupt)?;
    let above = folder.parent().context("no folder above")?;
    std::fs::create_dir_all(above)?;
    let beside = tempfile::tempdir_in(above)?;
    let root = beside.path().join("root");
    std::fs::create_dir_all(&root)?;
    debian::unpack(&packages, &root, interrupt)?;
    // What Debian's package base-files would bring, and places to mount the machine's own on.
    for name in ["bin", "sbin", "lib", "lib64"] {
        if !root.join(name).exists() {
            symlink(Path::new("usr").join(name), root.join(name))?;
        }
    }
    for name in ["proc", "dev", "tmp", "etc"] {
        std::fs::create_dir_all(root.join(name))?;
    }
    for name in ["etc/passwd", "etc/group"] {
        std::fs::write(root.join(name), "")?;
    }
    ensure!(root.join(server.program).is_file(), "{} is not among {wanted:?}", server.program);
    std::fs::rename(&root, folder).with_context(|| format!("cannot write {}", folder.display()))
}
