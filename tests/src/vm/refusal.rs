//! Where dbtap cannot work, it ends at once, with a sentence that says why, and nothing else.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::dbtap::Dbtap;

const MOST: Duration = Duration::from_secs(60);

/// Attaches dbtap to this process; it must end with a sentence that has these words in it. Returns the sentence.
///
/// # Errors
/// When it attaches, crashes, prints a report, or says something else.
pub fn check(words: &str, arguments: &[String]) -> Result<String> {
    let pid = std::process::id().to_string();
    let dbtap = Dbtap::with(["attach", &pid, "--format", "json", "--duration", "1s"])?;
    let dbtap = arguments.iter().fold(dbtap, |dbtap, argument| dbtap.arg(argument));
    let ended = dbtap.run(MOST)?;
    let said = ended.stderr.trim();
    ensure!(ended.code.is_some_and(|code| code != 0), "it ended with {:?}: {said}", ended.code);
    ensure!(ended.stdout.is_empty(), "it printed {:?}", ended.text());
    ensure!(!said.contains("panicked"), "{said}");
    let sentence = said.lines().find(|line| line.contains(words));
    Ok(sentence.with_context(|| format!("no word of {words:?}: {said}"))?.to_owned())
}
