//! Cuts the server's stream into answers: whole values of RESP2 and RESP3 with everything that is nested in them.
//!
//! Source: "Redis serialization protocol specification" and "RESP3 specification" (streamed strings and aggregates).
//!
//! Never keeps a value: of an answer only its type, its size, the first word of an error, the first element where it is a
//! short string, and for EXEC one line for each element.

use super::line::{number, number_line};
use crate::proto::Moment;
use crate::request::ErrorCode;
use crate::time::Nanos;

/// Values may be nested so deep.
const MOST_DEPTH: usize = 64;
/// Bytes of a line that are looked at: a number, or the beginning of a status or an error.
const LINE_BYTES: usize = 64;
/// Bytes of the first element that are looked at.
const WORD_BYTES: usize = 16;
/// Elements of EXEC's answer that are told apart.
const MOST_ELEMENTS: usize = 100_000;
/// Room for so many of them is kept.
const RETAINED: usize = 1024;
/// Longest bulk string, and most elements of an aggregate.
const MOST: i64 = 4 << 30;

/// A short beginning of a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    bytes: [u8; WORD_BYTES],
    len: usize,
}

impl Word {
    fn add(&mut self, bytes: &[u8]) {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let kept = bytes.len().min(room.len());
        room[..kept].copy_from_slice(&bytes[..kept]);
        self.len += kept;
    }
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A whole answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// Its type byte.
    pub kind: u8,
    /// Null of any form.
    pub null: bool,
    /// Elements of an aggregate, pairs of a map; 1 for a bulk string, 0 for everything else.
    pub rows: u64,
    pub error: Option<ErrorCode>,
    /// The beginning of a status; of an aggregate, of its first element.
    pub word: Word,
    /// The last whole number that is an element of it.
    pub number: Option<i64>,
    pub first_byte_at: Nanos,
    pub bytes: u64,
}

/// What an element of an aggregate is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Element {
    pub rows: u64,
    pub error: Option<ErrorCode>,
}

/// What the server's bytes gave.
#[derive(Debug)]
pub(super) enum Step {
    Answer(Answer),
    /// The chunk is used up.
    More,
    /// These are no answers, or a hole hides where the next one begins.
    Lost,
}

#[derive(Clone, Copy, Debug)]
enum Level {
    /// So many values are to come.
    Left(u64),
    /// Up to a line `.`.
    Streamed,
    /// Pieces of a string, up to one of length 0.
    Pieces,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    level: Level,
    /// An attribute: stands before a value and is none.
    attribute: bool,
}

/// The stream.
#[derive(Debug)]
pub(super) struct Answers {
    /// Elements of the aggregate that is being read, where they are asked for.
    pub elements: Vec<Element>,
    /// Whether they are.
    pub wants_elements: bool,
    open: Vec<Open>,
    line: [u8; LINE_BYTES],
    line_len: usize,
    /// Whether the last byte of the line was CR.
    carriage_return: bool,
    in_line: bool,
    /// Of a bulk string: what is left of it and of its line end.
    body: u64,
    /// The value at the top level, as far as it is known.
    answer: Option<Answer>,
    /// Values at the first level so far.
    index: u64,
    /// The element that is being read.
    element: Element,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            elements: Vec::new(),
            wants_elements: false,
            open: Vec::new(),
            line: [0; LINE_BYTES],
            line_len: 0,
            carriage_return: false,
            in_line: false,
            body: 0,
            answer: None,
            index: 0,
            element: Element::default(),
        }
    }
}

impl Answers {
    /// The next byte begins an answer.
    pub(super) fn at_boundary(&self) -> bool {
        self.answer.is_none()
    }

    /// What is known of the answer that is being read.
    pub(super) fn unfinished(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// Forgets everything: the next byte begins an answer.
    pub(super) fn reset(&mut self) {
        *self = Self { elements: std::mem::take(&mut self.elements), ..Self::default() };
        self.give_back();
    }

    /// What one large EXEC needed is not kept for the rest of the connection. Forgets the elements then.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if self.elements.capacity() > RETAINED || self.answer.is_none() && !self.elements.is_empty() {
            self.elements.clear();
            self.elements.shrink_to(RETAINED);
        }
    }

    /// The next answer that ends in these bytes.
    #[inline]
    pub(super) fn next(&mut self, moment: Moment, input: &mut &[u8]) -> Step {
        if self.answer.is_none()
            && let Some((answer, used)) = whole(moment, input)
        {
            *input = &input[used..];
            return Step::Answer(answer);
        }
        self.advance(moment, input)
    }

    fn advance(&mut self, moment: Moment, input: &mut &[u8]) -> Step {
        while let Some(first) = input.first() {
            if self.answer.is_none() {
                self.elements.clear();
                self.index = 0;
                self.element = Element::default();
                self.answer = Some(Answer::new(*first, moment.at));
            }
            let before = input.len();
            let complete = if self.body > 0 { self.body(input) } else { self.line(input) };
            if let Some(answer) = &mut self.answer {
                answer.bytes += (before - input.len()) as u64;
            }
            match complete {
                None => return Step::Lost,
                Some(true) => match self.answer.take() {
                    Some(mut answer) => {
                        if answer.kind == b'!' {
                            answer.error = Some(error_code(answer.word.bytes()));
                        }
                        return Step::Answer(answer);
                    }
                    None => return Step::Lost,
                },
                Some(false) => {}
            }
        }
        Step::More
    }

    /// Takes bytes of a bulk string and its line end. True: the answer is complete. None: no line end.
    fn body(&mut self, input: &mut &[u8]) -> Option<bool> {
        let taken = usize::try_from(self.body).unwrap_or(usize::MAX).min(input.len());
        let (bytes, rest) = input.split_at(taken);
        *input = rest;
        let left = self.body - taken as u64;
        // The last two are the line end.
        let text = usize::try_from(self.body.saturating_sub(2)).unwrap_or(usize::MAX).min(taken);
        let (text, end) = bytes.split_at(text);
        let expected = if self.body == 1 { &b"\n"[..] } else { b"\r\n" };
        if end != &expected[..end.len().min(expected.len())] {
            return None;
        }
        self.body = left;
        let is_first_word = self.is_first_word();
        if let Some(answer) = &mut self.answer
            && (is_first_word || answer.error.is_some() && self.open.is_empty())
        {
            answer.word.add(text);
        }
        if left > 0 { Some(false) } else { Some(self.value_ends()) }
    }

    /// The string that is being read is the first element.
    fn is_first_word(&self) -> bool {
        self.index == 0 && matches!(self.open.as_slice(), [Open { attribute: false, .. }])
    }

    /// Takes bytes of a line. True: the answer is complete. None: no such line.
    fn line(&mut self, input: &mut &[u8]) -> Option<bool> {
        self.in_line = true;
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            let ends = *byte == b'\n';
            if ends != self.carriage_return {
                return None;
            }
            self.carriage_return = *byte == b'\r';
            if let Some(place) = self.line.get_mut(self.line_len)
                && !ends
                && !self.carriage_return
            {
                *place = *byte;
                self.line_len += 1;
            }
            if ends {
                self.carriage_return = false;
                let line = self.line;
                let complete = self.token(line.get(..self.line_len).unwrap_or_default());
                self.line_len = 0;
                self.in_line = false;
                return complete;
            }
        }
        Some(false)
    }

    /// A complete line that begins a value, or is one.
    fn token(&mut self, line: &[u8]) -> Option<bool> {
        let (kind, rest) = line.split_first()?;
        if let Some(Open { level: Level::Pieces, .. }) = self.open.last() {
            let length = (*kind == b';').then(|| number(rest)).flatten()?;
            let length = u64::try_from(length).ok()?;
            if length == 0 {
                self.open.pop();
                return Some(self.value_ends());
            }
            self.body = length + 2;
            return Some(false);
        }
        if *kind == b'.' && rest.is_empty() {
            let Some(Open { level: Level::Streamed, attribute }) = self.open.pop() else { return None };
            if self.open.is_empty()
                && let Some(answer) = &mut self.answer
            {
                answer.rows = if answer.kind == b'%' { self.index / 2 } else { self.index };
            }
            return Some(if attribute { false } else { self.value_ends() });
        }
        match kind {
            b'$' | b'!' | b'=' => {
                if *kind == b'$' && rest == b"?" {
                    self.note_bulk(*kind);
                    return self.opens(Level::Pieces, false);
                }
                let length = number(rest).filter(|length| *length <= MOST)?;
                let Ok(length) = u64::try_from(length) else {
                    self.note_null();
                    return Some(self.value_ends());
                };
                self.note_bulk(*kind);
                self.body = length + 2;
                Some(false)
            }
            b'*' | b'~' | b'>' | b'%' | b'|' => {
                let attribute = *kind == b'|';
                if rest == b"?" {
                    if !attribute {
                        self.note_aggregate(*kind, 0);
                    }
                    return self.opens(Level::Streamed, attribute);
                }
                let count = number(rest).filter(|count| *count <= MOST)?;
                let Ok(count) = u64::try_from(count) else {
                    self.note_null();
                    return Some(self.value_ends());
                };
                if !attribute {
                    self.note_aggregate(*kind, count);
                }
                let values = if matches!(kind, b'%' | b'|') { count * 2 } else { count };
                if values > 0 {
                    return self.opens(Level::Left(values), attribute);
                }
                Some(if attribute { false } else { self.value_ends() })
            }
            b'+' | b'-' | b':' | b',' | b'#' | b'(' | b'_' => {
                if !is_scalar(*kind, rest) {
                    return None;
                }
                self.note_scalar(*kind, rest);
                Some(self.value_ends())
            }
            _ => None,
        }
    }

    fn opens(&mut self, level: Level, attribute: bool) -> Option<bool> {
        if self.open.len() >= MOST_DEPTH {
            return None;
        }
        self.open.push(Open { level, attribute });
        Some(false)
    }

    /// A value ended: so may those around it. True: the answer is complete.
    fn value_ends(&mut self) -> bool {
        loop {
            let depth = self.open.len();
            let Some(open) = self.open.last_mut() else { return true };
            if depth == 1 && !open.attribute {
                self.index += 1;
                if self.wants_elements && self.elements.len() < MOST_ELEMENTS {
                    self.elements.push(std::mem::take(&mut self.element));
                }
            }
            match &mut open.level {
                Level::Left(left) => {
                    *left -= 1;
                    if *left > 0 {
                        return false;
                    }
                }
                Level::Streamed | Level::Pieces => return false,
            }
            let attribute = open.attribute;
            self.open.pop();
            if attribute {
                return false;
            }
        }
    }

    /// How many aggregates are open around the value that is being read; none of it counts inside an attribute.
    fn depth(&self) -> Option<usize> {
        (!self.open.iter().any(|open| open.attribute)).then_some(self.open.len())
    }

    fn note_bulk(&mut self, kind: u8) {
        let error = (kind == b'!').then(|| ErrorCode::new(b"ERR"));
        self.note(kind, false, u64::from(kind != b'!'), error);
    }
    fn note_null(&mut self) {
        self.note(b'_', true, 0, None);
    }
    fn note_aggregate(&mut self, kind: u8, count: u64) {
        self.note(kind, false, count, None);
    }
    fn note_scalar(&mut self, kind: u8, rest: &[u8]) {
        let error = (kind == b'-').then(|| error_code(rest));
        self.note(kind, kind == b'_', 0, error);
        let first_word = self.is_first_word();
        let depth = self.depth();
        let Some(answer) = &mut self.answer else { return };
        if kind == b'+' && (depth == Some(0) || first_word) {
            answer.word.add(rest);
        }
        if kind == b':' && depth == Some(1) {
            answer.number = number(rest);
        }
    }
    fn note(&mut self, kind: u8, null: bool, rows: u64, error: Option<ErrorCode>) {
        match self.depth() {
            Some(0) => {
                if let Some(answer) = &mut self.answer {
                    *answer = Answer { kind, null, rows, error, ..*answer };
                }
            }
            Some(1) => self.element = Element { rows, error },
            _ => {}
        }
    }

    /// Passes over bytes that were not captured.
    pub(super) fn skip(&mut self, bytes: u64) -> Step {
        let Some(answer) = &mut self.answer else { return Step::Lost };
        answer.bytes += bytes;
        if bytes > self.body || self.body == 0 {
            return Step::Lost;
        }
        self.body -= bytes;
        if self.body > 0 {
            return Step::More;
        }
        if !self.value_ends() {
            return Step::More;
        }
        self.answer.take().map_or(Step::Lost, Step::Answer)
    }
}

impl Answer {
    fn new(kind: u8, first_byte_at: Nanos) -> Self {
        Self {
            kind,
            null: false,
            rows: 0,
            error: None,
            word: Word::default(),
            number: None,
            first_byte_at,
            bytes: 0,
        }
    }
}

/// The first word of an error's text.
fn error_code(text: &[u8]) -> ErrorCode {
    ErrorCode::new(text.split(|byte| !byte.is_ascii_graphic()).next().unwrap_or_default())
}

/// Whether a line may hold this; `text` is the beginning of it.
fn is_scalar(kind: u8, text: &[u8]) -> bool {
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    match kind {
        b':' => number(text).is_some() || digits(text.strip_prefix(b"-").unwrap_or(text)),
        b'(' => digits(text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text)),
        b'#' => matches!(text, b"t" | b"f"),
        b'_' => text.is_empty(),
        b',' => {
            !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        }
        b'-' => text.first().is_some_and(u8::is_ascii_graphic),
        _ => true,
    }
}

/// The most frequent answers where they lie whole in these bytes: a status, a number, a bulk string.
#[inline]
fn whole(moment: Moment, input: &[u8]) -> Option<(Answer, usize)> {
    let kind = *input.first()?;
    let mut answer = Answer::new(kind, moment.at);
    let used = match kind {
        b'$' => {
            let (length, start) = number_line(input, 1)?;
            let end = start + length;
            if input.get(end..end + 2)? != b"\r\n" {
                return None;
            }
            answer.rows = 1;
            end + 2
        }
        b':' => number_line(input, 1)?.1,
        b'+' => {
            let end = input.iter().take(LINE_BYTES).position(|byte| *byte == b'\r')?;
            if *input.get(end + 1)? != b'\n' || input[1..end].contains(&b'\n') {
                return None;
            }
            answer.word.add(&input[1..end]);
            end + 2
        }
        _ => return None,
    };
    answer.bytes = used as u64;
    Some((answer, used))
}
