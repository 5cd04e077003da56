//! An observer of one protocol: one side speaks any bytes, the other mostly well-formed messages, so that what the first
//! says meets every state of a session. Chunks of both directions, holes, threads and times as the input says.
//!
//! Input: one byte (1: seen from the first byte), then operations. Each is a byte with the operation in its low three
//! bits and flags above (see [`flag`]), a byte of time in ms, and operands.

use tracer::proto::{Chunk, Moment, Protocol, REGISTRY, Side};
use tracer::request::{Requests, Task};
use tracer::sql::Texts;
use tracer::time::Nanos;

/// Operations.
pub mod op {
    /// Bytes of the free side: a length byte, then the bytes.
    pub const BYTES: u8 = 0;
    /// As [`BYTES`], with a length of 16 bits.
    pub const LONG_BYTES: u8 = 1;
    /// A framed message of the free side: type byte, length byte of its body, body.
    pub const MESSAGE: u8 = 2;
    /// A message of the free side with a length that says more than follows: type, length (u32), length byte, body.
    pub const BEGIN: u8 = 3;
    /// A hole in the free side: 16 bits of length.
    pub const SKIP: u8 = 4;
    /// A well-formed message of the other side, by number.
    pub const ANSWER: u8 = 5;
    /// A hole in the other side: 16 bits of length.
    pub const SKIP_OTHER: u8 = 6;
    /// A cancel request reached the session.
    pub const CANCEL: u8 = 7;
}

/// Flags of an operation.
pub mod flag {
    /// The chunk ends its transfer.
    pub const ENDS: u8 = 0x08;
    /// Another thread made the call.
    pub const THREAD: u8 = 0x10;
    /// The chunk comes in two halves.
    pub const SPLIT: u8 = 0x20;
    /// Time goes back.
    pub const BACK: u8 = 0x40;
    /// A hole is 65,537 times as long.
    pub const HUGE: u8 = 0x80;
}

/// From a whole message to its kind and its body.
pub type Unframe = fn(&[u8]) -> Option<(u8, &[u8])>;

/// What is said in a protocol.
pub struct Language {
    /// Its name in the registry.
    pub protocol: &'static str,
    /// Frames a body, with a byte for whatever kind of message there is.
    pub message: fn(u8, &[u8]) -> Vec<u8>,
    /// The opposite, where a message has that form.
    pub unframe: Unframe,
    /// Well-formed messages of the client.
    pub client: fn() -> Vec<Vec<u8>>,
    /// Well-formed messages of the server.
    pub server: fn() -> Vec<Vec<u8>>,
}

impl Language {
    /// Well-formed messages of a side.
    pub fn messages(&self, side: Side) -> Vec<Vec<u8>> {
        match side {
            Side::Client => (self.client)(),
            Side::Server => (self.server)(),
        }
    }
}

/// Takes bytes off the front of an input; past its end, zeros.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
    fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }
    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }
}

struct Session {
    observer: Box<dyn Protocol>,
    texts: Texts,
    out: Requests,
    finished: u64,
    at_ms: u64,
}

impl Session {
    fn feed(&mut self, op: u8, side: Side, chunk: Chunk<'_>) {
        let tid = if op & flag::THREAD == 0 { 1 } else { 2 };
        let moment = Moment {
            at: Nanos::from_millis(self.at_ms),
            task: Task { pid: 1, tid },
            ends_transfer: op & flag::ENDS != 0,
            load: None,
        };
        match chunk {
            Chunk::Bytes(bytes) if op & flag::SPLIT != 0 => {
                let (head, tail) = bytes.split_at(bytes.len() / 2);
                let inside = Moment { ends_transfer: false, ..moment };
                self.observer.feed(inside, side, Chunk::Bytes(head), &mut self.texts, &mut self.out);
                self.observer.feed(moment, side, Chunk::Bytes(tail), &mut self.texts, &mut self.out);
            }
            chunk => self.observer.feed(moment, side, chunk, &mut self.texts, &mut self.out),
        }
        self.take();
    }

    fn take(&mut self) {
        for request in self.out.finished.drain(..) {
            assert!(!self.texts.get(request.text).text.is_empty());
            self.finished += 1;
        }
        self.out.cancels.clear();
    }
}

/// Lets an observer watch a session as `data` says. Panics where an invariant is broken.
pub fn run(language: &Language, free: Side, data: &[u8]) {
    let entry = REGISTRY.iter().find(|entry| entry.name == language.protocol);
    assert!(entry.is_some(), "{} is not in the registry", language.protocol);
    let Some(entry) = entry else { return };
    let other = if free == Side::Client { Side::Server } else { Side::Client };
    let known = language.messages(other);
    let mut input = Input(data);
    let mut session = Session {
        observer: (entry.start)(input.byte() & 1 == 1),
        texts: Texts::new(100),
        out: Requests::default(),
        finished: 0,
        at_ms: 1000,
    };
    let mut moved = 0u64;
    while !input.0.is_empty() {
        let op = input.byte();
        let time_ms = u64::from(input.byte());
        session.at_ms = if op & flag::BACK == 0 {
            session.at_ms + time_ms
        } else {
            session.at_ms.saturating_sub(time_ms)
        };
        let factor = if op & flag::HUGE == 0 { 1 } else { 65_537 };
        match op & 7 {
            op::BYTES => {
                let len = usize::from(input.byte());
                session.feed(op, free, Chunk::Bytes(input.bytes(len)));
            }
            op::LONG_BYTES => {
                let len = usize::from(input.u16());
                session.feed(op, free, Chunk::Bytes(input.bytes(len)));
            }
            op::MESSAGE => {
                let (tag, len) = (input.byte(), usize::from(input.byte()));
                let message = (language.message)(tag, input.bytes(len));
                session.feed(op, free, Chunk::Bytes(&message));
            }
            op::BEGIN => {
                let mut message = vec![input.byte()];
                message.extend_from_slice(input.bytes(4));
                let len = usize::from(input.byte());
                message.extend_from_slice(input.bytes(len));
                session.feed(op, free, Chunk::Bytes(&message));
            }
            op::SKIP => {
                let bytes = u64::from(input.u16()) * factor;
                session.feed(op, free, Chunk::Skipped(bytes));
            }
            op::ANSWER => {
                let message = &known[usize::from(input.byte()) % known.len()];
                session.feed(op, other, Chunk::Bytes(message));
            }
            op::SKIP_OTHER => {
                let bytes = u64::from(input.u16()) * factor;
                session.feed(op, other, Chunk::Skipped(bytes));
            }
            _ => session.observer.cancelled(Nanos::from_millis(session.at_ms)),
        }
        moved += 1;
        let _ = (session.observer.session(), session.observer.in_sync());
    }
    let mut in_flight = Vec::new();
    session.observer.in_flight(&mut in_flight);
    assert!(in_flight.is_sorted_by_key(|request| request.started_at), "not oldest first");
    let executions = 8 * data.len() as u64 + 600 * moved;
    assert!(in_flight.len() as u64 <= executions);
    session.observer.capture_ends(&mut session.out);
    session.take();
    session.observer.close(Nanos::from_millis(session.at_ms), &mut session.out);
    session.take();
    assert!(session.finished <= executions, "{} requests of {} bytes", session.finished, data.len());
    in_flight.clear();
    session.observer.in_flight(&mut in_flight);
    assert!(in_flight.is_empty(), "in flight after the end");
}
