//! The statement of a request: its method, the pattern of its path, and the names of its parameters.
//!
//! Never keeps a parameter's value.

use crate::proto::key_pattern::{self, Part};
use crate::sql::{Command, TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// Segments that are shown.
const MOST_SEGMENTS: usize = 12;
/// Names of parameters that are shown.
const MOST_NAMES: usize = 8;
/// A longer name is none that a program has.
const LONGEST_NAME: usize = 40;
/// Bytes of a segment that are looked at.
const SEGMENT_BYTES: usize = 512;

/// Behind one of these stands the id of a document, whatever it looks like (Elasticsearch REST API, "Document APIs").
const BEFORE_ID: [&[u8]; 6] = [b"_doc", b"_create", b"_update", b"_source", b"_explain", b"_termvectors"];

/// Builds statements in buffers of its own.
#[derive(Debug, Default)]
pub(super) struct Statements {
    text: Vec<u8>,
    decoded: Vec<u8>,
    /// The values of the last one.
    pub values: Vec<Value>,
}

impl Statements {
    /// Interns `METHOD /PATTERN?NAME&NAME` and reads the values of the pattern.
    pub fn intern(&mut self, method: &'static str, target: &[u8], at: Nanos, texts: &mut Texts) -> TextId {
        self.text.clear();
        self.values.clear();
        self.text.extend_from_slice(method.as_bytes());
        self.text.push(b' ');
        let (path, query) = split(target);
        let reads = !texts.passes_over_values();
        let mut is_id = false;
        for (n, segment) in path.split(|byte| *byte == b'/').skip(1).enumerate() {
            if n >= MOST_SEGMENTS {
                self.text.extend_from_slice("/…".as_bytes());
                break;
            }
            self.text.push(b'/');
            self.decoded.clear();
            decode(segment.get(..SEGMENT_BYTES + 1).unwrap_or(segment), false, &mut self.decoded);
            if std::mem::replace(&mut is_id, BEFORE_ID.contains(&self.decoded.as_slice()))
                && !segment.is_empty()
            {
                self.text.push(b'?');
                if reads {
                    self.values.push(texts.extractor_mut().text(&self.decoded, at));
                }
                continue;
            }
            let values = &mut self.values;
            key_pattern::push(&self.decoded, &mut self.text, |part| {
                if reads {
                    values.push(match part {
                        Part::Digits(digits) => texts.extractor_mut().number_text(digits),
                        Part::Other(bytes) => texts.extractor_mut().text(bytes, at),
                    });
                }
            });
        }
        if !path.starts_with(b"/") {
            // `*`, or the authority of CONNECT.
            self.text.push(b'*');
        }
        for (n, name) in names(query).take(MOST_NAMES).enumerate() {
            self.text.push(if n == 0 { b'?' } else { b'&' });
            key_pattern::push(name, &mut self.text, |_| {});
        }
        self.decoded.fill(0);
        self.decoded.clear();
        texts.intern_command(Command { operation: method, text: &self.text, waits_by_design: false })
    }
}

/// Path and query of a target; of an absolute one without its authority, which may hold a password.
pub(super) fn split(target: &[u8]) -> (&[u8], &[u8]) {
    let target = match target.iter().position(|byte| *byte == b':') {
        Some(colon) if !target.starts_with(b"/") => {
            let rest = target.get(colon + 1..).and_then(|rest| rest.strip_prefix(b"//")).unwrap_or_default();
            rest.iter().position(|byte| *byte == b'/').and_then(|slash| rest.get(slash..)).unwrap_or_default()
        }
        _ => target,
    };
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at(end);
    (path, query.get(1..).unwrap_or_default())
}

/// Names of parameters.
fn names(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    parameters(query).map(|(name, _)| name).filter(|name| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
        (1..=LONGEST_NAME).contains(&name.len()) && name.iter().all(plain)
    })
}

/// Names and values of parameters, still encoded.
pub(super) fn parameters(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|byte| *byte == b'&').map(|parameter| {
        let end = parameter.iter().position(|byte| *byte == b'=').unwrap_or(parameter.len());
        let (name, value) = parameter.split_at(end);
        (name, value.get(1..).unwrap_or_default())
    })
}

/// Resolves `%XX`, and in a query `+`.
pub(super) fn decode(text: &[u8], in_query: bool, out: &mut Vec<u8>) {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte == b'%'
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            out.push(u8::try_from(high << 4 | low).unwrap_or(b'?'));
            at += 3;
            continue;
        }
        out.push(if in_query && *byte == b'+' { b' ' } else { *byte });
        at += 1;
    }
}
