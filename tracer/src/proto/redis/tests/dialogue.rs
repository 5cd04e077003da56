//! A notation for dialogues, so that a case is a few lines of text.
//!
//! A dialogue has one transfer a line: `TIME DIRECTION VALUE | VALUE ...`. Direction `>`: the client sends; `<`: the server.
//! `...N` in place of a value: N bytes that were not captured. `cut` at the end of a line: the transfer goes on in the next
//! chunk. `raw TEXT`: bytes, with `\r` and `\n` for themselves.
//!
//! Client: words of a command (`x*N`: N times x; `''`: nothing); `inline WORDS`.
//! Server: `+OK`, `-ERR text`, `:1` and the other lines; `$text`, `nil`, `nil*`; `*[$a :1 *[$b]]`, also with `%`, `~`, `>`, `|`.

use crate::proto::redis::observer::Observer;
use crate::proto::{Chunk, Moment, Protocol, Side};
use crate::request::{InFlight, Request, Requests, Task};
use crate::sql::Texts;
use crate::time::Nanos;
use crate::value::{self, Extractor, Kind, Value};

/// One chunk of a dialogue.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub at: u64,
    pub side: Side,
    pub bytes: Vec<u8>,
    pub skipped: u64,
    pub ends: bool,
}

fn raw(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r").replace("\\n", "\n").into_bytes()
}

fn word(word: &str) -> Vec<u8> {
    match word.split_once('*') {
        _ if word == "''" => Vec::new(),
        Some((text, times)) if !text.is_empty() && times.parse::<usize>().is_ok() => {
            text.repeat(times.parse().unwrap()).into_bytes()
        }
        _ => word.as_bytes().to_vec(),
    }
}

fn bulk(text: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
}

pub fn client(text: &str) -> Vec<u8> {
    if let Some(text) = text.strip_prefix("raw ") {
        return raw(text);
    }
    if let Some(words) = text.strip_prefix("inline ") {
        return format!("{words}\r\n").into_bytes();
    }
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|given| bytes.extend(bulk(&word(given))));
    bytes
}

pub fn server(text: &str) -> Vec<u8> {
    if let Some(text) = text.strip_prefix("raw ") {
        return raw(text);
    }
    let mut rest = text;
    let mut values = Vec::new();
    while !rest.trim().is_empty() {
        values.extend(value(&mut rest));
    }
    values
}

fn value(rest: &mut &str) -> Vec<u8> {
    let text = rest.trim_start();
    let (kind, behind) = text.split_at(1);
    if let Some(mut inside) = behind.strip_prefix('[') {
        let mut values = Vec::new();
        while !inside.trim_start().starts_with(']') {
            values.push(value(&mut inside));
        }
        *rest = &inside.trim_start()[1..];
        // An attribute stands before a value and is none.
        let count = values.iter().filter(|value: &&Vec<u8>| value[0] != b'|').count();
        let count = if matches!(kind, "%" | "|") { count / 2 } else { count };
        return [format!("{kind}{count}\r\n").into_bytes(), values.concat()].concat();
    }
    // Only an error has spaces, and stands alone or last.
    let end = if kind == "-" { text.find(']') } else { text.find([' ', ']']) }.unwrap_or(text.len());
    let (line, behind) = text.split_at(end);
    *rest = behind;
    match (kind, line) {
        (_, "nil") => b"$-1\r\n".to_vec(),
        (_, "nil*") => b"*-1\r\n".to_vec(),
        ("$", _) => bulk(&word(&line[1..])),
        _ => format!("{line}\r\n").into_bytes(),
    }
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
        for said in rest.split(" | ").map(str::trim) {
            let transfer =
                open.get_or_insert(Transfer { at, side, bytes: Vec::new(), skipped: 0, ends: false });
            if let Some(skipped) = said.strip_prefix("...") {
                transfer.skipped = skipped.parse().unwrap();
                transfers.extend(open.take());
            } else if side == Side::Client {
                transfer.bytes.extend(client(said));
            } else {
                transfer.bytes.extend(server(said));
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

    /// Times are milliseconds.
    pub fn feed(&mut self, transfer: &Transfer) {
        let task = Task { pid: 1, tid: u32::try_from(transfer.at).unwrap() };
        let at = Nanos::from_millis(transfer.at);
        let moment = |ends_transfer| Moment { at, task, ends_transfer, load: None };
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

    pub fn all(&mut self, dialogue: &str) {
        transfers(dialogue).iter().for_each(|transfer| self.feed(transfer));
    }

    fn text(&self, id: crate::sql::TextId) -> &str {
        &self.texts.get(id).text
    }

    pub fn request(&self, request: &Request) -> String {
        let Request { started_at, first_byte_at, ended_at, rows, .. } = request;
        let ms = |at: &Nanos| at.0 / 1_000_000;
        let times = format!("{} {} {}", ms(started_at), ms(first_byte_at), ms(ended_at));
        let error = request.error.map_or(String::new(), |code| format!(" !{}", code.as_str()));
        let rows = if *rows == 0 { String::new() } else { format!(" rows={rows}") };
        format!("{times} {}{rows}{error}", self.text(request.text))
    }

    fn value(&self, value: Value) -> String {
        let shown = value.hash().and_then(|hash| self.texts.extractor().shown(hash).map(str::to_owned));
        match value.kind() {
            Kind::Unseen => "?".to_owned(),
            Kind::Null => "NULL".to_owned(),
            _ => shown.unwrap_or_else(|| "(not kept)".to_owned()),
        }
    }

    /// Text and values of every request, a line each.
    pub fn values(&mut self) -> String {
        self.observer.capture_ends(&mut self.out);
        let mut lines = Vec::new();
        for request in &self.out.finished {
            let values: Vec<String> =
                self.out.values_of(request).iter().map(|value| self.value(*value)).collect();
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
            lines.push(format!("in flight {} {}", started_at.0 / 1_000_000, self.text(text)));
        }
        let counts = self.out.counts;
        for (name, count) in [
            ("started_before", counts.started_before),
            ("unmatched", counts.answers_unmatched),
            ("presumed", counts.presumed),
            ("skipped", counts.skipped),
            ("resyncs", counts.resyncs),
            ("unnamed", counts.statements_unnamed),
            ("pushed", counts.pushed),
        ] {
            if count > 0 {
                lines.push(format!("{name}={count}"));
            }
        }
        let session = self.observer.session();
        for (name, value) in [("user", &session.user), ("database", &session.database)] {
            if let Some(value) = value {
                lines.push(format!("{name}={value}"));
            }
        }
        for (name, set) in [("streaming", session.streaming), ("terminated", session.terminated)] {
            if set {
                lines.push(name.to_owned());
            }
        }
        lines.join("\n")
    }
}

/// Runs a dialogue from the connection's first byte, or joined in the middle.
pub fn run(from_start: bool, dialogue: &str) -> Run {
    let mut run = Run::new(from_start);
    run.all(dialogue);
    run
}

/// `expected` may be indented.
#[track_caller]
pub fn same(shown: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "\n{shown}");
}

/// A dialogue from the beginning says this, also when it comes byte by byte.
#[track_caller]
pub fn check(dialogue: &str, expected: &str) {
    same(&run(true, dialogue).shown(), expected);
    let mut bytewise = Run::new(true);
    for transfer in transfers(dialogue) {
        let last = transfer.bytes.len().saturating_sub(1);
        for (at, byte) in transfer.bytes.iter().enumerate() {
            let (skipped, ends) = if at == last { (transfer.skipped, transfer.ends) } else { (0, false) };
            bytewise.feed(&Transfer { bytes: vec![*byte], skipped, ends, ..transfer });
        }
        if transfer.bytes.is_empty() {
            bytewise.feed(&transfer);
        }
    }
    same(&bytewise.shown(), expected);
}

/// A dialogue joined in the middle says this.
#[track_caller]
pub fn check_joined(dialogue: &str, expected: &str) {
    same(&run(false, dialogue).shown(), expected);
}

impl Run {
    pub fn observer_open(&self) -> u32 {
        self.observer.open_requests()
    }
}
