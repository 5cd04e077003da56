//! The binary protocol of one connection: a header of 24 bytes in front of extras, key and value.

use super::answer::opaque;
use super::command::{Kind, LONGEST_KEY};
use super::pairing::{Header as Found, Pairing};
use super::pending::Entry;
use super::statement::{Spoken, Statements};
use crate::proto::framing::{Format, Frame, Framer, Step};
use crate::proto::{Chunk, Moment, Session, Side};
use crate::request::{ErrorCode, Requests};
use crate::sql::Texts;

/// A command: opcode, name, the length of its extras in a request, whether it asks for silence.
struct Opcode {
    code: u8,
    name: &'static str,
    extras: &'static [u8],
    silent: bool,
}

const fn opcode(code: u8, name: &'static str, extras: &'static [u8], silent: bool) -> Opcode {
    Opcode { code, name, extras, silent }
}

/// `protocol_binary.h` of memcached 1.6.
const OPCODES: [Opcode; 36] = [
    opcode(0x00, "get", &[0], false),
    opcode(0x01, "set", &[8], false),
    opcode(0x02, "add", &[8], false),
    opcode(0x03, "replace", &[8], false),
    opcode(0x04, "delete", &[0], false),
    opcode(0x05, "incr", &[20], false),
    opcode(0x06, "decr", &[20], false),
    opcode(0x07, "quit", &[0], false),
    opcode(0x08, "flush_all", &[0, 4], false),
    opcode(0x09, "get", &[0], true),
    opcode(0x0a, "noop", &[0], false),
    opcode(0x0b, "version", &[0], false),
    opcode(0x0c, "get", &[0], false),
    opcode(0x0d, "get", &[0], true),
    opcode(0x0e, "append", &[0], false),
    opcode(0x0f, "prepend", &[0], false),
    opcode(0x10, "stats", &[0], false),
    opcode(0x11, "set", &[8], true),
    opcode(0x12, "add", &[8], true),
    opcode(0x13, "replace", &[8], true),
    opcode(0x14, "delete", &[0], true),
    opcode(0x15, "incr", &[20], true),
    opcode(0x16, "decr", &[20], true),
    opcode(0x17, "quit", &[0], true),
    opcode(0x18, "flush_all", &[0, 4], true),
    opcode(0x19, "append", &[0], true),
    opcode(0x1a, "prepend", &[0], true),
    opcode(0x1b, "verbosity", &[4], false),
    opcode(0x1c, "touch", &[4], false),
    opcode(0x1d, "gat", &[4], false),
    opcode(0x1e, "gat", &[4], true),
    opcode(0x20, "sasl list mechanisms", &[0], false),
    opcode(0x21, "sasl authenticate", &[0], false),
    opcode(0x22, "sasl step", &[0], false),
    opcode(0x23, "gat", &[4], false),
    opcode(0x24, "gat", &[4], true),
];

const STAT: u8 = 0x10;
const QUIT: [u8; 2] = [0x07, 0x17];

fn known(code: u8) -> Option<&'static Opcode> {
    OPCODES.iter().find(|opcode| opcode.code == code)
}

/// What a header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub response: bool,
    pub opcode: u8,
    pub key_bytes: u16,
    pub extras_bytes: u8,
    /// Of a request: its virtual bucket.
    pub status: u16,
    pub body_bytes: u32,
    pub opaque: u32,
    pub cas: u64,
}

impl Header {
    /// What a request and its answer share; with the key where the opcode has the answer say it.
    fn tag(&self, body: &[u8]) -> u64 {
        let start = usize::from(self.extras_bytes);
        let key = body.get(start..start + usize::from(self.key_bytes)).filter(|key| !key.is_empty());
        let key = key.filter(|_| says_key(self.opcode)).map_or(0, |key| opaque(Some(key)) >> KEY_SHIFT | 1);
        key << KEY_SHIFT | 1 << 40 | u64::from(self.opcode) << 32 | u64::from(self.opaque)
    }

    /// Length of the value.
    fn value_bytes(&self) -> u64 {
        let named = u32::from(self.key_bytes) + u32::from(self.extras_bytes);
        u64::from(self.body_bytes.saturating_sub(named))
    }

    /// Everything about it is as its opcode has it: bytes of something else are not.
    pub fn is_strict(&self) -> bool {
        let Some(opcode) = known(self.opcode) else { return false };
        let stores = matches!(opcode.name, "set" | "add" | "replace" | "append" | "prepend");
        let keyless = matches!(opcode.name, "noop" | "version" | "quit" | "flush_all" | "verbosity");
        if self.response {
            let plain = self.status <= 0x08 || (0x20..=0x22).contains(&self.status);
            let status = plain || (0x80..=0x87).contains(&self.status);
            // A version and every error have a text; the rest of these have nothing.
            let empty = keyless && opcode.name != "version" && self.status == 0;
            return status && matches!(self.extras_bytes, 0 | 4) && !(empty && self.body_bytes > 0);
        }
        let key = (self.key_bytes == 0) == keyless || opcode.name == "stats" || opcode.code == 0x20;
        opcode.extras.contains(&self.extras_bytes)
            && key
            && self.status == 0
            && (stores || opcode.name.starts_with("sasl") || self.value_bytes() == 0)
            && (stores || self.cas == 0 || matches!(opcode.name, "delete" | "incr" | "decr"))
    }
}

/// Where a tag has its bits of the key.
const KEY_SHIFT: u32 = 41;

/// Whether two tags are of one command: a key tells only where both have one.
pub(super) fn same_tag(one: u64, other: u64) -> bool {
    let (key, other_key) = (one >> KEY_SHIFT, other >> KEY_SHIFT);
    (one ^ other) << (64 - KEY_SHIFT) == 0 && (key == other_key || key == 0 || other_key == 0)
}

/// GetK, GetKQ, GATK and GATKQ.
fn says_key(opcode: u8) -> bool {
    matches!(opcode, 0x0c | 0x0d | 0x23 | 0x24)
}

/// Headers of one side.
#[derive(Debug)]
pub(super) struct Requesting;
#[derive(Debug)]
pub(super) struct Answering;

/// Reads a header of exactly 24 bytes.
pub(super) fn header(bytes: &[u8], magic: u8) -> Option<Header> {
    let (words, []) = bytes.as_chunks::<4>() else { return None };
    let [[first, opcode, key1, key2], [extras, kind, status1, status2], body, opaque, cas1, cas2] = words
    else {
        return None;
    };
    let header = Header {
        response: magic == 0x81,
        opcode: *opcode,
        key_bytes: u16::from_be_bytes([*key1, *key2]),
        extras_bytes: *extras,
        status: u16::from_be_bytes([*status1, *status2]),
        body_bytes: u32::from_be_bytes(*body),
        opaque: u32::from_be_bytes(*opaque),
        cas: u64::from(u32::from_be_bytes(*cas1)) << 32 | u64::from(u32::from_be_bytes(*cas2)),
    };
    let named = u32::from(header.key_bytes) + u32::from(*extras);
    let fits = *first == magic && *kind == 0 && named <= header.body_bytes;
    (fits && usize::from(header.key_bytes) <= LONGEST_KEY && *extras <= 20).then_some(header)
}

impl Format for Requesting {
    const HEADER_BYTES: usize = 24;
    type Header = Header;
    fn header(bytes: &[u8]) -> Option<Header> {
        header(bytes, 0x80)
    }
    fn body_bytes(header: &Header) -> u64 {
        u64::from(header.body_bytes)
    }
    fn may_begin(bytes: &[u8]) -> bool {
        bytes.first() == Some(&0x80)
    }
}

impl Format for Answering {
    const HEADER_BYTES: usize = 24;
    type Header = Header;
    fn header(bytes: &[u8]) -> Option<Header> {
        header(bytes, 0x81)
    }
    fn body_bytes(header: &Header) -> u64 {
        u64::from(header.body_bytes)
    }
    fn may_begin(bytes: &[u8]) -> bool {
        bytes.first() == Some(&0x81)
    }
}

#[derive(Debug)]
pub(super) struct Binary {
    client: Framer<Requesting>,
    client_framed: bool,
    /// The unfinished request is waiting already: its answer came before its end.
    client_early: bool,
    server: Framer<Answering>,
    server_framed: bool,
    statements: Statements,
}

impl Binary {
    pub fn new(from_start: bool) -> Self {
        Self {
            client: Framer::default(),
            client_framed: from_start,
            client_early: false,
            server: Framer::default(),
            server_framed: from_start,
            statements: Statements::default(),
        }
    }

    /// Both directions are framed.
    pub fn in_sync(&self) -> bool {
        self.client_framed && self.server_framed
    }

    #[expect(clippy::too_many_arguments, reason = "the observer's parts, borrowed apart")]
    pub fn client(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        pairing: &mut Pairing,
        session: &mut Session,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if !self.client_framed {
            if !begins(chunk, starts, 0x80) {
                return;
            }
            self.client_framed = true;
            self.client.reset();
        }
        let mut input = if let Chunk::Bytes(bytes) = chunk { bytes } else { &[] };
        loop {
            let step = match chunk {
                Chunk::Bytes(_) => self.client.next(moment, &mut input, kept_bytes),
                Chunk::Skipped(skipped) => self.client.skip(moment, skipped),
            };
            match step {
                Step::Frame(frame) => {
                    // The end of the session, as in text: no request, though the server may still say yes.
                    if QUIT.contains(&frame.header.opcode) {
                        session.terminated = true;
                    } else if !std::mem::take(&mut self.client_early) {
                        let (entry, values) = entry(&frame, &mut self.statements, texts);
                        if !pairing.pending.push(entry, values) {
                            pairing.lose(out);
                            pairing.pending.push(entry, values);
                        }
                    }
                }
                Step::More => return,
                Step::Lost => {
                    self.client_framed = false;
                    self.client_early = false;
                    return pairing.lose(out);
                }
            }
            if matches!(chunk, Chunk::Skipped(_)) {
                return;
            }
        }
    }

    pub fn server(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        pairing: &mut Pairing,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if !self.server_framed {
            if !begins(chunk, starts, 0x81) {
                return;
            }
            self.server_framed = true;
            self.server.reset();
        }
        let mut input = if let Chunk::Bytes(bytes) = chunk { bytes } else { &[] };
        loop {
            let step = match chunk {
                Chunk::Bytes(_) => self.server.next(moment, &mut input, |header| {
                    if says_key(header.opcode) { named_bytes(header) } else { 0 }
                }),
                Chunk::Skipped(skipped) => self.server.skip(moment, skipped),
            };
            match step {
                Step::Frame(frame) => {
                    let found = found(&frame.header, frame.body);
                    let (first, last) = (frame.first.at, frame.last.at);
                    let bytes = frame.wire_bytes;
                    let mut paired = QUIT.contains(&frame.header.opcode)
                        || pairing.binary_answer(found, first, last, bytes, out);
                    if !paired && self.unfinished(found.tag, moment, pairing, texts) {
                        paired = pairing.binary_answer(found, first, last, bytes, out);
                    }
                    if !paired {
                        pairing.unmatched(out);
                    }
                }
                Step::More => return,
                Step::Lost => {
                    self.server_framed = false;
                    return pairing.lose(out);
                }
            }
            if matches!(chunk, Chunk::Skipped(_)) {
                return;
            }
        }
    }

    /// The request that the client has not sent to its end is answered already, as one that is too large.
    fn unfinished(&mut self, tag: u64, moment: Moment, pairing: &mut Pairing, texts: &mut Texts) -> bool {
        if self.client_early {
            return false;
        }
        let Some((header, body)) = self.client.unfinished() else { return false };
        if !same_tag(header.tag(body), tag) {
            return false;
        }
        let first = Moment { at: self.client.first_byte_at().unwrap_or(moment.at), ..moment };
        let body_bytes = u64::from(header.body_bytes);
        let frame = Frame { header, body, body_bytes, wire_bytes: body_bytes + 24, first, last: moment };
        let (entry, values) = entry(&frame, &mut self.statements, texts);
        self.client_early = pairing.pending.push(entry, values);
        self.client_early
    }
}

/// The chunk begins a transfer with a header of this side.
fn begins(chunk: Chunk<'_>, starts: bool, magic: u8) -> bool {
    let Chunk::Bytes(bytes) = chunk else { return false };
    let head = bytes.get(..24).and_then(|head| header(head, magic));
    starts && head.is_some_and(|header| header.is_strict())
}

/// How much of a request's body is read.
pub(super) fn kept_bytes(header: &Header) -> usize {
    if secret(header.opcode) { 0 } else { named_bytes(header) }
}

/// Length of extras and key.
fn named_bytes(header: &Header) -> usize {
    usize::from(header.extras_bytes) + usize::from(header.key_bytes)
}

/// Opcodes whose body is a secret.
fn secret(opcode: u8) -> bool {
    matches!(opcode, 0x21 | 0x22)
}

fn entry<'s>(
    frame: &Frame<'_, Header>,
    statements: &'s mut Statements,
    texts: &mut Texts,
) -> (Entry, &'s [crate::value::Value]) {
    let Frame { header, body, first, .. } = frame;
    let opcode = known(header.opcode);
    let start = usize::from(header.extras_bytes);
    let key = body.get(start..start + usize::from(header.key_bytes)).unwrap_or_default();
    let keyed = opcode.is_some_and(|opcode| !opcode.name.starts_with("sasl"));
    // Of a list of words the first says what the statistics are about.
    let end = key.iter().position(|byte| *byte == b' ').filter(|_| header.opcode == STAT);
    let key = key.get(..end.unwrap_or(key.len())).unwrap_or_default();
    let spoken = Spoken {
        name: opcode.map_or("", |opcode| opcode.name),
        keys: if keyed { key } else { &[] },
        encoded: keyed && key.contains(&b' '),
        cut: false,
    };
    let text = statements.intern(spoken, first.at, texts);
    let entry = Entry {
        text,
        kind: Kind::Binary,
        silent: opcode.is_some_and(|opcode| opcode.silent),
        tag: header.tag(body),
        keys: 0,
        started_at: first.at,
        task: first.task,
        load: first.load,
        bytes: frame.wire_bytes,
        values: 0,
    };
    (entry, &statements.values)
}

fn found(header: &Header, body: &[u8]) -> Found {
    let error = error(header.status);
    let stat = header.opcode == STAT && error.is_none();
    let answers =
        known(header.opcode).is_some_and(|opcode| !matches!(opcode.name, "noop" | "version" | "quit"));
    let rows =
        if stat { header.key_bytes > 0 } else { header.status == 0 && answers && !sasl(header.opcode) };
    Found { tag: header.tag(body), error, rows: u64::from(rows), part: stat && header.key_bytes > 0 }
}

fn sasl(opcode: u8) -> bool {
    (0x20..=0x22).contains(&opcode)
}

/// The name of a status (`protocol_binary.h`). Not found, exists, not stored and "authentication goes on" are none.
fn error(status: u16) -> Option<ErrorCode> {
    let name: &[u8] = match status {
        0x00 | 0x01 | 0x02 | 0x05 | 0x21 => return None,
        0x03 => b"E2BIG",
        0x04 => b"EINVAL",
        0x06 => b"DELTA_BADVAL",
        0x07 => b"NOT_MY_VBUCKET",
        0x20 => b"AUTH_ERROR",
        0x81 => b"UNKNOWN_COMMAND",
        0x82 => b"ENOMEM",
        0x83 => b"NOT_SUPPORTED",
        0x84 => b"EINTERNAL",
        0x85 => b"EBUSY",
        0x86 => b"ETMPFAIL",
        _ => return Some(ErrorCode::new(format!("0x{status:04x}").as_bytes())),
    };
    Some(ErrorCode::new(name))
}

/// The frames that a piece of one direction begins with, as far as they are strict, and whether they chain to its end.
pub(super) fn chain(mut bytes: &[u8], side: Side, skipped: u64) -> Option<usize> {
    let magic = if side == Side::Client { 0x80 } else { 0x81 };
    let mut frames = 0;
    while !bytes.is_empty() {
        let Some((head, rest)) = bytes.split_at_checked(24) else {
            return (frames > 0 && bytes.first() == Some(&magic)).then_some(frames);
        };
        let header = header(head, magic).filter(Header::is_strict)?;
        frames += 1;
        let body = usize::try_from(header.body_bytes).ok()?;
        match rest.get(body..) {
            Some(rest) => bytes = rest,
            // The last one goes on behind the piece.
            None if skipped > 0 || frames > 1 || rest.len() >= usize::from(header.key_bytes) => break,
            None => return None,
        }
    }
    Some(frames)
}
