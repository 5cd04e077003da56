//! `cargo xtask demo`: a small payments service with a hidden slow path, and what dbtap says about it.
//!
//! The report goes to stdout; all else goes to stderr. Whatever happens, the service's processes and files are
//! gone at the end. Ctrl-C ends the capture early and still prints the report.

mod postgres;

use crate::process::{self, Interrupt, Service};
use crate::{build, root, workspace};
use anyhow::Context as _;
use clap::ValueEnum;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The database behind the payments service
    #[arg(long, default_value = "embedded")]
    server: Server,
    /// Length of the capture
    #[arg(long, default_value_t = 15)]
    seconds: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Server {
    /// A small server of our own that speaks the PostgreSQL protocol
    Embedded,
    /// A real PostgreSQL in a cluster of its own, installed with apt-get if missing
    Postgres,
}

/// Time for the service to reach its steady state before the capture starts.
const WARM_UP: Duration = Duration::from_secs(3);

/// Runs the demo; returns dbtap's own exit code.
pub fn run(arguments: &Arguments, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    root::ensure("attaching to a process")?;
    let dbtap = build::run(interrupt)?;
    let programs = ["build", "--locked", "--package=tests", "--bin=demo-server", "--bin=demo-app"];
    process::run(Command::new("cargo").args(programs), interrupt)?;
    let folder = workspace::target()?.join("debug");

    let (server, address) = match arguments.server {
        Server::Embedded => {
            let mut command = Command::new(folder.join("demo-server"));
            let server = Service::start(command.arg("--end-with-input"), interrupt)?;
            let port = server.ready.rsplit(':').next().context("the demo's server named no port")?;
            let address = format!("host=127.0.0.1 port={port} user=payments dbname=payments");
            (server, address)
        }
        Server::Postgres => postgres::start(interrupt)?,
    };
    let mut command = Command::new(folder.join("demo-app"));
    let application = Service::start(command.args([&address, "--end-with-input"]), interrupt)?;
    eprintln!("xtask: the payments application is process {}; letting it warm up", application.pid());
    let begin = Instant::now();
    while begin.elapsed() < WARM_UP {
        interrupt.check()?;
        std::thread::sleep(Duration::from_millis(50));
    }

    let mut attach = root::command(dbtap);
    attach.arg("attach").arg(application.pid().to_string()).arg(format!("--duration={}s", arguments.seconds));
    eprintln!("xtask: {}", process::describe(&attach));
    let status = process::run_and_pass_on(&mut attach, interrupt, root::interrupt)?;
    // The application first: it must not see its server go.
    drop(application);
    drop(server);
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
