//! Answers that are seen before the client bytes which they answer: two threads on two CPUs, or a send that is recorded
//! only after it returned.
//!
//! They wait, in a small bounded room, for the next bytes of the client. Never pairs what nobody asked for.

use super::answers::is_asynchronous;
use super::backend::failure;
use super::frame::Direction;
use super::observer::{Observer, Phase};
use super::pending::Kind;
use super::resync;
use crate::proto::{Chunk, Moment};
use crate::request::Requests;
use crate::sql::Texts;

/// Server chunks that may wait for the client bytes which they answer.
const EARLY_CHUNKS: usize = 64;
/// Bytes of them.
const EARLY_BYTES: usize = 64 << 10;

/// Bytes of the server that came before the client bytes which they answer. `Debug` shows no content.
#[derive(Default)]
pub(super) struct Early {
    chunks: Vec<(Moment, Stashed)>,
    bytes: usize,
}

enum Stashed {
    Bytes(Vec<u8>),
    Skipped(u64),
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
}

impl Observer {
    /// An answer to bytes of the client that were not seen yet: two threads, or a send that was recorded after it.
    pub(super) fn is_early(&self, input: &[u8]) -> bool {
        let Some(tag) = input.first() else { return false };
        if self.exchange.unsure
            || !self.backend.at_boundary()
            || is_asynchronous(*tag)
            || self.exchange.pending.iter().any(|op| !matches!(op.kind, Kind::CopyEnd))
        {
            return false;
        }
        // A server that ends an idle session answers nothing.
        !(*tag == b'E'
            && resync::message(Direction::Backend, input)
                .is_some_and(|(_, body, _)| failure(body).ends_session))
    }

    /// Gives waiting answers another try, now that the client was heard.
    pub(super) fn claim_early(&mut self, texts: &mut Texts, out: &mut Requests) {
        if self.early.is_empty() || self.phase == Phase::Messages && !self.frontend.at_boundary() {
            return;
        }
        let early = std::mem::take(&mut self.early);
        for (moment, stashed) in early.chunks {
            let chunk = match &stashed {
                Stashed::Bytes(bytes) => Chunk::Bytes(bytes),
                Stashed::Skipped(skipped) => Chunk::Skipped(*skipped),
            };
            self.server(moment, chunk, moment.ends_transfer, texts, out);
        }
        if self.early.bytes == early.bytes && self.phase == Phase::Messages {
            // Nobody asked for it.
            let early = std::mem::take(&mut self.early);
            self.lose(out);
            for (moment, stashed) in &early.chunks {
                let chunk = match stashed {
                    Stashed::Bytes(bytes) => Chunk::Bytes(bytes),
                    Stashed::Skipped(skipped) => Chunk::Skipped(*skipped),
                };
                self.server(*moment, chunk, false, texts, out);
            }
        }
    }
}
