//! A notation for dialogues of protocols that are mostly text, so that a case is a few lines.
//!
//! One transfer a line: `TIME DIRECTION BYTES`. Direction `>`: the client sends; `<`: the server. In the bytes `~` is
//! CR LF, `\xHH` a byte, `{N}` N bytes of data, `...N` at the end N bytes that were not captured. `cut` at the end of a
//! line: the transfer goes on in the next chunk.

use super::{Chunk, Moment, Protocol, Side};
use crate::request::{InFlight, Request, Requests, Task};
use crate::sql::{TextId, Texts};
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

/// Reads the notation of bytes.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(&behind[..2], 16).unwrap());
            rest = &behind[2..];
        } else if let Some((number, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            && let Ok(count) = number.parse::<usize>()
        {
            bytes.extend(vec![b'd'; count]);
            rest = behind;
        } else if first == '~' {
            bytes.extend(b"\r\n");
            rest = &rest[1..];
        } else {
            bytes.extend(first.to_string().as_bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    bytes
}

/// Reads the notation.
pub fn transfers(dialogue: &str) -> Vec<Transfer> {
    let lines = dialogue.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (at, rest) = line.split_once(' ').unwrap();
            let (direction, rest) = rest.split_at(1);
            let rest = rest.trim_start();
            let side = if direction == ">" { Side::Client } else { Side::Server };
            let (rest, ends) = rest.strip_suffix(" cut").map_or((rest, true), |rest| (rest, false));
            let (text, skipped) = rest.rsplit_once("...").map_or((rest, None), |(text, number)| {
                number.parse().map_or((rest, None), |skipped| (text, Some(skipped)))
            });
            let skipped = skipped.unwrap_or(0);
            Transfer { at: at.parse().unwrap(), side, bytes: bytes(text), skipped, ends }
        })
        .collect()
}

/// An observer with what it said so far.
pub struct Run {
    pub observer: Box<dyn Protocol>,
    pub texts: Texts,
    pub out: Requests,
}

impl Run {
    pub fn new(observer: Box<dyn Protocol>) -> Self {
        // The table of values makes them visible to the tests; nothing else depends on it.
        let extractor = Extractor::new(value::Settings { show_values: true, ..value::Settings::default() });
        let texts = Texts::with_extractor(10_000, extractor);
        Self { observer, texts, out: Requests::default() }
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
        let Request { started_at, first_byte_at, ended_at, rows, request_bytes, answer_bytes, .. } = request;
        let times = format!("{} {} {}", started_at.0, first_byte_at.0, ended_at.0);
        let error = request.error.map_or(String::new(), |code| format!(" {}", code.as_str()));
        let sizes = format!("{request_bytes}/{answer_bytes}");
        format!("{times} {sizes} rows={rows} {}{error}", self.text(request.text))
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

    /// Text and values of every request, a line each.
    pub fn values(&mut self) -> String {
        self.observer.capture_ends(&mut self.out);
        let finished = self.out.finished.iter();
        let all: Vec<(String, Vec<Value>)> = finished
            .map(|request| (self.text(request.text).to_owned(), self.out.values_of(request).to_vec()))
            .collect();
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
        assert_eq!(in_flight.len(), usize::try_from(self.observer.open_requests()).unwrap());
        for InFlight { text, started_at, .. } in in_flight {
            lines.push(format!("in flight {} {}", started_at.0, self.text(text)));
        }
        let counts = self.out.counts;
        for (name, count) in [
            ("started_before", counts.started_before),
            ("unmatched", counts.answers_unmatched),
            ("presumed", counts.presumed),
            ("resyncs", counts.resyncs),
            ("streaming", u64::from(self.observer.session().streaming)),
        ] {
            if count > 0 {
                lines.push(format!("{name}={count}"));
            }
        }
        lines.join("\n")
    }
}

/// Runs a dialogue.
pub fn run(observer: Box<dyn Protocol>, dialogue: &str) -> Run {
    let mut run = Run::new(observer);
    for transfer in &transfers(dialogue) {
        run.feed(transfer);
    }
    run
}

/// `expected` may be indented.
#[track_caller]
pub fn same(shown: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "\n{shown}");
}

/// Cuts every transfer at the given places; the chunks keep its time.
pub fn split(transfers: &[Transfer], cuts: &[usize]) -> Vec<Transfer> {
    let mut cuts = cuts.iter().cycle();
    let mut chunks = Vec::new();
    for transfer in transfers {
        let mut rest = &transfer.bytes[..];
        while !rest.is_empty() {
            let (head, tail) = rest.split_at((*cuts.next().unwrap()).clamp(1, rest.len()));
            rest = tail;
            let skipped = if rest.is_empty() { transfer.skipped } else { 0 };
            let ends = rest.is_empty() && transfer.ends;
            chunks.push(Transfer { bytes: head.to_vec(), skipped, ends, ..transfer.clone() });
        }
    }
    chunks
}
