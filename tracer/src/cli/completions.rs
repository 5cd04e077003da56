//! Shell completions, made from the command line's definition.

use super::Cli;
use clap::CommandFactory;

/// The completion script for one shell. To be written by the caller, so that a closed pipe is the caller's case.
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dbtap", &mut script);
    script
}
