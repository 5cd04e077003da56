//! Makes the statement of a command: its name, its subcommand and the patterns of its keys. Everything else is `?`.
//!
//! The text is made in one reused buffer and looked up there. Never shows an argument that is no key, no subcommand, no
//! name of a parameter and no name of a script or function.

use super::client::{Argument, Command, SEEN_BYTES};
use super::commands::{Keys, Role, Spec, subcommand};
use super::line;
use crate::proto::Moment;
use crate::proto::key_pattern::{self, Part};
use crate::proto::key_words::Words;
use crate::random::SplitMix64;
use crate::request::MOST_VALUES;
use crate::sql::{self, TextId, Texts};
use crate::value::Value;

/// Arguments behind the keys whose values are read.
const MOST_ARGUMENT_VALUES: usize = 8;
/// Keys that are shown one by one where a command has a fixed number.
const FIXED_KEYS: u64 = 2;
/// Longest name of an unknown command, a parameter or a function that is shown.
const LONGEST_NAME: usize = 32;
/// Past so many commands of one connection, the values of one in four are read: at such a rate these are enough.
const COMMANDS_READ: u32 = 8192;
/// Chance decides for so many commands at a time: a processor guesses wrong where each may be either.
const COMMANDS_TOSSED: u32 = 16;

/// Makes the statements of one connection. `Debug` shows no value.
#[derive(Debug, Default)]
pub(super) struct Statements {
    text: Vec<u8>,
    /// The values of the command that was read last.
    pub values: Vec<Value>,
    words: Words,
    commands: u32,
    passes_over: bool,
    chance: SplitMix64,
}

/// Which arguments are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeyPlaces {
    first: usize,
    count: u64,
    step: usize,
}

impl KeyPlaces {
    const NONE: Self = Self { first: usize::MAX, count: 0, step: 1 };
    fn has(&self, index: usize) -> bool {
        let Some(behind) = index.checked_sub(self.first) else { return false };
        behind.is_multiple_of(self.step) && ((behind / self.step) as u64) < self.count
    }
}

impl Statements {
    /// The statement of a command; its values are in `values` then.
    #[inline]
    pub(super) fn read(
        &mut self,
        command: &Command<'_>,
        spec: Option<&'static Spec>,
        texts: &mut Texts,
    ) -> TextId {
        self.text.clear();
        self.values.clear();
        let reads_values = self.reads_values(command.first, texts);
        let mut blocks = false;
        let operation: &str = match spec {
            Some(spec) => {
                self.text.extend_from_slice(spec.name.as_bytes());
                blocks = self.known(command, spec, reads_values, texts);
                spec.name
            }
            None => {
                if !is_name(command.name()) {
                    return texts.label("(unknown command)");
                }
                self.text.extend_from_slice(command.name());
                self.text.make_ascii_uppercase();
                if command.count > 1 {
                    self.text.extend_from_slice(b" ?");
                }
                ""
            }
        };
        self.values.truncate(MOST_VALUES);
        let name = self.text.split(|byte| *byte == b' ').next().unwrap_or_default();
        let operation =
            if operation.is_empty() { std::str::from_utf8(name).unwrap_or_default() } else { operation };
        texts.intern_command(sql::Command { operation, text: &self.text, waits_by_design: blocks })
    }

    fn reads_values(&mut self, moment: Moment, texts: &Texts) -> bool {
        if texts.passes_over_values() {
            return false;
        }
        self.commands = self.commands.saturating_add(1);
        if self.commands > COMMANDS_READ && self.commands.is_multiple_of(COMMANDS_TOSSED) {
            self.chance.stir(moment.at.0);
            self.passes_over = !self.chance.next_bits().is_multiple_of(4);
        }
        if self.passes_over {
            self.values.push(Value::PASSED_OVER);
        }
        !self.passes_over
    }

    /// A command of the table. True: it waits by design.
    #[inline]
    fn known(&mut self, command: &Command<'_>, spec: &Spec, reads_values: bool, texts: &mut Texts) -> bool {
        let mut blocks = spec.blocks;
        // The first argument that is neither shown nor a key.
        let mut others = 1;
        match spec.role {
            Role::Plain if !matches!(spec.keys, Keys::Streams | Keys::Migrate) => {}
            Role::Plain if spec.keys == Keys::Streams => {
                blocks = self.streams_block(command);
            }
            // Whatever stands there, some of it may be a secret.
            Role::Plain => return self.secret(command, spec, 1, texts),
            Role::Auth | Role::Hello => return self.secret(command, spec, 1, texts),
            Role::Config => {
                others = self.subcommand(command);
                if command.argument(1).is_some_and(|word| word.is(b"SET")) {
                    if let Some(name) = command.argument(2).and_then(|name| name.whole())
                        && is_name(name)
                    {
                        self.text.push(b' ');
                        self.text.extend(name.to_ascii_lowercase());
                        others = 3;
                    }
                    if command.count > 4 {
                        self.text.extend_from_slice(b" ...");
                    }
                }
                return self.secret(command, spec, others, texts);
            }
            Role::Container | Role::Client => {
                others = self.subcommand(command);
                if spec.name == "ACL" || spec.name == "MODULE" || spec.name == "SENTINEL" {
                    return self.secret(command, spec, others, texts);
                }
            }
            Role::Script | Role::ScriptHash | Role::Function => {
                self.script(command, spec.role);
                others = 3;
            }
            _ => {}
        }
        let keys = key_places(command, spec);
        let is_fixed =
            !matches!(spec.keys, Keys::Range { .. }) && keys.count <= FIXED_KEYS || keys.count == 1;
        self.keys(command, keys, is_fixed, reads_values, texts);
        self.others(command, keys, others, reads_values, texts);
        blocks
    }

    /// All arguments from here on are removed, and no value is made of them.
    fn secret(&mut self, command: &Command<'_>, spec: &Spec, from: u64, texts: &mut Texts) -> bool {
        let keys = if spec.keys == Keys::Migrate { key_places(command, spec) } else { KeyPlaces::NONE };
        self.values.clear();
        if keys.count > 0 {
            self.key(command.argument(keys.first), command.first, false, texts);
            if keys.count > 1 {
                self.text.extend_from_slice(b" ...");
            }
        }
        if command.count > from {
            self.text.extend_from_slice(b" ?");
        }
        false
    }

    /// Shows the subcommand; gives the number of the first argument behind it.
    fn subcommand(&mut self, command: &Command<'_>) -> u64 {
        let Some(word) = command.argument(1) else { return 1 };
        let Some(known) = word.whole().and_then(subcommand) else { return 1 };
        self.text.push(b' ');
        self.text.extend_from_slice(known.as_bytes());
        2
    }

    /// XREAD and XREADGROUP: with BLOCK they are another statement. True: with BLOCK.
    fn streams_block(&mut self, command: &Command<'_>) -> bool {
        let streams = streams(command).unwrap_or(usize::MAX);
        let mut words = (options(command)..command.told_apart()).take_while(|index| *index < streams);
        let blocks = words.any(|index| command.argument(index).is_some_and(|word| word.is(b"BLOCK")));
        self.text.extend_from_slice(if blocks { b" BLOCK STREAMS" } else { b" STREAMS" });
        blocks
    }

    /// What names a script, and how many keys it gets. The text of a script is never shown.
    fn script(&mut self, command: &Command<'_>, role: Role) {
        use std::io::Write as _;
        let name = command.argument(1).map(|name| name.head).unwrap_or_default();
        self.text.push(b' ');
        match role {
            Role::Script => match command.script_hash() {
                Some(hash) => _ = write!(self.text, "script-{:08x}", hash & 0xffff_ffff),
                None => self.text.push(b'?'),
            },
            Role::ScriptHash if name.len() == 40 && name.iter().all(u8::is_ascii_hexdigit) => {
                self.text.extend(name[..8].to_ascii_lowercase());
            }
            Role::Function if is_function_name(name) => self.text.extend_from_slice(name),
            _ => self.text.push(b'?'),
        }
        if let Some(count) = command.argument(2).and_then(|count| count.whole()) {
            match small_number(count) {
                Some(count) => _ = write!(self.text, " {count}"),
                None => self.text.extend_from_slice(b" ?"),
            }
        }
    }

    #[inline]
    fn keys(
        &mut self,
        command: &Command<'_>,
        keys: KeyPlaces,
        is_fixed: bool,
        reads_values: bool,
        texts: &mut Texts,
    ) {
        if keys.count == 0 {
            return;
        }
        let shown = if is_fixed { keys.count } else { 1 };
        let mut at = keys.first;
        for _ in 0..shown {
            self.key(command.argument(at), command.first, reads_values, texts);
            at += keys.step;
        }
        if !is_fixed {
            self.text.extend_from_slice(b" ...");
            if reads_values {
                let count = i64::try_from(keys.count).unwrap_or(i64::MAX);
                self.values.push(texts.extractor_mut().integer(count));
            }
        }
    }

    /// Shows the pattern of a key, and reads the values of what is not in it.
    #[inline]
    fn key(&mut self, key: Option<Argument<'_>>, first: Moment, reads_values: bool, texts: &mut Texts) {
        self.text.push(b' ');
        let Some(key) = key.filter(|key| !key.head.is_empty()) else {
            self.text.push(b'?');
            if reads_values {
                self.values.push(Value::UNSEEN);
            }
            return;
        };
        let head = match key.whole() {
            Some(whole) => whole,
            // What the limit cut is no word.
            None => {
                let cut = key.head.iter().rposition(|byte| byte.is_ascii_punctuation());
                &key.head[..cut.unwrap_or(0)]
            }
        };
        let Self { text, values, words, .. } = self;
        let (from, first_value) = (text.len(), values.len());
        let extractor = texts.extractor_mut();
        key_pattern::push(head, text, |part| {
            if reads_values {
                values.push(match part {
                    Part::Digits(digits) => match line::number(digits) {
                        Some(number) => extractor.integer(number),
                        None => extractor.text_only(digits),
                    },
                    Part::Other(bytes) => extractor.text(bytes, first.at),
                });
            }
        });
        words.limit(text, from, |at, word| {
            if reads_values {
                values.insert((first_value + at).min(values.len()), extractor.text_only(word));
            }
        });
        if key.whole().is_none() && !text.ends_with("…".as_bytes()) {
            text.extend_from_slice("…".as_bytes());
        }
    }

    /// Everything that is no key is one `?`.
    #[inline]
    fn others(
        &mut self,
        command: &Command<'_>,
        keys: KeyPlaces,
        from: u64,
        reads_values: bool,
        texts: &mut Texts,
    ) {
        let all = command.count.saturating_sub(from);
        if all <= keys.count {
            return;
        }
        self.text.extend_from_slice(b" ?");
        if !reads_values {
            return;
        }
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let others = (from..command.told_apart()).filter(|index| !keys.has(*index));
        for index in others.take(MOST_ARGUMENT_VALUES) {
            let Some(argument) = command.argument(index) else { break };
            let value = match argument.whole() {
                Some(whole) => texts.extractor_mut().text(whole, command.first.at),
                None if argument.head.len() < SEEN_BYTES => Value::UNSEEN,
                None => texts.extractor_mut().text_beginning(argument.head, argument.bytes),
            };
            self.values.push(value);
        }
    }
}

/// Letters, digits, and what stands between the words of names.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name[0].is_ascii_alphabetic()
        && name.iter().all(|byte| byte.is_ascii_alphabetic() || b"._-".contains(byte))
}

fn is_function_name(name: &[u8]) -> bool {
    let letters: Vec<u8> = name.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect();
    name.len() <= LONGEST_NAME && is_name(&letters)
}

/// Up to three digits.
fn small_number(text: &[u8]) -> Option<u64> {
    let is_small = !text.is_empty() && text.len() <= 3 && text.iter().all(u8::is_ascii_digit);
    is_small.then(|| text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Where the options of XREAD and XREADGROUP begin: behind `GROUP`, the group's name and the consumer's.
fn options(command: &Command<'_>) -> usize {
    if command.argument(1).is_some_and(|word| word.is(b"GROUP")) { 4 } else { 1 }
}

/// Where STREAMS stands.
fn streams(command: &Command<'_>) -> Option<usize> {
    (options(command)..command.told_apart())
        .find(|index| command.argument(*index).is_some_and(|word| word.is(b"STREAMS")))
}

#[inline]
fn key_places(command: &Command<'_>, spec: &Spec) -> KeyPlaces {
    let count = command.count;
    match spec.keys {
        Keys::None => KeyPlaces::NONE,
        Keys::First => KeyPlaces { first: 1, count: count.saturating_sub(1).min(1), step: 1 },
        Keys::FirstTwo => KeyPlaces { first: 1, count: count.saturating_sub(1).min(2), step: 1 },
        Keys::Range { first, before_end, step } => {
            let range = (count + 1).saturating_sub(u64::from(first) + u64::from(before_end));
            let step = usize::from(step);
            KeyPlaces { first: usize::from(first), count: range.div_ceil(step as u64), step }
        }
        Keys::Counted { at } => counted(command, usize::from(at)),
        Keys::Streams => match streams(command) {
            Some(at) => {
                let behind = count.saturating_sub(at as u64 + 1);
                KeyPlaces { first: at + 1, count: behind / 2, step: 1 }
            }
            None => KeyPlaces::NONE,
        },
        Keys::Migrate => match command.argument(3) {
            Some(key) if key.bytes > 0 => KeyPlaces { first: 3, count: 1, step: 1 },
            _ => {
                let keys = (6..command.told_apart())
                    .find(|index| command.argument(*index).is_some_and(|word| word.is(b"KEYS")));
                keys.map_or(KeyPlaces::NONE, |at| KeyPlaces {
                    first: at + 1,
                    count: count.saturating_sub(at as u64 + 1),
                    step: 1,
                })
            }
        },
        Keys::BehindSubcommand => KeyPlaces { first: 2, count: count.saturating_sub(2).min(1), step: 1 },
    }
}

/// The keys behind the argument that tells their number.
fn counted(command: &Command<'_>, at: usize) -> KeyPlaces {
    let number = command.argument(at).and_then(|count| count.whole()).and_then(small_number).unwrap_or(0);
    let most = command.count.saturating_sub(at as u64 + 1);
    KeyPlaces { first: at + 1, count: number.min(most), step: 1 }
}
