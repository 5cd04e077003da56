//! Reads an answer as it comes, piece by piece: whether it is an error, and how many documents it has.
//!
//! Walks documents by their lengths and keeps no value but codes and counts. What a hole hides is not known: no error, no rows.

use super::bson::{Length, kind, number, value_bytes};
use super::message::{self, OP_MSG, OP_REPLY, flag};
use crate::request::ErrorCode;

/// Room for an element up to where its length is known: type, name, and a number or a short string.
const CARRY_BYTES: usize = 288;
/// A code name is no longer.
const LONGEST_CODE_NAME_BYTES: usize = 64;
const MOST_LEVELS: usize = 4;

/// What an answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Another answer to the same request follows.
    pub more_to_come: bool,
    /// It answers a hello.
    pub hello: bool,
    failed: bool,
    code: Option<i64>,
    code_name: Option<ErrorCode>,
    write_error: Option<i64>,
    concern_error: Option<i64>,
    concern_error_name: Option<ErrorCode>,
    /// Documents in a batch, or values.
    documents: Option<u64>,
    /// Documents in OP_REPLY, and whether they are the answer to a command.
    reply_documents: Option<u64>,
    is_command: bool,
    /// `n` of a write.
    n: Option<u64>,
    /// The numbers of a bulkWrite together, whether it had errors, and the first error's code, which stands in its batch.
    written: Option<u64>,
    errors: bool,
    item_code: Option<i64>,
}

impl Answer {
    /// Documents returned or written. `counts`: the answer's `n` is the result itself.
    pub fn rows(&self, counts: bool) -> u64 {
        if let Some(written) = self.written.filter(|_| self.is_command) {
            return written;
        }
        match self.documents.or(self.reply_documents.filter(|_| !self.is_command)) {
            Some(documents) => documents,
            None if counts => u64::from(self.n.is_some()),
            None => self.n.unwrap_or(0),
        }
    }

    /// The code's name, else its number. A command that succeeded with errors of single writes has the code of the first one;
    /// one whose write concern was not met has that error's.
    pub fn error(&self) -> Option<ErrorCode> {
        let of_number = |code: i64| ErrorCode::new(code.to_string().as_bytes());
        if self.failed {
            return self.code_name.or_else(|| Some(self.code.map_or(ErrorCode::new(b"0"), of_number)));
        }
        let concern = || self.concern_error_name.or_else(|| self.concern_error.map(of_number));
        let of_bulk = || self.errors.then(|| of_number(self.item_code.unwrap_or(0)));
        self.write_error.map(of_number).or_else(of_bulk).or_else(concern)
    }
}

/// Which document the walk is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Top,
    Cursor,
    /// Its elements are what is counted.
    Documents,
    /// One of them, as long as it looks like a result of bulkWrite.
    Item,
    WriteErrors,
    WriteError,
    ConcernError,
    /// `lastErrorObject` of findAndModify.
    LastError,
}

/// What stands next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Flags of OP_MSG.
    Flags,
    /// Kind and length of a section.
    Section,
    /// The fixed part of OP_REPLY, and the length of its first document.
    Reply,
    /// An element, or the end of a document.
    Element,
    /// Nothing more that matters.
    Done,
}

/// The walk over one answer.
#[derive(Debug)]
pub(super) struct Walk {
    pub answer: Answer,
    state: State,
    /// Bytes of the body so far.
    at: u64,
    /// Nothing before this offset matters.
    skip_to: u64,
    /// Where the sections end.
    end: u64,
    levels: [(Level, u64); MOST_LEVELS],
    depth: usize,
    /// The documents are no results of bulkWrite.
    plain: bool,
    carry: [u8; CARRY_BYTES],
    carried: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            answer: Answer::default(),
            state: State::Done,
            at: 0,
            skip_to: 0,
            end: 0,
            levels: [(Level::Top, 0); MOST_LEVELS],
            depth: 0,
            plain: false,
            carry: [0; CARRY_BYTES],
            carried: 0,
        }
    }
}

impl Walk {
    /// At the first byte of a body. Of other messages nothing is read.
    pub fn begin(&mut self, opcode: i32, body_bytes: u64) {
        self.answer = Answer::default();
        self.state = match opcode {
            OP_MSG => State::Flags,
            OP_REPLY => State::Reply,
            _ => State::Done,
        };
        (self.at, self.skip_to, self.end) = (0, 0, body_bytes);
        (self.depth, self.carried, self.plain) = (0, 0, false);
    }

    /// The next bytes of the body.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.state != State::Done {
            let skip = usize::try_from(self.skip_to.saturating_sub(self.at)).unwrap_or(usize::MAX);
            if skip > 0 {
                let skip = skip.min(bytes.len());
                self.at += skip as u64;
                bytes = bytes.get(skip..).unwrap_or_default();
                continue;
            }
            if self.carried == 0 {
                match self.step(bytes) {
                    Some(taken) => {
                        self.at += taken as u64;
                        bytes = bytes.get(taken..).unwrap_or_default();
                    }
                    None => return self.carry_all(bytes),
                }
                continue;
            }
            let before = self.carried;
            let room = (CARRY_BYTES - before).min(bytes.len());
            let (head, rest) = bytes.split_at(room);
            if let Some(slot) = self.carry.get_mut(before..before + room) {
                slot.copy_from_slice(head);
            }
            let carry = self.carry;
            match self.step(carry.get(..before + room).unwrap_or_default()) {
                Some(taken) => {
                    // What is carried behind an element's name is a part of its value, which is skipped.
                    self.at += taken.max(before) as u64;
                    self.carried = 0;
                    bytes = bytes.get(taken.saturating_sub(before)..).unwrap_or_default();
                }
                None if rest.is_empty() && before + room < CARRY_BYTES => {
                    self.carried = before + room;
                    return;
                }
                None => self.state = State::Done,
            }
        }
    }

    /// So many bytes of the body were not seen.
    pub fn skip(&mut self, skipped: u64) {
        let hidden = self.carried > 0 || self.at.saturating_add(skipped) > self.skip_to;
        self.at = self.at.saturating_add(self.carried as u64).saturating_add(skipped);
        self.carried = 0;
        if self.state == State::Done || !hidden {
            return;
        }
        if self.state != State::Element {
            self.state = State::Done;
            return;
        }
        // The innermost document that ends behind the hole tells where to go on.
        while let Some((level, end)) = self.pop() {
            if matches!(level, Level::Documents) {
                self.answer.documents = None;
            }
            if end >= self.at {
                self.skip_to = end;
                if self.depth == 0 {
                    self.state = State::Section;
                }
                return;
            }
        }
        self.state = State::Done;
    }

    fn carry_all(&mut self, bytes: &[u8]) {
        match self.carry.get_mut(..bytes.len()) {
            Some(slot) if bytes.len() < CARRY_BYTES => {
                slot.copy_from_slice(bytes);
                self.carried = bytes.len();
            }
            _ => self.state = State::Done,
        }
    }

    fn pop(&mut self) -> Option<(Level, u64)> {
        self.depth = self.depth.checked_sub(1)?;
        self.levels.get(self.depth).copied()
    }

    fn push(&mut self, level: Level, end: u64) {
        match self.levels.get_mut(self.depth) {
            Some(slot) => {
                *slot = (level, end);
                self.depth += 1;
                self.state = State::Element;
            }
            None => self.state = State::Done,
        }
    }

    /// Takes what stands next. None: it is not complete.
    fn step(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.state {
            State::Flags => {
                let flags = message::flags(bytes.get(..4)?);
                self.answer.more_to_come = flags & flag::MORE_TO_COME != 0;
                if flags & flag::CHECKSUM_PRESENT != 0 {
                    self.end = self.end.saturating_sub(4);
                }
                self.state = State::Section;
                Some(4)
            }
            State::Section => {
                if self.at >= self.end {
                    self.state = State::Done;
                    return Some(0);
                }
                let (kind, size) = (*bytes.first()?, u64::try_from(message::int32(bytes, 1)?).ok());
                let end = size.filter(|size| *size >= 5).map(|size| self.at + 1 + size);
                match (kind, end) {
                    (0, Some(end)) => self.push(Level::Top, end),
                    (1, Some(end)) => self.skip_to = end,
                    _ => self.state = State::Done,
                }
                Some(5)
            }
            State::Reply => {
                let flags = message::flags(bytes.get(..24)?);
                self.answer.reply_documents = message::int32(bytes, 16).and_then(|n| u64::try_from(n).ok());
                // QueryFailure.
                self.answer.failed = flags & 2 != 0;
                match message::int32(bytes, 20).and_then(|size| u64::try_from(size).ok()) {
                    Some(size) if size >= 5 => self.push(Level::Top, self.at + 20 + size),
                    _ => self.state = State::Done,
                }
                Some(24)
            }
            State::Element => self.element(bytes),
            State::Done => Some(bytes.len()),
        }
    }

    fn element(&mut self, bytes: &[u8]) -> Option<usize> {
        let element_kind = *bytes.first()?;
        let Some((level, end)) = self.depth.checked_sub(1).and_then(|top| self.levels.get(top)).copied()
        else {
            self.state = State::Done;
            return Some(0);
        };
        if element_kind == 0 {
            self.pop();
            if self.depth == 0 {
                self.state = State::Section;
            }
            return Some(1);
        }
        if level == Level::Item && !is_of_item(element_kind, bytes) {
            self.plain = true;
            self.pop();
            self.skip_to = end;
            return Some(0);
        }
        let (name, value) = message::cstring(bytes.get(1..)?)?;
        let start = bytes.len() - value.len();
        let value_start = self.at + start as u64;
        let len = match value_bytes(element_kind, value) {
            Length::Known(len) => len,
            Length::More => return None,
            Length::Bad => {
                self.state = State::Done;
                return Some(start);
            }
        };
        let value_end = value_start.saturating_add(len as u64);
        if value_end > end {
            self.state = State::Done;
            return Some(start);
        }
        let read = is_read(element_kind, len);
        if read && value.len() < len {
            return None;
        }
        if let Some(inside) = self.enter(level, element_kind, name) {
            self.push(inside, value_end);
            return Some(start + 4);
        }
        if read {
            self.read(level, element_kind, name, value.get(..len).unwrap_or_default());
            return Some(start + len);
        }
        self.skip_to = value_end;
        Some(start)
    }

    /// The document or array of this name is walked too.
    fn enter(&mut self, level: Level, element_kind: u8, name: &[u8]) -> Option<Level> {
        if level == Level::Documents {
            self.answer.documents = self.answer.documents.map(|documents| documents + 1);
            let results = element_kind == kind::DOCUMENT && !self.plain && self.answer.item_code.is_none();
            return results.then_some(Level::Item);
        }
        match (level, element_kind, name) {
            (Level::Top, kind::DOCUMENT, b"cursor") => Some(Level::Cursor),
            (Level::Top, kind::ARRAY, b"values")
            | (Level::Cursor, kind::ARRAY, b"firstBatch" | b"nextBatch") => {
                self.answer.documents = Some(0);
                Some(Level::Documents)
            }
            (Level::Top, kind::ARRAY, b"writeErrors") => Some(Level::WriteErrors),
            (Level::WriteErrors, kind::DOCUMENT, _) if self.answer.write_error.is_none() => {
                Some(Level::WriteError)
            }
            (Level::Top, kind::DOCUMENT, b"writeConcernError") => Some(Level::ConcernError),
            (Level::Top, kind::DOCUMENT, b"lastErrorObject") => Some(Level::LastError),
            _ => None,
        }
    }

    fn read(&mut self, level: Level, element_kind: u8, name: &[u8], value: &[u8]) {
        let truth = (element_kind == kind::BOOLEAN).then(|| i64::from(value == [1]));
        let number = number(element_kind, value).or(truth);
        let answer = &mut self.answer;
        match (level, name) {
            (Level::Top, b"ok") => {
                answer.is_command = true;
                answer.failed |= number == Some(0);
            }
            (Level::Top, b"isWritablePrimary" | b"ismaster") => answer.hello = true,
            (Level::Top, b"code") => answer.code = number,
            (Level::Top, b"codeName") => answer.code_name = code_name(element_kind, value),
            (Level::WriteError, b"code") => answer.write_error = number,
            (Level::ConcernError, b"code") => answer.concern_error = number,
            (Level::ConcernError, b"codeName") => answer.concern_error_name = code_name(element_kind, value),
            (Level::Top | Level::LastError, b"n") => answer.n = number.and_then(|n| u64::try_from(n).ok()),
            (Level::Item, b"code") => answer.item_code = number,
            (Level::Top, b"nErrors") => answer.errors = number.is_some_and(|errors| errors > 0),
            (Level::Top, b"nInserted" | b"nMatched" | b"nUpserted" | b"nDeleted") => {
                let more = number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
                answer.written = Some(answer.written.unwrap_or(0).saturating_add(more));
            }
            _ => {}
        }
    }
}

/// Small enough to be looked at, and of a type that can matter.
fn is_read(element_kind: u8, len: usize) -> bool {
    match element_kind {
        kind::DOUBLE | kind::BOOLEAN | kind::INT32 | kind::INT64 => true,
        kind::STRING => len <= LONGEST_CODE_NAME_BYTES,
        _ => false,
    }
}

/// The element could be of a result of bulkWrite: its numbers come before all else. Looks at the name's beginning only.
fn is_of_item(element_kind: u8, bytes: &[u8]) -> bool {
    const NAMES: [&[u8]; 5] = [b"ok\0", b"idx\0", b"n\0", b"nModified\0", b"code\0"];
    let name = bytes.get(1..).unwrap_or_default();
    matches!(element_kind, kind::DOUBLE | kind::INT32 | kind::INT64)
        && NAMES.iter().any(|known| name.iter().zip(*known).all(|(byte, expected)| byte == expected))
}

fn code_name(element_kind: u8, value: &[u8]) -> Option<ErrorCode> {
    let text = value.get(4..value.len().checked_sub(1)?)?;
    (element_kind == kind::STRING && !text.is_empty()).then(|| ErrorCode::new(text))
}
