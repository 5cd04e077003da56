//! The opening of a connection: start-up packets, and the one-byte answers to encryption requests.
//!
//! Never takes more from a chunk than the packet: a password may follow.

use super::observer::{Observer, Phase};
use super::startup::{self, Opening, Packet};
use crate::proto::{Chunk, Moment};
use crate::request::Requests;
use crate::sql::Texts;

impl Observer {
    /// Start-up packets. Takes from the chunk only what belongs to them: a password may follow.
    pub(super) fn open(&mut self, moment: Moment, chunk: Chunk<'_>, texts: &mut Texts, out: &mut Requests) {
        let Chunk::Bytes(mut input) = chunk else { return self.lose(out) };
        loop {
            let missing = startup::wanted(&self.opening).saturating_sub(self.opening.len()).min(input.len());
            let (head, rest) = input.split_at(missing);
            self.opening.extend_from_slice(head);
            input = rest;
            match startup::opening(&self.opening) {
                Opening::More if input.is_empty() => return,
                Opening::More => continue,
                Opening::Tls => {
                    self.exchange.session.tls = true;
                    return self.stop(Phase::Opaque);
                }
                Opening::Unknown => {
                    let read = std::mem::take(&mut self.opening);
                    self.lose_quietly();
                    // The whole chunk again, as far as it is known, in the middle of a session.
                    let whole = [&read, input].concat();
                    return self.join_client(moment, Chunk::Bytes(&whole), true, texts, out);
                }
                Opening::Packet(packet) => {
                    self.opening = Vec::new();
                    match packet {
                        Packet::Encryption => self.phase = Phase::EncryptionAnswer,
                        Packet::Cancel(key) => {
                            out.cancels.push(key);
                            return self.stop(Phase::Ended);
                        }
                        Packet::Startup { user, database, replication } => {
                            let session = &mut self.exchange.session;
                            (session.user, session.database) = (user, database);
                            session.streaming |= replication;
                            self.exchange.push_startup(moment);
                            self.initial = false;
                            self.phase = Phase::Messages;
                            return self.client_messages(moment, Chunk::Bytes(input), texts, out);
                        }
                    }
                }
            }
            if input.is_empty() {
                return;
            }
        }
    }

    pub(super) fn encryption_answer(&mut self, chunk: Chunk<'_>, out: &mut Requests) {
        match chunk {
            Chunk::Bytes([]) => {}
            Chunk::Bytes([b'N', ..]) => self.phase = Phase::Opening,
            Chunk::Bytes([b'S' | b'G', ..]) => {
                self.exchange.session.tls = true;
                self.stop(Phase::Opaque);
            }
            // A server from before encryption, or one that is full.
            Chunk::Bytes([b'E', ..]) => self.stop(Phase::Ended),
            Chunk::Bytes(_) | Chunk::Skipped(_) => self.lose(out),
        }
    }
}
