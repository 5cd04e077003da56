//! A notation for dialogues, so that a case is a few lines of text.
//!
//! A dialogue has one transfer a line: `TIME DIRECTION MESSAGE | MESSAGE ...`. Direction `>`: the client sends; `<`: the
//! server. An empty name is written `-`. `...N` in place of a message: N bytes that were not captured. `cut` at the end
//! of a line: the transfer goes on in the next chunk.
//!
//! Client: `P name sql`, `B portal statement [value ...]` (`NULL`, text, or
//! binary as `#` and hex digits; without any, one text value), `D S name`, `D P name`, `C S name`, `C P name`, `E portal [limit]`, `S`,
//! `H`, `Q sql`, `F`, `d N` (CopyData of N bytes), `c`, `f`, `X`, `p secret`, `startup k=v ...`, `ssl`, `gss`,
//! `cancel pid secret`, `hex 00ff`.
//! Server: `1 2 3 n s I c T t D G H W V A N par` by letter, `C tag`, `Z I`, `E code`, `FATAL code`, `R`, `K pid secret`,
//! `d N`, `v`, `byte x`, `hex`, `keepalive`, `D N` (a row of N bytes).

use crate::proto::postgres::observer::Observer;
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

pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

fn packet(code: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).unwrap();
    [&length.to_be_bytes()[..], &code.to_be_bytes(), body].concat()
}

fn name(word: Option<&str>) -> Vec<u8> {
    let word = word.unwrap_or("-");
    let mut bytes = if word == "-" { Vec::new() } else { word.as_bytes().to_vec() };
    bytes.push(0);
    bytes
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A row of one column with so many bytes.
fn row(bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes).unwrap();
    [&[0, 1][..], &length.to_be_bytes(), &vec![b'v'; bytes]].concat()
}

/// Formats and values of a Bind.
fn bind_values(given: &[&str]) -> Vec<u8> {
    let count = u16::try_from(given.len()).unwrap().to_be_bytes();
    let (mut formats, mut values) = (count.to_vec(), count.to_vec());
    for word in given {
        let binary = word.strip_prefix('#').map(hex);
        formats.extend([0, u8::from(binary.is_some())]);
        if *word == "NULL" {
            values.extend(u32::MAX.to_be_bytes());
            continue;
        }
        let bytes = binary.unwrap_or_else(|| word.as_bytes().to_vec());
        values.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        values.extend(bytes);
    }
    if !given.iter().any(|word| word.starts_with('#')) {
        // No format at all: all are text.
        formats = vec![0, 0];
    }
    [formats, values].concat()
}

pub fn client(text: &str) -> Vec<u8> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    match word {
        "P" => {
            let (statement, sql) = rest.split_once(' ').unwrap_or((rest, ""));
            message(b'P', &[&name(Some(statement))[..], sql.as_bytes(), &[0, 0, 0]].concat())
        }
        "B" => {
            let (portal, statement) = (name(words.next()), name(words.next()));
            let given: Vec<&str> = words.collect();
            let values = bind_values(if given.is_empty() { &["bindme"] } else { &given });
            // One binary result column.
            message(b'B', &[&portal[..], &statement, &values, &[0, 1, 0, 1]].concat())
        }
        "D" | "C" => {
            let kind = words.next().unwrap().as_bytes()[0];
            message(word.as_bytes()[0], &[&[kind][..], &name(words.next())].concat())
        }
        "E" => {
            let portal = name(words.next());
            let limit: u32 = words.next().map_or(0, |limit| limit.parse().unwrap());
            message(b'E', &[&portal[..], &limit.to_be_bytes()].concat())
        }
        "Q" => message(b'Q', &[rest.as_bytes(), &[0]].concat()),
        "F" => message(b'F', &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0]),
        "d" => message(b'd', &vec![b'x'; rest.parse().unwrap()]),
        "f" => message(b'f', b"no\0"),
        "S" | "H" | "c" | "X" => message(word.as_bytes()[0], &[]),
        "p" => message(b'p', &[rest.as_bytes(), &[0]].concat()),
        "startup" => {
            let mut body = Vec::new();
            for (key, value) in words.map(|word| word.split_once('=').unwrap()) {
                body.extend([key.as_bytes(), &[0], value.as_bytes(), &[0]].concat());
            }
            body.push(0);
            packet(3 << 16, &body)
        }
        "ssl" => packet(80_877_103, &[]),
        "gss" => packet(80_877_104, &[]),
        "cancel" => {
            let process: u32 = words.next().unwrap().parse().unwrap();
            packet(80_877_102, &[&process.to_be_bytes()[..], words.next().unwrap().as_bytes()].concat())
        }
        "hex" => hex(rest),
        _ => panic!("no such client message: {text}"),
    }
}

pub fn server(text: &str) -> Vec<u8> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let severity = if word == "FATAL" { "FATAL" } else { "ERROR" };
    match word {
        "1" | "2" | "3" | "n" | "s" | "I" | "c" => message(word.as_bytes()[0], &[]),
        "T" => message(b'T', b"\0\x01col\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"),
        "t" => message(b't', b"\0\x01\0\0\0\x17"),
        "D" => message(b'D', &row(if rest.is_empty() { 1 } else { rest.parse().unwrap() })),
        "d" => message(b'd', &vec![b'x'; rest.parse().unwrap()]),
        "keepalive" => message(b'd', b"k0123456789abcdef\0"),
        "G" | "H" | "W" => message(word.as_bytes()[0], &[0, 0, 1, 0, 0]),
        "V" => message(b'V', &[0, 0, 0, 1, b'4']),
        "A" => message(b'A', b"\0\0\0\x07channel\0payload\0"),
        "N" => message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mnote\0\0"),
        "par" => message(b'S', b"application_name\0psql\0"),
        "C" => message(b'C', &[rest.as_bytes(), &[0]].concat()),
        "Z" => message(b'Z', rest.as_bytes()),
        "E" | "FATAL" => {
            let fields = format!("S{severity}\0V{severity}\0C{rest}\0Mmessage with 'secret'\0\0");
            message(b'E', fields.as_bytes())
        }
        "R" => message(b'R', &[0; 4]),
        "SASL" => message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"),
        "K" => {
            let (process, secret) = rest.split_once(' ').unwrap();
            let process: u32 = process.parse().unwrap();
            message(b'K', &[&process.to_be_bytes()[..], secret.as_bytes()].concat())
        }
        "v" => message(b'v', &[0, 3, 0, 0, 0, 0, 0, 0]),
        "byte" => rest.as_bytes().to_vec(),
        "hex" => hex(rest),
        _ => panic!("no such server message: {text}"),
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
        for word in rest.split(" | ").map(str::trim) {
            let transfer =
                open.get_or_insert(Transfer { at, side, bytes: Vec::new(), skipped: 0, ends: false });
            if let Some(skipped) = word.strip_prefix("...") {
                transfer.skipped = skipped.parse().unwrap();
                transfers.extend(open.take());
            } else if side == Side::Client {
                transfer.bytes.extend(client(word));
            } else {
                transfer.bytes.extend(server(word));
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

    fn text(&self, id: crate::sql::TextId) -> &str {
        &self.texts.get(id).text
    }

    pub fn request(&self, request: &Request) -> String {
        let Request { started_at, first_byte_at, ended_at, rows, .. } = request;
        let times = format!("{} {} {}", started_at.0, first_byte_at.0, ended_at.0);
        let error = request.error.map_or(String::new(), |code| format!(" {}", code.as_str()));
        format!("{times} rows={rows} {}{error}", self.text(request.text))
    }

    fn value(&mut self, value: Value) -> String {
        let shown = value.hash().and_then(|hash| self.texts.extractor().shown(hash).map(str::to_owned));
        match value.kind() {
            Kind::Unseen => "?".to_owned(),
            Kind::Null => "NULL".to_owned(),
            Kind::List => format!("list of {}", value.elements()),
            _ => shown.unwrap_or_else(|| "(not kept)".to_owned()),
        }
    }

    /// Text and values of every request, then of those in flight, a line each.
    pub fn values(&mut self) -> String {
        self.observer.capture_ends(&mut self.out);
        let finished = self.out.finished.iter();
        let mut all: Vec<(String, Vec<Value>)> = finished
            .map(|request| (self.text(request.text).to_owned(), self.out.values_of(request).to_vec()))
            .collect();
        let mut in_flight = Vec::new();
        self.observer.in_flight(&mut in_flight);
        for request in in_flight {
            all.push((format!("in flight {}", self.text(request.text)), request.values));
        }
        let mut lines = Vec::new();
        for (text, values) in all {
            let values: Vec<String> = values.into_iter().map(|value| self.value(value)).collect();
            lines.push(format!("{text} | {}", values.join(", ")).trim_end().to_owned());
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
            ("cancels", self.out.cancels.len() as u64),
        ] {
            if count > 0 {
                lines.push(format!("{name}={count}"));
            }
        }
        lines.join("\n")
    }
}

/// Runs a dialogue that begins with a finished start-up.
pub fn run(dialogue: &str) -> Run {
    let mut run = Run::new(true);
    let start = "0 > startup user=u database=d\n0 < R | par | K 7 abcd | Z I";
    for transfer in transfers(start).iter().chain(&transfers(dialogue)) {
        run.feed(transfer);
    }
    run
}

/// Runs a dialogue that is joined in the middle.
pub fn join(dialogue: &str) -> Run {
    let mut run = Run::new(false);
    for transfer in &transfers(dialogue) {
        run.feed(transfer);
    }
    run
}

/// `expected` may be indented.
pub fn same(shown: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "\n{shown}");
}

/// A dialogue behind a finished start-up says this.
#[track_caller]
pub fn check(dialogue: &str, expected: &str) {
    same(&run(dialogue).shown(), expected);
}

/// A dialogue joined in the middle says this.
#[track_caller]
pub fn check_joined(dialogue: &str, expected: &str) {
    same(&join(dialogue).shown(), expected);
}
