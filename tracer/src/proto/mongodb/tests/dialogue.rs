//! A notation for dialogues, so that a case is a few lines of text.
//!
//! A dialogue has one transfer a line: `TIME DIRECTION MESSAGE | MESSAGE ...`. Direction `>`: the client sends; `<`: the
//! server. `...N` in place of a message: N bytes that were not captured. `~N` behind a message: only its first N bytes were
//! captured; `~N+M`: the M bytes behind them were not. `cut` at the end of a line: the transfer goes on in
//! the next chunk.
//!
//! Message: `[noop|snappy|zlib|zstd] ID [+more] [+exhaust] [+sum] DOCUMENT [NAME DOCUMENT DOCUMENT ...]`, where an answer's ID is
//! `ID:RESPONSE_TO`; `ID query NAMESPACE DOCUMENT`; `ID reply DOCUMENT ...`; `ID opcode N` with an empty body; `hex 00ff`.
//! Documents as in [`super::document`].

use super::super::observer::Observer;
use super::document::{hex, split};
use crate::proto::{Chunk, Moment, Protocol, Side};
use crate::request::{InFlight, Request, Requests, Task};
use crate::sql::{TextId, Texts};
use crate::time::Nanos;
use crate::value::{self, Extractor, Kind, Value};
use std::io::Write as _;

/// One chunk of a dialogue.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub at: u64,
    pub side: Side,
    pub bytes: Vec<u8>,
    pub skipped: u64,
    pub ends: bool,
}

pub fn framed(request_id: i32, response_to: i32, opcode: i32, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len() + 16).unwrap();
    let header = [length, request_id, response_to, opcode].map(i32::to_le_bytes).concat();
    [&header, body].concat()
}

fn compressed(id: u8, opcode: i32, body: &[u8]) -> Vec<u8> {
    let packed = match id {
        0 => body.to_vec(),
        1 => snap::raw::Encoder::new().compress_vec(body).unwrap(),
        2 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        _ => ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest),
    };
    let length = i32::try_from(body.len()).unwrap();
    [&opcode.to_le_bytes()[..], &length.to_le_bytes(), &[id], &packed].concat()
}

fn documents(mut text: &str) -> Vec<u8> {
    let mut all = Vec::new();
    while !text.trim().is_empty() {
        let (document, rest) = split(text.trim_start());
        all.extend(document);
        text = rest;
    }
    all
}

fn word<'a>(text: &mut &'a str) -> &'a str {
    let (word, rest) = text.trim_start().split_once(' ').unwrap_or((text.trim(), ""));
    *text = rest;
    word
}

/// A message in the notation.
pub fn message(mut text: &str) -> Vec<u8> {
    let mut first = word(&mut text);
    if first == "hex" {
        return hex(text);
    }
    let compressor = ["noop", "snappy", "zlib", "zstd"].iter().position(|name| *name == first);
    if compressor.is_some() {
        first = word(&mut text);
    }
    let (request_id, response_to) = first.split_once(':').unwrap_or((first, "0"));
    let (request_id, response_to) = (request_id.parse().unwrap(), response_to.parse().unwrap());
    let (opcode, body) = body(text.trim());
    match compressor {
        Some(id) => {
            framed(request_id, response_to, 2012, &compressed(u8::try_from(id).unwrap(), opcode, &body))
        }
        None => framed(request_id, response_to, opcode, &body),
    }
}

fn body(text: &str) -> (i32, Vec<u8>) {
    if let Some(rest) = text.strip_prefix("query ") {
        let (namespace, query) = rest.split_once(' ').unwrap();
        return (2004, [&[0; 4][..], namespace.as_bytes(), &[0; 9], &documents(query)].concat());
    }
    if let Some(rest) = text.strip_prefix("reply ") {
        let documents = documents(rest);
        let count = i32::try_from(rest.matches("{ok").count().max(1)).unwrap();
        return (1, [&[0; 16][..], &count.to_le_bytes(), &documents].concat());
    }
    if let Some(opcode) = text.strip_prefix("opcode ") {
        return (opcode.parse().unwrap(), vec![0; 8]);
    }
    let (mut rest, mut flags) = (text, 0u32);
    for (name, flag) in [("+more ", 2), ("+exhaust ", 1 << 16), ("+sum ", 1)] {
        if let Some(behind) = rest.strip_prefix(name) {
            rest = behind;
            flags |= flag;
        }
    }
    let (document, mut rest) = split(rest);
    let mut body = [&flags.to_le_bytes()[..], &[0], &document].concat();
    if !rest.trim().is_empty() {
        let name = word(&mut rest);
        let sequence = [name.as_bytes(), &[0], &documents(rest)].concat();
        let size = u32::try_from(sequence.len() + 4).unwrap();
        body.extend([&[1][..], &size.to_le_bytes(), &sequence].concat());
    }
    if flags & 1 != 0 {
        body.extend([1, 2, 3, 4]);
    }
    (2013, body)
}

/// Reads the notation.
pub fn transfers(dialogue: &str) -> Vec<Transfer> {
    let mut transfers: Vec<Transfer> = Vec::new();
    for line in dialogue.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (at, rest) = line.split_once(' ').unwrap();
        let (direction, rest) = rest.split_once(' ').unwrap();
        let at = at.parse().unwrap();
        let side = if direction == ">" { Side::Client } else { Side::Server };
        let (rest, ends) = rest.strip_suffix(" cut").map_or((rest, true), |rest| (rest, false));
        let mut open: Option<Transfer> = None;
        for word in rest.split(" | ").map(str::trim) {
            let transfer =
                open.get_or_insert(Transfer { at, side, bytes: Vec::new(), skipped: 0, ends: false });
            if let Some(skipped) = word.strip_prefix("...") {
                transfer.skipped = skipped.parse().unwrap();
                transfers.extend(open.take());
            } else if let Some((word, hole)) = word.split_once(" ~") {
                let bytes = message(word);
                let (start, length) = hole.split_once('+').unwrap_or((hole, ""));
                let start: usize = start.parse().unwrap();
                let length = length.parse().unwrap_or(bytes.len() - start);
                transfer.bytes.extend(&bytes[..start]);
                transfer.skipped = u64::try_from(length).unwrap();
                transfers.extend(open.take());
                if start + length < bytes.len() {
                    let bytes = bytes[start + length..].to_vec();
                    open = Some(Transfer { at, side, bytes, skipped: 0, ends: false });
                }
            } else {
                transfer.bytes.extend(message(word));
            }
        }
        transfers.extend(open.take());
        transfers.last_mut().unwrap().ends = ends;
    }
    transfers
}

/// An observer with what it said so far.
pub struct Run {
    pub observer: Observer,
    pub texts: Texts,
    pub out: Requests,
}

impl Run {
    pub fn new(from_start: bool) -> Self {
        // The table of values makes them visible to the tests; nothing else depends on it.
        let extractor = Extractor::new(value::Settings { show_values: true, ..value::Settings::default() });
        let texts = Texts::with_extractor(10_000, extractor);
        Self { observer: Observer::new(from_start), texts, out: Requests::default() }
    }

    pub fn feed(&mut self, transfer: &Transfer) {
        let task = Task { pid: 1, tid: u32::try_from(transfer.at).unwrap() };
        let moment = |ends_transfer| Moment { at: Nanos(transfer.at), task, ends_transfer, load: None };
        if !transfer.bytes.is_empty() {
            let ends = transfer.ends && transfer.skipped == 0;
            let chunk = Chunk::Bytes(&transfer.bytes);
            self.observer.feed(moment(ends), transfer.side, chunk, &mut self.texts, &mut self.out);
        }
        if transfer.skipped > 0 {
            let chunk = Chunk::Skipped(transfer.skipped);
            self.observer.feed(moment(transfer.ends), transfer.side, chunk, &mut self.texts, &mut self.out);
        }
    }

    fn text(&self, id: TextId) -> &str {
        &self.texts.get(id).text
    }

    pub fn request(&self, request: &Request) -> String {
        let Request { started_at, first_byte_at, ended_at, rows, .. } = request;
        let times = format!("{} {} {}", started_at.0, first_byte_at.0, ended_at.0);
        let error = request.error.map_or(String::new(), |code| format!(" !{}", code.as_str()));
        format!("{times} rows={rows} {}{error}", self.text(request.text))
    }

    fn value(&self, value: &Value) -> String {
        let shown = value.hash().and_then(|hash| self.texts.extractor().shown(hash));
        match value.kind() {
            Kind::Unseen => "?".to_owned(),
            Kind::Null => "NULL".to_owned(),
            _ => shown.unwrap_or("(not kept)").to_owned(),
        }
    }

    /// Text and values of every request, a line each.
    pub fn values(&self) -> String {
        let mut lines = Vec::new();
        for request in &self.out.finished {
            let values: Vec<String> =
                self.out.values_of(request).iter().map(|value| self.value(value)).collect();
            lines.push(format!("{} | {}", self.text(request.text), values.join(", ")).trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// Requests, then in flight, then what was counted, a line each.
    pub fn shown(&mut self) -> String {
        self.observer.capture_ends(&mut self.out);
        let mut lines: Vec<String> = self.out.finished.iter().map(|request| self.request(request)).collect();
        let mut in_flight = Vec::new();
        self.observer.in_flight(&mut in_flight);
        for InFlight { text, started_at, .. } in in_flight {
            lines.push(format!("in flight {} {}", started_at.0, self.text(text)));
        }
        let counts = self.out.counts;
        for (name, count) in [
            ("started_before", counts.started_before),
            ("unmatched", counts.answers_unmatched),
            ("skipped", counts.skipped),
            ("resyncs", counts.resyncs),
            ("unnamed", counts.statements_unnamed),
            ("pushed", counts.pushed),
        ] {
            if count > 0 {
                lines.push(format!("{name}={count}"));
            }
        }
        lines.join("\n")
    }
}

/// A connection seen from its start.
pub fn run(dialogue: &str) -> Run {
    let mut run = Run::new(true);
    transfers(dialogue).iter().for_each(|transfer| run.feed(transfer));
    run
}

/// A connection that is joined in the middle.
pub fn join(dialogue: &str) -> Run {
    let mut run = Run::new(false);
    transfers(dialogue).iter().for_each(|transfer| run.feed(transfer));
    run
}

/// `expected` may be indented.
pub fn same(shown: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "\n{shown}");
}

/// A dialogue seen from its start says this.
#[track_caller]
pub fn check(dialogue: &str, expected: &str) {
    same(&run(dialogue).shown(), expected);
}

/// A dialogue joined in the middle says this.
#[track_caller]
pub fn check_joined(dialogue: &str, expected: &str) {
    same(&join(dialogue).shown(), expected);
}
