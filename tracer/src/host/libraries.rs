//! Which TLS libraries a process has loaded: names of mapped files in `/proc/PID/maps` (proc_pid_maps(5)). Only names;
//! never the memory.

use super::process::{ProcessError, path_of, read_error};
use super::text::each_line;
use std::collections::BTreeSet;
use std::io::BufReader;

/// Beginnings of the file names of TLS libraries.
const TLS: [&str; 6] = ["libssl.", "libssl-", "libssl3.", "libgnutls.", "libmbedtls.", "libboringssl"];

/// File names of the TLS libraries that a process has loaded.
///
/// # Errors
/// [`ProcessError`]: it does not run, or may not be looked at.
pub fn tls(pid: u32) -> Result<BTreeSet<String>, ProcessError> {
    let path = path_of(pid, "maps");
    let maps = std::fs::File::open(&path).map_err(|source| read_error(pid, &path, source))?;
    let mut found = BTreeSet::new();
    each_line(BufReader::with_capacity(1 << 16, maps), |line| {
        found.extend(mapped_file(line).filter(|file| TLS.iter().any(|start| file.starts_with(start))));
    });
    Ok(found)
}

/// The last part of the path in a line of maps: `address perms offset dev inode path`.
fn mapped_file(line: &[u8]) -> Option<String> {
    let path = line.get(line.iter().position(|byte| *byte == b'/')?..)?;
    let file = path.rsplit(|byte| *byte == b'/').next()?;
    let file = String::from_utf8_lossy(file).into_owned();
    Some(file.strip_suffix(" (deleted)").map(str::to_owned).unwrap_or(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::testing::Idle;

    #[test]
    fn lines() {
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(mapped_file(line.as_bytes()).as_deref(), expected, "{line}");
        };
        let head = "7f00-7f01 r-xp 00000000 fd:00 42   ";
        check(&format!("{head}/usr/lib/libssl.so.3"), Some("libssl.so.3"));
        check(&format!("{head}/a dir/libssl.so.1.1 (deleted)"), Some("libssl.so.1.1"));
        check("7f00-7f01 rw-p 00000000 00:00 0   [heap]", None);
        check("7f00-7f01 rw-p 00000000 00:00 0", None);
        check("", None);
    }

    #[test]
    fn a_real_process() {
        // A file of that name, mapped as libraries are: a program whose own name begins like one.
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("libssl.test");
        std::fs::copy("/bin/cat", &program).unwrap();
        let child = Idle::start(&program);
        assert_eq!(tls(child.pid()).unwrap(), BTreeSet::from(["libssl.test".to_owned()]));
        assert!(matches!(tls(4_194_304), Err(ProcessError::NotFound(4_194_304))));
    }
}
