//! Cuts the client's stream into commands: arrays of bulk strings, or inline commands.
//!
//! Source: "Redis serialization protocol specification"; limits and the reading of inline commands: `networking.c` and
//! `sdssplitargs` of Redis 7.
//!
//! A command that lies whole in one chunk is borrowed from it. Of any other the beginnings of its first arguments are kept
//! until it is complete, and then overwritten. Never keeps a password, and passes a long value by its length.

use super::inline::Word;
use super::line::{Line, number_line};
use crate::fnv::Fnv;
use crate::proto::Moment;

/// Arguments of a command that are told apart; of the others only the number is known.
const ARGUMENTS: usize = 40;
/// Bytes of an argument that are looked at.
pub(super) const SEEN_BYTES: usize = 192;
/// An array may have so many elements (`networking.c`).
const MOST_ARGUMENTS: i64 = 1 << 20;
/// Longest bulk string. The server's own limit is 512 MB and can be changed.
const MOST_BULK_BYTES: i64 = 4 << 30;
/// An inline command may be this long.
const INLINE_BYTES: u64 = 64 << 10;
/// Commands whose arguments may be passwords.
pub(super) const HOLD_SECRETS: &[&[u8]] =
    &[b"AUTH", b"HELLO", b"CONFIG", b"ACL", b"SENTINEL", b"MODULE", b"MIGRATE"];
/// Of an inline command so much is looked at.
const INLINE_SEEN_BYTES: usize = 4 << 10;

#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    /// So many bytes of it are there.
    seen: usize,
    /// So many it has.
    bytes: u64,
}

/// A complete command, or as much of one as was captured. `Debug` shows no content.
#[derive(Clone, Copy)]
pub(super) struct Command<'a> {
    data: &'a [u8],
    places: &'a [Place],
    script: Option<u64>,
    /// It was a line, not an array.
    pub inline: bool,
    /// Number of its arguments, its name included.
    pub count: u64,
    pub first: Moment,
    pub wire_bytes: u64,
}

/// One argument.
#[derive(Clone, Copy)]
pub(super) struct Argument<'a> {
    /// The first bytes of it, at most [`SEEN_BYTES`]; fewer where they were not captured.
    pub head: &'a [u8],
    /// Its length.
    pub bytes: u64,
}

impl<'a> Argument<'a> {
    /// All of it, where it is short enough and was seen.
    #[inline]
    pub(super) fn whole(&self) -> Option<&'a [u8]> {
        (self.head.len() as u64 == self.bytes).then_some(self.head)
    }
    pub(super) fn is(&self, word: &[u8]) -> bool {
        self.whole().is_some_and(|whole| whole.eq_ignore_ascii_case(word))
    }
}

impl<'a> Command<'a> {
    /// None: it has none such, or too many before.
    #[inline]
    pub(super) fn argument(&self, index: usize) -> Option<Argument<'a>> {
        let place = self.places.get(index)?;
        let seen = place.seen.min(SEEN_BYTES);
        let head = self.data.get(place.start..place.start + seen)?;
        Some(Argument { head, bytes: place.bytes })
    }
    /// The name; empty where it was not seen.
    #[inline]
    pub(super) fn name(&self) -> &'a [u8] {
        self.argument(0).and_then(|name| name.whole()).unwrap_or_default()
    }
    /// How many arguments [`Command::argument`] gives.
    #[inline]
    pub(super) fn told_apart(&self) -> usize {
        self.places.len()
    }
    /// A hash of the whole of argument 1, where all of it was seen.
    pub(super) fn script_hash(&self) -> Option<u64> {
        self.script.or_else(|| {
            let place = self.places.get(1).filter(|place| place.seen as u64 == place.bytes)?;
            let text = self.data.get(place.start..place.start + place.seen)?;
            (place.seen > 0).then(|| Fnv::of(text))
        })
    }
}

/// What the client's bytes gave.
pub(super) enum Step<'a> {
    Command(Command<'a>),
    /// The chunk is used up.
    More,
    /// These are no commands, or a hole hides where the next one begins.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the beginning of a command.
    Start,
    /// In the line that tells the number of arguments.
    Count,
    /// In the line that tells the length of an argument.
    Length,
    /// In an argument.
    Body { left: u64 },
    /// In the line end behind an argument.
    End { left: u8 },
    /// In an inline command.
    Inline,
}

/// The stream. `Debug` shows no content.
pub(super) struct Commands {
    state: State,
    places: Vec<Place>,
    /// The beginnings of the arguments, or the inline command.
    buffer: Vec<u8>,
    line: Line,
    count: u64,
    /// The argument that is being read.
    index: u64,
    /// The bytes before a hole in it.
    holed: bool,
    script: Option<Fnv>,
    first: Option<Moment>,
    wire_bytes: u64,
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, argument {} of {}", self.state, self.index, self.count)
    }
}

impl Default for Commands {
    fn default() -> Self {
        Self {
            state: State::Start,
            places: Vec::with_capacity(ARGUMENTS),
            buffer: Vec::new(),
            line: Line::default(),
            count: 0,
            index: 0,
            holed: false,
            script: None,
            first: None,
            wire_bytes: 0,
        }
    }
}

impl Commands {
    /// The next byte begins a command.
    pub(super) fn at_boundary(&self) -> bool {
        self.state == State::Start
    }

    /// Forgets everything: the next byte begins a command.
    pub(super) fn reset(&mut self) {
        self.state = State::Start;
        self.wipe();
    }

    /// No part of an argument stays behind.
    pub(super) fn wipe(&mut self) {
        if self.state == State::Start && !self.buffer.is_empty() {
            self.buffer.fill(0);
            self.buffer.clear();
            self.buffer.shrink_to(1024);
        }
    }

    /// The next command that ends in these bytes.
    #[inline]
    pub(super) fn next<'a, 'b: 'a>(&'a mut self, moment: Moment, input: &mut &'b [u8]) -> Step<'a> {
        if self.state == State::Start {
            self.wipe();
            if let Some((count, used)) = whole(input, &mut self.places) {
                let (command, rest) = input.split_at(used);
                *input = rest;
                let wire_bytes = used as u64;
                let places = &self.places;
                return Step::Command(Command {
                    data: command,
                    places,
                    script: None,
                    inline: false,
                    count,
                    first: moment,
                    wire_bytes,
                });
            }
        }
        self.advance(moment, input)
    }

    fn advance<'a>(&'a mut self, moment: Moment, input: &mut &[u8]) -> Step<'a> {
        while let Some(byte) = input.first() {
            match self.state {
                State::Start => {
                    self.begin(moment);
                    self.state = if *byte == b'*' { State::Count } else { State::Inline };
                }
                State::Count | State::Length => {
                    let before = input.len();
                    let line = self.line.take(input);
                    self.wire_bytes += (before - input.len()) as u64;
                    match line {
                        None => return Step::Lost,
                        Some(false) => {}
                        Some(true) => {
                            if !self.header() {
                                return Step::Lost;
                            }
                        }
                    }
                }
                State::Body { left } => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let (bytes, rest) = input.split_at(taken);
                    *input = rest;
                    self.keep(bytes);
                    self.pass(taken as u64);
                }
                State::End { left } => {
                    if *byte != if left == 2 { b'\r' } else { b'\n' } {
                        return Step::Lost;
                    }
                    *input = &input[1..];
                    self.pass(1);
                    if self.index == self.count {
                        return self.complete();
                    }
                }
                State::Inline => match self.inline(input) {
                    None => return Step::Lost,
                    Some(true) => return self.complete(),
                    Some(false) => {}
                },
            }
        }
        Step::More
    }

    fn begin(&mut self, moment: Moment) {
        self.wipe();
        self.first = Some(moment);
        self.wire_bytes = 0;
        self.places.clear();
        self.line.clear();
        self.index = 0;
        self.count = 0;
        self.script = None;
    }

    /// Reads the line of a number of arguments or of a length. False: it is none.
    fn header(&mut self) -> bool {
        let kind = if self.state == State::Count { b'*' } else { b'$' };
        let Some(number) = self.line.number(kind) else { return false };
        self.line.clear();
        if self.state == State::Count {
            if number > MOST_ARGUMENTS {
                return false;
            }
            // An array of no elements is no command and gets no answer.
            self.count = u64::try_from(number).unwrap_or(0);
            self.state = if self.count == 0 { State::Start } else { State::Length };
            return true;
        }
        if number > MOST_BULK_BYTES {
            return false;
        }
        let Ok(left) = u64::try_from(number) else { return false };
        if self.places.len() < ARGUMENTS {
            self.places.push(Place { start: self.buffer.len(), seen: 0, bytes: left });
        }
        self.holed = false;
        if self.index == 1 && left > 0 && self.is_named(&[b"EVAL", b"EVAL_RO"]) {
            self.script = Some(Fnv::default());
        }
        self.state = if left == 0 { State::End { left: 2 } } else { State::Body { left } };
        true
    }

    fn is_named(&self, names: &[&[u8]]) -> bool {
        let name = self.places.first().and_then(|place| self.buffer.get(..place.seen)).unwrap_or_default();
        names.iter().any(|known| name.eq_ignore_ascii_case(known))
    }

    /// So much of the current argument is worth keeping until the command is complete. Nothing that may be a password.
    fn wanted(&self) -> bool {
        let before = |back: usize| {
            let place = self.places.len().checked_sub(back + 1).and_then(|at| self.places.get(at));
            place.and_then(|place| self.buffer.get(place.start..place.start + place.seen))
        };
        let is =
            |word: Option<&[u8]>, known: &[u8]| word.is_some_and(|word| word.eq_ignore_ascii_case(known));
        match self.index {
            0 => true,
            index if self.is_named(&[b"AUTH"]) => index == 1 && self.count == 3,
            1 | 2 => true,
            _ if self.is_named(&[b"HELLO"]) => !is(before(2), b"AUTH"),
            _ if self.is_named(&[b"MIGRATE"]) => !is(before(1), b"AUTH") && !is(before(2), b"AUTH2"),
            _ => !self.is_named(HOLD_SECRETS),
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.index == 1
            && let Some(script) = &mut self.script
        {
            script.add(bytes);
        }
        if self.index >= ARGUMENTS as u64 || self.holed || !self.wanted() {
            return;
        }
        let Some(place) = self.places.last_mut() else { return };
        let kept = bytes.len().min(SEEN_BYTES - place.seen.min(SEEN_BYTES));
        place.seen += kept;
        self.buffer.extend_from_slice(&bytes[..kept]);
    }

    /// So many bytes of the argument and the line end behind it are over.
    fn pass(&mut self, bytes: u64) {
        self.wire_bytes += bytes;
        match self.state {
            State::Body { left } if bytes < left => self.state = State::Body { left: left - bytes },
            State::Body { left } => {
                self.state = State::End { left: 2 };
                if bytes > left {
                    self.wire_bytes -= bytes - left;
                    self.pass(bytes - left);
                }
            }
            State::End { left: 2 } if bytes == 1 => self.state = State::End { left: 1 },
            State::End { .. } => {
                self.index += 1;
                self.state = State::Length;
            }
            _ => {}
        }
    }

    /// Takes bytes of an inline command. True: its line is complete. None: it cannot be one.
    fn inline(&mut self, input: &mut &[u8]) -> Option<bool> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let (line, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
        *input = rest;
        self.wire_bytes += line.len() as u64;
        let readable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte >= 0x80;
        if self.wire_bytes > INLINE_BYTES || !line.iter().all(readable) {
            return None;
        }
        let room = INLINE_SEEN_BYTES.saturating_sub(self.buffer.len());
        let before = self.buffer.len();
        let line = if before == 0 { line.trim_ascii_start() } else { line };
        self.buffer.extend_from_slice(&line[..line.len().min(room)]);
        let kept = super::inline::kept(&self.buffer);
        if let Some(kept) = kept {
            // Enough is left to tell the words apart.
            let from = before.max(kept).min(self.buffer.len());
            let is_content = |byte: &&mut u8| !(byte.is_ascii_whitespace() || b"\"'\\".contains(byte));
            self.buffer[from..].iter_mut().filter(is_content).for_each(|byte| *byte = b'*');
        }
        if end.is_none() {
            return Some(false);
        }
        let kept = kept.unwrap_or(usize::MAX);
        super::inline::split(&self.buffer, ARGUMENTS, |Word { start, end, plain }| {
            let seen = if plain && end <= kept { end - start } else { 0 };
            self.places.push(Place { start, seen, bytes: (end - start) as u64 });
        });
        self.count = self.places.len() as u64;
        if self.places.is_empty() {
            // A blank line gets no answer.
            self.state = State::Start;
            return Some(false);
        }
        Some(true)
    }

    fn complete(&mut self) -> Step<'_> {
        let inline = self.state == State::Inline;
        self.state = State::Start;
        let Some(first) = self.first else { return Step::Lost };
        Step::Command(Command {
            data: &self.buffer,
            places: &self.places,
            script: self.script.take().map(|script| script.hash()),
            inline,
            count: self.count,
            first,
            wire_bytes: self.wire_bytes,
        })
    }

    /// Passes over bytes that were not captured.
    pub(super) fn skip(&mut self, bytes: u64) -> Step<'_> {
        let inside = match self.state {
            State::Body { left } => left + 2,
            State::End { left } => u64::from(left),
            _ => 0,
        };
        if bytes > inside {
            self.wire_bytes += bytes;
            return Step::Lost;
        }
        if matches!(self.state, State::Body { .. }) {
            self.holed = true;
            if self.index == 1 {
                self.script = None;
            }
        }
        self.pass(bytes);
        if self.index == self.count { self.complete() } else { Step::More }
    }

    /// The command whose end is hidden by a hole, as far as it was seen: at least its name. Then everything is forgotten
    /// by the next [`Commands::reset`].
    pub(super) fn unfinished(&mut self) -> Option<Command<'_>> {
        let is_array = !matches!(self.state, State::Start | State::Inline | State::Count);
        if !is_array || self.index == 0 {
            return None;
        }
        Some(Command {
            data: &self.buffer,
            places: &self.places,
            script: None,
            inline: false,
            count: self.count,
            first: self.first?,
            wire_bytes: self.wire_bytes,
        })
    }
}

#[cfg(test)]
impl Commands {
    pub(super) fn keeps(&self, text: &[u8]) -> bool {
        self.buffer.windows(text.len()).any(|part| part == text)
    }
    pub(super) fn kept_bytes(&self) -> usize {
        self.buffer.capacity()
    }
}

/// A command that lies whole in these bytes: the number of its arguments and of its bytes.
#[inline]
fn whole(input: &[u8], places: &mut Vec<Place>) -> Option<(u64, usize)> {
    if input.first() != Some(&b'*') {
        return None;
    }
    let (count, mut at) = number_line(input, 1)?;
    if count == 0 || count > 1 << 20 {
        return None;
    }
    places.clear();
    for index in 0..count {
        if input.get(at) != Some(&b'$') {
            return None;
        }
        let (length, start) = number_line(input, at + 1)?;
        let end = start + length;
        if input.get(end..end + 2)? != b"\r\n" {
            return None;
        }
        if index < ARGUMENTS {
            places.push(Place { start, seen: length, bytes: length as u64 });
        }
        at = end + 2;
    }
    Some((count as u64, at))
}
