//! What a capture found, as data ([`model::Report`]), and the forms it is shown in.
//!
//! An output turns a report into bytes and does nothing else: it opens no file, asks no terminal and reads no
//! clock. A new one is one file here and one word in [`OUTPUTS`].

pub mod address;
mod condition;
pub mod csv;
pub mod duration;
pub mod json;
pub mod model;
pub mod sanitize;
pub mod table;
pub mod units;

use std::io;

use model::Report;

/// How an output for people may look. Outputs for programs ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the terminal; no line is wider.
    pub width: usize,
    /// Terminal colours may be used.
    pub color: bool,
    /// Only ASCII may be used: the locale is not UTF-8.
    pub ascii: bool,
}

impl Default for Layout {
    /// What every terminal and file can show.
    fn default() -> Self {
        Self { width: 80, color: false, ascii: false }
    }
}

/// A form of the report.
pub trait Output: Sync {
    /// Its name for `--format`.
    fn name(&self) -> &'static str;
    /// Writes the whole report.
    ///
    /// # Errors
    /// Only what `out` gives.
    fn render(&self, report: &Report, layout: Layout, out: &mut dyn io::Write) -> io::Result<()>;
}

/// Every output that dbtap knows; the first is the default. Help, `--format` and tests walk it.
pub const OUTPUTS: &[&dyn Output] = &[&table::Table, &json::Json, &csv::Csv];

/// The output of this name.
pub fn output(name: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.name() == name)
}

#[cfg(test)]
pub(crate) mod testdata;
#[cfg(test)]
mod tests;
