//! Records raw traffic of real PostgreSQL programs into `tests/captures/postgresql/NAME.dbtapraw`, for the tests that
//! replay it without root. Needs root; starts a private server. Not part of the product: raw traffic holds literals.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use tests::captures::{SCENARIOS, Scenario, Watch};
use tests::postgres::PostgresServer;
use tracer::source::bpf::{Kernel, Limits};
use tracer::source::{Source as _, replay};

/// A capture larger than this does not belong into the repository.
const MOST_BYTES: u64 = 200 << 10;
/// Bytes of one direction between two turns, as `dbtap attach` takes them by default.
const CAPTURE_BYTES: u64 = 64 << 10;

/// Records the named scenarios, or all.
#[derive(Parser)]
struct Arguments {
    /// Scenarios, by name
    names: Vec<String>,
    /// Folder to write into
    #[arg(short, long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/postgresql"))]
    output: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.output)?;
    let server = PostgresServer::start(&[("logging_collector", "off")])?;
    let prepared = server.command("pgbench").args(["-i", "-q", "-s", "1"]).stderr(Stdio::null()).status()?;
    ensure!(prepared.success(), "pgbench -i failed");
    for scenario in SCENARIOS {
        if arguments.names.is_empty() || arguments.names.iter().any(|name| name == scenario.name) {
            let path = arguments.output.join(scenario.name).with_extension("dbtapraw");
            record(&server, scenario, &path).with_context(|| format!("recording {}", scenario.name))?;
        }
    }
    Ok(())
}

fn record(server: &PostgresServer, scenario: &Scenario, path: &Path) -> Result<()> {
    let mut kernel = Kernel::attach(Limits { capture_bytes: CAPTURE_BYTES, max_targets: 64 })?;
    // What the own test message left behind.
    kernel.drain(usize::MAX, &mut |_| {})?;
    // Children are followed from their first instruction on, so that the connection is seen from its first byte.
    let traced = match scenario.watch {
        Watch::Client => std::process::id(),
        Watch::Server => server.pid()?,
    };
    ensure!(kernel.targets.insert(traced, true), "no room in the target table");
    let mut file = BufWriter::new(File::create(path)?);
    replay::begin(&mut file)?;
    let mut child = start(server, scenario)?;
    let mut records = 0;
    let mut failed = Ok(());
    loop {
        let ended = child.try_wait()?;
        std::thread::sleep(Duration::from_millis(if ended.is_some() { 50 } else { 5 }));
        records += kernel.drain(usize::MAX, &mut |record| {
            if failed.is_ok() {
                failed = replay::append(&mut file, record);
            }
        })?;
        if ended.is_some() {
            break;
        }
    }
    failed?;
    file.flush()?;
    let losses = kernel.losses();
    let bytes = std::fs::metadata(path)?.len();
    eprintln!("{}: {records} records, {bytes} bytes, {} lost", scenario.name, losses.records);
    ensure!(losses.records == 0, "records were lost; record it again");
    ensure!(bytes <= MOST_BYTES, "{bytes} bytes are too many for the repository");
    Ok(())
}

/// The scenario's program, with its script on standard input or as a file for pgbench.
fn start(server: &PostgresServer, scenario: &Scenario) -> Result<Child> {
    let mut command: Command = server.command(scenario.program);
    if scenario.unix {
        command.env("PGHOST", server.socket_dir());
    }
    command.args(scenario.arguments).stdout(Stdio::null()).stderr(Stdio::null());
    if scenario.script.is_empty() {
        return Ok(command.stdin(Stdio::null()).spawn()?);
    }
    let mut script = tempfile::NamedTempFile::new()?;
    script.write_all(scenario.script.as_bytes())?;
    if scenario.program == "pgbench" {
        let (_, path) = script.keep()?;
        return Ok(command.arg("-f").arg(path).stdin(Stdio::null()).spawn()?);
    }
    Ok(command.stdin(script.reopen()?).spawn()?)
}
