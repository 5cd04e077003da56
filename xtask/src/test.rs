//! `cargo xtask test`: every check and every test, from nothing, on a machine with a Rust toolchain and apt.

use crate::process::Interrupt;
use crate::step::{self, Step};
use crate::{build, lint, packages, root, tools};
use std::process::Command;

/// Real servers and drivers that the end-to-end tests talk to, and a compiler for the drivers without a package.
const PACKAGES: [&str; 21] = [
    "postgresql",
    "pgbouncer",
    "mariadb-server",
    "redis-server",
    "memcached",
    "sysbench",
    "libmemcached-tools",
    "sasl2-bin",
    "python3",
    "python3-pip",
    "python3-psycopg",
    "python3-pymysql",
    "python3-mysqldb",
    "python3-redis",
    "python3-pymemcache",
    "python3-pymongo",
    "libpq-dev",
    "libmariadb-dev",
    "gcc",
    "libcap2-bin",
    "libc6-dev",
];

/// Installs what is missing, then runs the fast checks, builds the binary, and runs all tests.
pub fn run(interrupt: &Interrupt) -> anyhow::Result<()> {
    root::ensure("attaching to processes in the end-to-end tests")?;
    packages::ensure("real servers and drivers for the end-to-end tests", &PACKAGES, interrupt)?;
    tools::newer_servers::ensure(interrupt)?;
    tools::python_packages::ensure(interrupt)?;
    tools::ensure(interrupt)?;
    step::run_all(lint::steps(), interrupt)?;
    let binary = build::run(interrupt)?;

    let without_root =
        "test --workspace --exclude tests --exclude rust-drivers --locked --features tracer/bpf";
    let steps = vec![
        Step::cargo("tests that need no root", without_root),
        Step::cargo("drivers written in Rust", "build --package rust-drivers --locked"),
        // The end-to-end tests run this binary, the one that a person would run.
        Step::new("tests that need root", with_root(&[])).with("DBTAP_BINARY", binary),
        // The tests above have taken the best backend; the one of last resort runs wherever that one does.
        Step::new("backend syscall", with_root(&["--test=kernel_*"])).with("DBTAP_TEST_BACKEND", "syscall"),
    ];
    step::run_all(steps, interrupt)?;
    eprintln!("\nxtask: all checks and tests passed");
    Ok(())
}

/// Builds as the person who called, so that the build folder stays theirs; only the test programs run as root.
fn with_root(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--package=tests", "--locked"]).args(arguments);
    if !root::is_root() {
        command.args([
            "--config",
            "target.'cfg(unix)'.runner = ['sudo', '--preserve-env', '--non-interactive']",
        ]);
    }
    command
}
