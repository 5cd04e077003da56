//! A writer of the archive that the kernel unpacks as its first file system.
//!
//! Format: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst, magic `070701` ("newc").

use anyhow::Context as _;
use std::io::Write;

/// File type bits of a mode, from inode(7).
const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// The name of the entry that ends an archive.
const TRAILER: &str = "TRAILER!!!";

/// An archive that is being written. Everything in it belongs to root.
#[derive(Debug)]
pub struct Archive<W> {
    out: W,
    entries: u32,
}

/// What an entry has beside its name and bytes.
#[derive(Clone, Copy, Default)]
struct Facts {
    mode: u32,
    /// Major and minor number of a device.
    device: (u32, u32),
}

impl<W: Write> Archive<W> {
    /// An archive without entries.
    pub fn new(out: W) -> Self {
        Self { out, entries: 0 }
    }

    /// A folder. Folders above it must have been added before.
    pub fn folder(&mut self, path: &str) -> anyhow::Result<()> {
        self.entry(path, Facts { mode: DIRECTORY | 0o755, ..Facts::default() }, &[])
    }

    /// A file that everybody may read and run.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.entry(path, Facts { mode: FILE | 0o755, ..Facts::default() }, bytes)
    }

    /// A character device.
    pub fn device(&mut self, path: &str, major: u32, minor: u32) -> anyhow::Result<()> {
        self.entry(path, Facts { mode: CHARACTER_DEVICE | 0o600, device: (major, minor) }, &[])
    }

    /// Writes the end, and gives the output back.
    pub fn finish(mut self) -> anyhow::Result<W> {
        self.entry(TRAILER, Facts::default(), &[])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn entry(&mut self, path: &str, facts: Facts, bytes: &[u8]) -> anyhow::Result<()> {
        self.entries += 1;
        let name = path.trim_start_matches('/');
        let length = u32::try_from(bytes.len()).with_context(|| format!("{path} is too large"))?;
        let name_length = u32::try_from(name.len() + 1)?;
        let (major, minor) = facts.device;
        // ino, mode, uid, gid, nlink, mtime, filesize, device of the file (2), device that it is (2), namesize, check
        let fields = [self.entries, facts.mode, 0, 0, 1, 0, length, 0, 0, major, minor, name_length, 0];
        write!(self.out, "070701")?;
        for field in fields {
            write!(self.out, "{field:08X}")?;
        }
        self.padded(HEADER_BYTES, format!("{name}\0").as_bytes())?;
        self.padded(0, bytes)
    }

    /// Bytes, and zeros up to a multiple of four, counted from `before` bytes in front of them.
    fn padded(&mut self, before: usize, bytes: &[u8]) -> anyhow::Result<()> {
        let length = before + bytes.len();
        self.out.write_all(bytes)?;
        self.out.write_all(&[0; 3][..length.next_multiple_of(4) - length])?;
        Ok(())
    }
}

/// The magic and 13 numbers of 8 digits.
const HEADER_BYTES: usize = 6 + 13 * 8;

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn archive() -> Vec<u8> {
        let mut archive = Archive::new(Vec::new());
        archive.folder("/dev").unwrap();
        archive.device("/dev/console", 5, 1).unwrap();
        for length in 0..5 {
            archive.file(&format!("/file{}", "-".repeat(length)), &vec![b'x'; length]).unwrap();
        }
        archive.finish().unwrap()
    }

    #[test]
    fn an_entry_is_a_header_a_name_and_bytes() {
        let mut archive = Archive::new(Vec::new());
        archive.file("/a", b"12345").unwrap();
        let expected = "070701\
                        00000001000081ED0000000000000000000000010000000000000005\
                        00000000000000000000000000000000\
                        0000000200000000\
                        a\0\
                        12345\0\0\0";
        assert_eq!(String::from_utf8(archive.out).unwrap(), expected);
    }

    /// The program of that name is in every system that can make such an archive for itself; the kernel is the other judge.
    #[test]
    fn cpio_reads_the_same_names() {
        let listing = |options: &str| {
            let mut child = Command::new("cpio")
                .args([options, "--quiet"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .ok()?;
            child.stdin.take().unwrap().write_all(&archive()).unwrap();
            let done = child.wait_with_output().unwrap();
            assert!(done.status.success());
            Some(String::from_utf8(done.stdout).unwrap())
        };
        let Some(names) = listing("-it") else {
            eprintln!("no cpio here; the kernels of `cargo xtask vm` read such an archive too");
            return;
        };
        assert_eq!(names, "dev\ndev/console\nfile\nfile-\nfile--\nfile---\nfile----\n");
        let long = listing("-itv").unwrap();
        assert!(long.lines().nth(1).unwrap().starts_with("crw-------"), "{long}");
        assert!(long.lines().nth(6).unwrap().split_whitespace().any(|word| word == "4"), "{long}");
    }
}
