//! The report for a person: read from the top, most urgent first, never wider than the terminal.
//!
//! Each section is one file. None writes text past `line::Line`, which makes every text safe for a terminal and
//! cuts it to the width, whatever the target put into it.

mod capture;
mod connections;
mod cost;
mod coverage;
mod in_flight;
mod line;
mod logins;
mod sparkline;
mod statements;
mod why_slow;

use std::io;

use super::model::Report;
use super::{Layout, Output};
use line::Page;

/// `--format table`.
#[derive(Debug)]
pub struct Table;

/// The sections in reading order. One that has nothing to say writes nothing.
const SECTIONS: &[fn(&Report, &mut Page<'_>) -> io::Result<()>] = &[
    capture::write,
    in_flight::write,
    logins::write,
    why_slow::write,
    statements::write,
    connections::write,
    coverage::write,
    cost::write,
];

impl Output for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn render(&self, report: &Report, layout: Layout, out: &mut dyn io::Write) -> io::Result<()> {
        let mut page = Page::new(layout, out);
        for section in SECTIONS {
            section(report, &mut page)?;
        }
        Ok(())
    }
}
