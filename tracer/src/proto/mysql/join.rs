//! Joins a connection whose beginning was not seen, and searches after a loss.
//!
//! The client speaks only when the server has answered, so a transfer of the client that begins with a command is a
//! place to begin; the answer's sequence number then proves it. Never credits an answer that it could not place.

use super::command::Command;
use super::compressed;
use super::greeting::greeting;
use super::observer::{Observer, Phase};
use super::packet::split;
use crate::proto::{Chunk, Moment};
use crate::request::Requests;
use crate::sql::Texts;

/// Enough of a transfer to tell what it begins with.
const HEAD_BYTES: usize = 12;

/// What is known while searching.
#[derive(Default)]
pub(super) struct Join {
    /// The beginning of a client's transfer that is too short to tell.
    head: Vec<u8>,
    first: Option<Moment>,
    /// The server has spoken, and no request of it was seen.
    answered: bool,
}

/// Shows no content.
impl std::fmt::Debug for Join {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, answered: {}", self.head.len(), self.answered)
    }
}

impl Join {
    /// Begins anew.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    More,
    Nothing,
    Plain,
    Compressed,
}

/// What a client's transfer begins with.
fn beginning(bytes: &[u8]) -> Beginning {
    let Some((header, payload, rest)) = split(bytes) else { return Beginning::More };
    if header.sequence != 0 || header.payload_bytes == 0 {
        return Beginning::Nothing;
    }
    match compressed::begins(bytes) {
        Some(true) => return Beginning::Compressed,
        None if payload.first() == Some(&0) => return Beginning::More,
        _ => {}
    }
    let Some(command) = payload.first() else { return Beginning::More };
    let whole = usize::try_from(header.payload_bytes) == Ok(payload.len());
    if !whole && bytes.len() < HEAD_BYTES {
        return Beginning::More;
    }
    let fits = Command::of(*command).is_some_and(|command| command.fits(header.payload_bytes));
    // What follows in the same transfer must be a command too.
    let follows = rest.get(3).is_none_or(|sequence| *sequence == 0 || header.is_continued());
    if fits && (follows || !whole) { Beginning::Plain } else { Beginning::Nothing }
}

impl Observer {
    pub(super) fn join_client(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        let Chunk::Bytes(bytes) = chunk else {
            self.join.head.clear();
            return;
        };
        if bytes.is_empty() || self.join.head.is_empty() && !starts {
            return;
        }
        let mut head = std::mem::take(&mut self.join.head);
        let whole;
        let known = if head.is_empty() {
            self.join.first = Some(moment);
            bytes
        } else {
            whole = [&head, bytes].concat();
            &whole
        };
        let compressed = match beginning(known) {
            Beginning::More if known.len() < HEAD_BYTES => {
                head.extend_from_slice(bytes);
                self.join.head = head;
                return;
            }
            Beginning::More | Beginning::Nothing => return,
            Beginning::Plain => false,
            Beginning::Compressed => true,
        };
        if self.compressed.is_some() && !compressed {
            return;
        }
        if compressed && self.compressed.is_none() {
            self.compress();
        }
        if self.initial && self.join.answered {
            out.counts.started_before += 1;
        }
        self.phase = Phase::Commands;
        let first = self.join.first.unwrap_or(moment);
        self.join.forget();
        self.client.reset();
        self.server.reset();
        if let Some(layer) = &mut self.compressed {
            layer.reset();
        }
        let mut feed = |moment, bytes| {
            if self.compressed.is_some() {
                self.inflate(crate::proto::Side::Client, moment, Chunk::Bytes(bytes), texts, out);
            } else {
                self.client_packets(moment, Chunk::Bytes(bytes), texts, out);
            }
        };
        if !head.is_empty() {
            feed(first, &head);
        }
        feed(moment, bytes);
    }

    pub(super) fn join_server(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if chunk.is_empty() {
            return;
        }
        self.join.head.clear();
        if let Chunk::Bytes(bytes) = chunk
            && self.initial
            && starts
            && let Some((header, payload, _)) = split(bytes)
            && header.sequence == 0
            && greeting(payload).is_some()
        {
            self.phase = Phase::Greeting;
            self.compressed = None;
            self.server.reset();
            return self.server_packets(moment, chunk, texts, out);
        }
        self.join.answered = true;
    }
}
