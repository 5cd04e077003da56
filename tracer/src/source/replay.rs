//! Records from a file: what tests, fuzzing and benches feed to the same path that a live capture takes.
//!
//! Such a file holds raw traffic with its literals. The command `dbtap` never writes one; only the test package does.

use std::io::{self, Read, Write};

use super::{Losses, Source, SourceError};

const MAGIC: &[u8; 8] = b"dbtapraw";
/// Longer than any record that the kernel side writes.
const MAX_RECORD_BYTES: usize = 64 << 10;

/// Reads a recording.
#[derive(Debug)]
pub struct Replay<R> {
    reader: R,
    record: Vec<u8>,
}

impl<R: Read> Replay<R> {
    /// A recording must begin with its magic word.
    ///
    /// # Errors
    /// Not a recording, or it cannot be read.
    pub fn new(mut reader: R) -> Result<Self, SourceError> {
        let mut magic = [0; 8];
        reader.read_exact(&mut magic)?;
        if &magic != MAGIC {
            return Err(SourceError::File("this is no recording of raw records".to_owned()));
        }
        Ok(Self { reader, record: Vec::new() })
    }

    fn read_record(&mut self) -> Result<bool, SourceError> {
        let mut length = [0; 4];
        match self.reader.read(&mut length[..1])? {
            0 => return Ok(false),
            _ => self.reader.read_exact(&mut length[1..])?,
        }
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_RECORD_BYTES {
            return Err(SourceError::File(format!("a record of {length} bytes cannot be")));
        }
        self.record.resize(length, 0);
        self.reader.read_exact(&mut self.record)?;
        Ok(true)
    }
}

impl<R: Read> Source for Replay<R> {
    fn drain(&mut self, most: usize, sink: &mut dyn FnMut(&[u8])) -> Result<usize, SourceError> {
        let mut count = 0;
        while count < most && self.read_record()? {
            sink(&self.record);
            count += 1;
        }
        Ok(count)
    }

    fn losses(&self) -> Losses {
        Losses::default()
    }
}

/// Begins a recording.
///
/// # Errors
/// Those of the writer.
pub fn begin(writer: &mut dyn Write) -> io::Result<()> {
    writer.write_all(MAGIC)
}

/// Appends one record.
///
/// # Errors
/// Those of the writer, and `InvalidInput` for a record that is too long.
pub fn append(writer: &mut dyn Write, record: &[u8]) -> io::Result<()> {
    if record.len() > MAX_RECORD_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "record too long"));
    }
    let length = u32::try_from(record.len()).map_err(io::Error::other)?;
    writer.write_all(&length.to_le_bytes())?;
    writer.write_all(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(file: &[u8]) -> Result<Vec<Vec<u8>>, SourceError> {
        let mut records = Vec::new();
        Replay::new(file)?.drain(usize::MAX, &mut |record| records.push(record.to_vec()))?;
        Ok(records)
    }

    #[test]
    fn what_is_appended_is_read() {
        let mut file = Vec::new();
        begin(&mut file).unwrap();
        append(&mut file, b"one").unwrap();
        append(&mut file, b"").unwrap();
        append(&mut file, &[7; 20_000]).unwrap();
        assert_eq!(read_all(&file).unwrap(), [b"one".to_vec(), Vec::new(), vec![7; 20_000]]);
    }

    #[test]
    fn a_cut_or_foreign_file_is_an_error() {
        assert!(read_all(b"PGCOPY\n").is_err());
        assert!(read_all(b"dbtapraw\x05\0\0\0abc").is_err());
        assert!(read_all(b"dbtapraw\xff\xff\xff\xff").is_err());
    }
}
