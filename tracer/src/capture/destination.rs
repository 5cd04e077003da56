//! Where the report goes. A file is written beside its place and renamed: completely or not at all.

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::CaptureError;
use crate::{
    config::Destination,
    report::{self, Layout, model::Report},
};

const WIDTH_WITHOUT_TERMINAL: usize = 80;

pub(super) enum Output {
    Stdout,
    File(NamedTempFile, PathBuf),
}

impl Output {
    /// Opens the file before the capture: a place that cannot be written is told at once, not after 30 s.
    pub(super) fn open(destination: &Destination) -> Result<Self, CaptureError> {
        let Destination::File(path) = destination else { return Ok(Self::Stdout) };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if path.is_dir() {
            return Err(CaptureError::Write(format!("{} is a folder", path.display())));
        }
        let file = tempfile::Builder::new()
            .prefix(".dbtap-")
            .tempfile_in(folder)
            .map_err(|error| CaptureError::Write(format!("{} cannot be written: {error}", path.display())))?;
        Ok(Self::File(file, path.clone()))
    }

    pub(super) fn write(self, report: &Report, form: &dyn report::Output) -> Result<(), CaptureError> {
        match self {
            Self::Stdout => {
                let mut out = BufWriter::new(io::stdout().lock());
                let written = form.render(report, layout(), &mut out).and_then(|()| out.flush());
                match written {
                    // The reader has seen enough, as with `head`.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    other => other
                        .map_err(|error| CaptureError::Write(format!("writing to stdout failed: {error}"))),
                }
            }
            Self::File(file, path) => {
                let failed = |error: io::Error| CaptureError::Write(format!("{}: {error}", path.display()));
                let plain = Layout::default();
                let mut out = BufWriter::new(file.as_file());
                form.render(report, plain, &mut out).and_then(|()| out.flush()).map_err(failed)?;
                drop(out);
                file.as_file().sync_all().map_err(failed)?;
                readable_by_caller(&file).map_err(failed)?;
                file.persist(&path).map_err(|error| failed(error.error))?;
                Ok(())
            }
        }
    }
}

/// A temporary file is private; a report has the rights that any new file gets (with the usual umask of root).
fn readable_by_caller(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

fn layout() -> Layout {
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    let width = if terminal {
        rustix::termios::tcgetwinsize(&stdout).map_or(WIDTH_WITHOUT_TERMINAL, |size| usize::from(size.ws_col))
    } else {
        WIDTH_WITHOUT_TERMINAL
    };
    // https://no-color.org: set and not empty.
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Layout { width: width.max(WIDTH_WITHOUT_TERMINAL), color: terminal && !no_color, ascii: ascii_locale() }
}

/// The character set of the locale: LC_ALL, LC_CTYPE, LANG in this order, as locale(7) says. sudo often clears all three,
/// and then nothing speaks against UTF-8.
fn ascii_locale() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    set.is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        !(value.contains("utf-8") || value.contains("utf8")) && value != "c" && value != "posix"
    })
}
