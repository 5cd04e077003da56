//! Where records come from: the kernel, or a file. What comes after does not know which.
//!
//! A source hands out bytes and never looks at what is inside.

mod backend;
#[cfg(feature = "bpf")]
pub mod bpf;
pub mod replay;
mod trial;

pub use backend::Backend;
pub use trial::Trial;

/// What a source could not deliver. All of it reaches the report's coverage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Records that found the ring buffer full.
    pub records: u64,
    /// Bytes that these records stood for.
    pub bytes: u64,
    /// Children that were not followed because the target table was full.
    pub targets_refused: u64,
    /// Sockets that the kernel had no memory to follow.
    pub sockets_refused: u64,
    /// Calls of targets that may have moved bytes out of the programs' sight.
    pub calls_unseen: u64,
}

/// Why a source failed. Each says the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A record file is cut short or is none.
    #[error("{0}; make the recording anew")]
    File(String),
    /// Reading a record file failed.
    #[error("the recording could not be read: {0}")]
    Read(#[from] std::io::Error),
}

/// A stream of raw records, each as in [`tracer_ebpf`].
pub trait Source {
    /// Hands the records that wait to `sink`, at most `most`, and says how many there were.
    ///
    /// # Errors
    /// The source cannot go on.
    fn drain(&mut self, most: usize, sink: &mut dyn FnMut(&[u8])) -> Result<usize, SourceError>;
    /// What was lost until now.
    fn losses(&self) -> Losses;
}
