//! What the clients share: lines on stdin and stdout, by which a test knows what happens before, during and after a
//! capture, and the place of the server in the environment.
//!
//! The clients are database drivers written in Rust as programs of their own. They are a package of their own so that
//! the tests do not wait for the drivers' dependencies.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A variable of the environment.
///
/// # Errors
/// When it is not set.
pub fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("no {name} in the environment"))
}

/// Writes a line to stdout.
///
/// # Errors
/// When nobody reads.
pub fn say(line: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// Waits for a line of stdin, or for its end. Blocks the thread.
///
/// # Errors
/// When stdin cannot be read.
pub fn wait() -> Result<()> {
    std::io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Whole nanoseconds, as the tests compare them.
///
/// # Errors
/// After 584 years.
pub fn nanos(duration: Duration) -> Result<u64> {
    Ok(u64::try_from(duration.as_nanos())?)
}
