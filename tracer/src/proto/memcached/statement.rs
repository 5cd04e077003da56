//! The statement of a command: its name with the patterns of its keys, and the features of what the patterns left out.
//!
//! Never keeps a key.

use crate::proto::key_pattern::{self, Part};
use crate::proto::key_words::Words;
use crate::sql::{Command, TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// Patterns of one command that are shown; those of further keys are `...`.
const MOST_PATTERNS: usize = 4;
/// Keys that are looked at for a pattern that was not there yet.
const MOST_KEYS: usize = 64;

/// Builds statements in buffers of its own.
#[derive(Debug, Default)]
pub(super) struct Statements {
    text: Vec<u8>,
    words: Words,
    /// The values of the last one.
    pub values: Vec<Value>,
}

/// A command in either protocol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken<'a> {
    /// Its name in the text protocol; empty: none that is known.
    pub name: &'static str,
    /// With spaces between them.
    pub keys: &'a [u8],
    /// The key is no text: in base64, or of the binary protocol with spaces in it.
    pub encoded: bool,
    /// The line lacks its end: the last key may be a part of one.
    pub cut: bool,
}

impl Statements {
    /// Interns the statement and reads its values.
    pub fn intern(&mut self, spoken: Spoken<'_>, at: Nanos, texts: &mut Texts) -> TextId {
        self.values.clear();
        self.text.clear();
        if spoken.name.is_empty() {
            return texts.label("(unknown command)");
        }
        self.text.extend_from_slice(spoken.name.as_bytes());
        if spoken.encoded {
            self.text.extend_from_slice(b" ?");
            if !texts.passes_over_values() {
                self.values.push(texts.extractor_mut().text_only(spoken.keys));
            }
        } else if !spoken.keys.is_empty() {
            self.keys(spoken, at, texts);
        }
        let command = Command { operation: operation(spoken.name), text: &self.text, waits_by_design: false };
        texts.intern_command(command)
    }

    fn keys(&mut self, spoken: Spoken<'_>, at: Nanos, texts: &mut Texts) {
        let reads = !texts.passes_over_values();
        let mut spans = [(0, 0); MOST_PATTERNS];
        let (mut patterns, mut count) = (0, 0usize);
        let mut rest = spoken.keys;
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
            let (key, behind) = rest.split_at(end);
            rest = behind.trim_ascii_start();
            // A part of a key would make a pattern that no key has.
            if key.is_empty() || spoken.cut && rest.is_empty() && count > 0 {
                continue;
            }
            count += 1;
            let Some(span) = spans.get_mut(patterns).filter(|_| count <= MOST_KEYS) else { continue };
            let start = self.text.len();
            self.text.push(b' ');
            let Self { text, values, words } = self;
            let (from, first_value) = (text.len(), values.len());
            key_pattern::push(key, text, |part| {
                if reads {
                    values.push(value(part, at, texts));
                }
            });
            words.limit(text, from, |before, word| {
                if reads {
                    values.insert(
                        (first_value + before).min(values.len()),
                        texts.extractor_mut().text(word, at),
                    );
                }
            });
            *span = (start, self.text.len());
            let (known, new) = self.text.split_at(start);
            if spans.iter().take(patterns).any(|(from, to)| known.get(*from..*to) == Some(new)) {
                self.text.truncate(start);
            } else {
                patterns += 1;
            }
        }
        if count > patterns || spoken.cut {
            // One value for all: how many keys, and which.
            self.values.clear();
            if reads && self.text.contains(&b'?') {
                self.values.push(texts.extractor_mut().array(count, spoken.keys));
            }
            self.text.extend_from_slice(b" ...");
        }
    }
}

fn value(part: Part<'_>, at: Nanos, texts: &mut Texts) -> Value {
    match part {
        Part::Digits(digits) => texts.extractor_mut().number_text(digits),
        Part::Other(bytes) => texts.extractor_mut().text(bytes, at),
    }
}

/// The name in capitals.
pub(super) fn operation(name: &str) -> &'static str {
    match name {
        "get" => "GET",
        "set" => "SET",
        "gets" => "GETS",
        "delete" => "DELETE",
        "incr" => "INCR",
        "decr" => "DECR",
        "add" => "ADD",
        "cas" => "CAS",
        "replace" => "REPLACE",
        "append" => "APPEND",
        "prepend" => "PREPEND",
        "touch" => "TOUCH",
        "gat" => "GAT",
        "gats" => "GATS",
        "bget" => "BGET",
        "stats" => "STATS",
        "version" => "VERSION",
        "verbosity" => "VERBOSITY",
        "flush_all" => "FLUSH_ALL",
        "cache_memlimit" => "CACHE_MEMLIMIT",
        "slabs" => "SLABS",
        "lru" => "LRU",
        "lru_crawler" => "LRU_CRAWLER",
        "extstore" => "EXTSTORE",
        "watch" => "WATCH",
        "quit" => "QUIT",
        "shutdown" => "SHUTDOWN",
        "mg" => "MG",
        "ms" => "MS",
        "md" => "MD",
        "ma" => "MA",
        "mn" => "MN",
        "me" => "ME",
        "noop" => "NOOP",
        "sasl list mechanisms" | "sasl authenticate" | "sasl step" => "SASL",
        _ => "",
    }
}
