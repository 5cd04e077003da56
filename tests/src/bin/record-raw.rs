//! Records raw traffic of real programs into `tests/captures/PROTOCOL/NAME.dbtapraw`, for the tests that replay it
//! without root. Needs root; starts private servers. Not part of the product: raw traffic holds literals.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use tests::captures::{PROTOCOLS, Scenario, Server, Watch};
use tracer::source::bpf::{Kernel, Limits};
use tracer::source::{Source as _, replay};

/// A capture larger than this does not belong into the repository.
const MOST_BYTES: u64 = 200 << 10;
/// Bytes of one direction between two turns, as `dbtap attach` takes them by default.
const CAPTURE_BYTES: u64 = 64 << 10;

/// Records the named scenarios, or all.
#[derive(Parser)]
struct Arguments {
    /// Protocols or scenarios, by name
    names: Vec<String>,
    /// Folder to write into: one folder in it for each protocol
    #[arg(short, long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/captures"))]
    output: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { names, output } = Arguments::parse();
    let known = |name: &&String| {
        PROTOCOLS.iter().any(|protocol| {
            protocol.name == *name || protocol.scenarios.iter().any(|scenario| scenario.name == *name)
        })
    };
    let unknown: Vec<_> = names.iter().filter(|name| !known(name)).collect();
    ensure!(unknown.is_empty(), "no protocol and no scenario has the name {unknown:?}");
    for protocol in PROTOCOLS {
        let named = |name: &str| names.is_empty() || names.iter().any(|n| n == name || n == protocol.name);
        let wanted: Vec<_> = protocol.scenarios.iter().filter(|scenario| named(scenario.name)).collect();
        if wanted.is_empty() {
            continue;
        }
        let folder = output.join(protocol.name);
        std::fs::create_dir_all(&folder)?;
        let server = (protocol.start)().with_context(|| format!("the server of {}", protocol.name))?;
        for scenario in wanted {
            let path = folder.join(scenario.name).with_extension("dbtapraw");
            record(&*server, scenario, &path).with_context(|| format!("recording {}", scenario.name))?;
        }
    }
    Ok(())
}

fn record(server: &dyn Server, scenario: &Scenario, path: &Path) -> Result<()> {
    let mut kernel = Kernel::attach(Limits { capture_bytes: CAPTURE_BYTES, max_targets: 64 }, None)?;
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
    let said = tempfile::NamedTempFile::new()?;
    let mut child = scenario.start(server, said.reopen()?)?;
    let mut records = 0;
    let mut failed = Ok(());
    let status = loop {
        let ended = child.try_wait()?;
        std::thread::sleep(Duration::from_millis(if ended.is_some() { 50 } else { 5 }));
        records += kernel.drain(usize::MAX, &mut |record| {
            if failed.is_ok() {
                failed = replay::append(&mut file, record);
            }
        })?;
        if let Some(status) = ended {
            break status;
        }
    };
    failed?;
    file.flush()?;
    let losses = kernel.losses();
    let bytes = std::fs::metadata(path)?.len();
    let name = scenario.name;
    eprintln!("{name}: {records} records, {bytes} bytes, {} lost", losses.records);
    if !status.success() {
        // Some scripts fail on purpose.
        eprintln!("{name}: the program ended with {status}: {}", std::fs::read_to_string(said.path())?);
    }
    ensure!(losses.records == 0, "records were lost; record it again");
    ensure!(bytes <= MOST_BYTES, "{bytes} bytes are too many for the repository");
    Ok(())
}
