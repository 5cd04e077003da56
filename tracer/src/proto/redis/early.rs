//! Answers that are seen before the command which they answer: two threads on two CPUs, or a send that is recorded only
//! after it returned. They wait, in a small bounded room, for the next bytes of the client.

use crate::proto::{Chunk, Moment};
use crate::time::Nanos;

/// Chunks that may wait.
const EARLY_CHUNKS: usize = 64;
/// Bytes of them.
const EARLY_BYTES: usize = 64 << 10;

enum Stashed {
    Bytes(Vec<u8>),
    Skipped(u64),
}

/// The room. `Debug` shows no content.
#[derive(Default)]
pub(super) struct Early {
    chunks: Vec<(Moment, Stashed)>,
    bytes: usize,
}

impl std::fmt::Debug for Early {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes in {} chunks", self.bytes, self.chunks.len())
    }
}

impl Early {
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
    /// When the first of it came.
    pub(super) fn first_at(&self) -> Option<Nanos> {
        self.chunks.first().map(|(moment, _)| moment.at)
    }
    /// False: there is no room.
    pub(super) fn push(&mut self, moment: Moment, chunk: Chunk<'_>) -> bool {
        let stashed = match chunk {
            Chunk::Bytes(bytes) => {
                self.bytes += bytes.len();
                Stashed::Bytes(bytes.to_vec())
            }
            Chunk::Skipped(skipped) => Stashed::Skipped(skipped),
        };
        self.chunks.push((moment, stashed));
        self.chunks.len() <= EARLY_CHUNKS && self.bytes <= EARLY_BYTES
    }
    /// Hands out what waited, oldest first.
    pub(super) fn play(self, mut take: impl FnMut(Moment, Chunk<'_>)) {
        for (moment, stashed) in &self.chunks {
            match stashed {
                Stashed::Bytes(bytes) => take(*moment, Chunk::Bytes(bytes)),
                Stashed::Skipped(skipped) => take(*moment, Chunk::Skipped(*skipped)),
            }
        }
    }
}
