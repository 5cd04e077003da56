//! The command line: what can be asked, and the words for it. Parses only; [`crate::config`] validates, `main` runs.
//!
//! Wrong usage ends with exit code 2 and a sentence on stderr (clap's own way).

mod completions;
mod man;
#[cfg(test)]
mod tests;

pub use completions::completions;
pub use man::man;

use crate::config::{self, Peer};
use crate::report::OUTPUTS;
use crate::source::Backend;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueHint, value_parser};
use std::path::PathBuf;
use std::time::Duration;

const TARGETS: &str = "Targets (at least one; several add up)";

const EXAMPLES: &str = "\
Examples:
  sudo dbtap doctor 4242                  can process 4242 be observed?
  sudo dbtap attach 4242                  watch it for 30 seconds, then report
  sudo dbtap attach 4242 --duration 5m    watch longer; Ctrl-C ends early
  sudo dbtap attach --comm payments       every process of this name
  sudo dbtap attach 4242 --format json -o report.json

Exit status:
  0    the report is complete
  1    no report could be made; stderr says why and what to do
  2    wrong usage
  3    the report was made, but is known to be incomplete, and says so
  130  Ctrl-C pressed twice";

/// Of `--backend`: the first backend that works.
const AUTO: &str = "auto";

const ATTACH_USAGE: &str = "dbtap attach [OPTIONS] <PID>...
       dbtap attach [OPTIONS] --comm <NAME> | --exe <PATH> | --container <ID> | --cgroup <PATH>";

const ATTACH_EXAMPLES: &str = "\
Examples:
  sudo dbtap attach 4242
  sudo dbtap attach $(pgrep -d ' ' payments) --duration 2m
  sudo dbtap attach --container 3f2a9c1b --slow 250ms
  sudo dbtap attach --exe /usr/bin/php-fpm --no-follow
  sudo dbtap attach 4242 --peer db7.internal:5432
  sudo dbtap attach 4242 --format json -o before.json";

/// Shows which database requests of a running process are slow.
///
/// dbtap watches the sockets of a process from outside, reads the database
/// requests and answers that pass, and reports how often and how long each
/// statement ran, and what the slow executions have in common. The process is
/// never stopped, changed or restarted, and the values in its statements are
/// never stored unless --show-values asks for it.
#[derive(Debug, Parser)]
#[command(name = "dbtap", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch processes for a time, then print one report
    ///
    /// Ctrl-C ends the capture early and still prints the report. When every
    /// probe is in place, a line that starts with `attached` goes to stderr.
    #[command(after_help = ATTACH_EXAMPLES, override_usage = ATTACH_USAGE)]
    Attach(Box<AttachArgs>),
    /// Check what this host and a process allow, with a remedy for each "no"
    ///
    /// Changes nothing. Exit status 0 when everything that `attach` needs is
    /// there, 1 otherwise.
    Doctor(DoctorArgs),
    /// Print shell completions
    ///
    /// For instance: dbtap completions bash > /etc/bash_completion.d/dbtap
    Completions(CompletionsArgs),
    /// Print the manual page
    ///
    /// For instance: dbtap man > /usr/local/share/man/man1/dbtap.1
    Man,
}

/// `dbtap attach`.
#[derive(Args, Debug)]
pub struct AttachArgs {
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    capture: CaptureArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args, Debug)]
#[group(id = "target", required = true, multiple = true)]
#[command(next_help_heading = TARGETS)]
struct TargetArgs {
    /// Process ids, as this host's `ps` shows them
    #[arg(value_name = "PID", value_parser = pid_parser(), group = "target")]
    pids: Vec<u32>,
    /// Every process with exactly this name, as `ps -o comm` shows it
    #[arg(long, value_name = "NAME", value_parser = config::parse_comm, group = "target")]
    comm: Vec<String>,
    /// Every process that runs this program file
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, group = "target")]
    exe: Vec<PathBuf>,
    /// Every process of this container (its id, or the beginning of it)
    #[arg(long, value_name = "ID", value_parser = config::parse_container, group = "target")]
    container: Vec<String>,
    /// Every process of this control group and of those below it
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath, group = "target")]
    cgroup: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Filters")]
struct FilterArgs {
    /// Leave out child processes, running or started later
    #[arg(long, help_heading = TARGETS)]
    no_follow: bool,
    /// Only these protocols
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = protocol_parser())]
    protocol: Vec<String>,
    /// Only connections to this address, host name or Unix socket path
    #[arg(long, value_name = "HOST[:PORT]", value_parser = Peer::parse)]
    peer: Vec<Peer>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Capture")]
struct CaptureArgs {
    /// How long to watch: 250ms, 30s, 1m30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = config::parse_duration)]
    duration: Duration,
    /// Requests that took at least this long are slow
    ///
    /// Without it, dbtap finds for each statement from which latency on its
    /// requests are a group of their own, if they are.
    #[arg(long, value_name = "TIME", value_parser = config::parse_duration)]
    slow: Option<Duration>,
    /// Bytes copied each way before the talk turns; then only ends of transfers
    #[arg(long, value_name = "N", default_value_t = config::CAPTURE_BYTES_DEFAULT)]
    #[arg(value_parser = value_parser!(u32).range(config::CAPTURE_BYTES_RANGE))]
    capture_bytes: u32,
    /// How to see traffic; auto takes the best one that this kernel allows
    ///
    /// socket: tracepoints for each send and receive (Linux 6.3). fexit: the
    /// kernel's functions that send and receive (Linux 5.10). syscall: entry
    /// and exit of system calls, which every process on the host then pays for.
    #[arg(long, value_name = "NAME", default_value = AUTO, value_parser = backend_parser())]
    backend: String,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
struct OutputArgs {
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = OUTPUTS[0].name(), value_parser = format_parser())]
    format: String,
    /// Show literals and bind values in the report
    ///
    /// Off unless it is given. The report then names the values that tell slow
    /// executions from fast ones, with examples, and says at its top that
    /// values are shown. Values behind words like PASSWORD stay out even
    /// then. Whoever reads such a report may read personal data.
    #[arg(long)]
    show_values: bool,
    /// Write the report to this file, complete or not at all
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// `dbtap doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// A process to check as well
    #[arg(value_name = "PID", value_parser = pid_parser())]
    pub pid: Option<u32>,
}

/// `dbtap completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

impl AttachArgs {
    /// The arguments as given, for [`config::AttachConfig::new`].
    pub fn into_request(self) -> config::AttachRequest {
        let Self { targets, filters, capture, output } = self;
        config::AttachRequest {
            pids: targets.pids,
            comms: targets.comm,
            exes: targets.exe,
            containers: targets.container,
            cgroups: targets.cgroup,
            follow: !filters.no_follow,
            protocols: filters.protocol,
            peers: filters.peer,
            duration: capture.duration,
            slow: capture.slow,
            capture_bytes: capture.capture_bytes,
            backend: Backend::named(&capture.backend),
            format: output.format,
            show_values: output.show_values,
            output: output.output,
        }
    }
}

/// Process ids end at `PID_MAX_LIMIT` of a 64-bit kernel (`include/linux/threads.h`).
fn pid_parser() -> clap::builder::RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..=4_194_304)
}

fn format_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(OUTPUTS.iter().map(|output| output.name()))
}

fn backend_parser() -> PossibleValuesParser {
    let names = Backend::ALL.map(Backend::name);
    PossibleValuesParser::new([AUTO].into_iter().chain(names))
}

fn protocol_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(crate::proto::REGISTRY.iter().map(|entry| entry.name))
}
