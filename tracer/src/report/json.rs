//! The report as one JSON object on one line, for programs.

use std::io;

use super::model::Report;
use super::{Layout, Output};

/// `--format json`.
#[derive(Debug)]
pub struct Json;

impl Output for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn render(&self, report: &Report, _layout: Layout, out: &mut dyn io::Write) -> io::Result<()> {
        // serde_json escapes control characters; other outputs' terminal rules do not apply to a program's input.
        serde_json::to_writer(&mut *out, report)?;
        out.write_all(b"\n")
    }
}
