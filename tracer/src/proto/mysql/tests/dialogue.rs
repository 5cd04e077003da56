//! A notation for dialogues, so that a case is a few lines of text.
//!
//! A dialogue has one transfer a line: `TIME DIRECTION PACKET | PACKET ...`. Direction `>`: the client sends; `<`: the
//! server. `...N` in place of a packet: N bytes that were not captured. `cut` at the end of a line: the transfer goes on
//! in the next chunk. Sequence numbers go on by themselves: a command begins with 0.
//!
//! Client: `Q sql`, `P sql`, `X id [hex]` (COM_STMT_EXECUTE; what stands behind the iteration count), `XC id [hex]` (with a
//! cursor), `XA id [hex]` (with a count of parameters), `BULK id`, `F id`, `C id`, `R id`, `L id parameter text`,
//! `ping`, `statistics`, `fields`, `set`, `quit`, `db name`, `reset`, `user name database`, `killed id`, `binlog`,
//! `data [text]` and `hex 00ff` (go on with the sequence), `cmd 00ff` (any command), `login user [database] [flags]`, `ssl`.
//! Server: `greet id [flags]`, `ok [affected] [status]`, `okeof [status]` (OK in place of EOF), `eof [status]`,
//! `err number state`, `cols n` (a count and n definitions), `count hex`, `def`, `row text`, `brow`, `prepared id columns
//! parameters`, `file name`, `text words`, `hex`. Status and flags are hexadecimal.

use crate::proto::mysql::observer::Observer;
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

pub fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    [&length[..3], &[sequence], payload].concat()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn number(word: Option<&str>) -> u32 {
    word.map_or(0, |word| if word == "LAST" { u32::MAX } else { word.parse().unwrap() })
}

fn hex_number(word: Option<&str>, or: u32) -> u32 {
    word.map_or(or, |word| u32::from_str_radix(word, 16).unwrap())
}

fn lenenc(text: &[u8]) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap();
    if len < 251 {
        [&[len.to_le_bytes()[0]][..], text].concat()
    } else {
        [&[0xfc][..], &len.to_le_bytes(), text].concat()
    }
}

/// A payload, and whether it begins a command.
fn client(text: &str) -> (Vec<u8>, bool) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let mut id = |code: u8| [&[code][..], &number(words.next()).to_le_bytes()].concat();
    let execute = |id: Vec<u8>, flags: u8| {
        let tail = rest.split_once(' ').map_or(Vec::new(), |(_, tail)| hex(tail));
        [&id[..], &[flags, 1, 0, 0, 0], &tail].concat()
    };
    let command = match word {
        "Q" => [&[3], rest.as_bytes()].concat(),
        "P" => [&[0x16], rest.as_bytes()].concat(),
        "X" => execute(id(0x17), 0),
        "XC" => execute(id(0x17), 1),
        "XA" => execute(id(0x17), 8),
        "BULK" => [&id(0xfa)[..], &[0x80, 0, 3, 0, 0, 1, 0, 0, 0]].concat(),
        "F" => [&id(0x1c)[..], &[2, 0, 0, 0]].concat(),
        "C" => id(0x19),
        "R" => id(0x1a),
        "L" => {
            let head = id(0x18);
            let parameter = u16::try_from(number(words.next())).unwrap();
            [&head[..], &parameter.to_le_bytes(), words.next().unwrap().as_bytes()].concat()
        }
        "ping" => vec![0x0e],
        "statistics" => vec![0x09],
        "fields" => b"\x04t\0".to_vec(),
        "set" => vec![0x1b, 0, 0],
        "quit" => vec![1],
        "db" => [&[2], rest.as_bytes()].concat(),
        "reset" => vec![0x1f],
        "user" => {
            let (user, database) = rest.split_once(' ').unwrap();
            [&[0x11], user.as_bytes(), b"\0\x06secret", database.as_bytes(), b"\0"].concat()
        }
        "killed" => id(0x0c),
        "binlog" => vec![0x12, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0],
        "cmd" => hex(rest),
        _ => return (continued(word, rest), false),
    };
    (command, true)
}

fn continued(word: &str, rest: &str) -> Vec<u8> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    match word {
        "data" => rest.as_bytes().to_vec(),
        "hex" => hex(rest),
        "login" => {
            let (user, database) = (words.next().unwrap(), words.next().unwrap_or("-"));
            let mut flags = 0x8200 | hex_number(words.next(), 0);
            let mut tail = [user.as_bytes(), b"\0\x06secret"].concat();
            if database != "-" {
                flags |= 8;
                tail.extend([database.as_bytes(), b"\0"].concat());
            }
            [&flags.to_le_bytes()[..], &[0, 0, 0, 1, 45], &[0; 23], &tail].concat()
        }
        "ssl" => [&0x8a00u32.to_le_bytes()[..], &[0, 0, 0, 1, 45], &[0; 23]].concat(),
        _ => panic!("no such client packet: {word}"),
    }
}

fn definition() -> Vec<u8> {
    let names: Vec<u8> =
        ["def", "d", "t", "t", "c", "c"].iter().flat_map(|name| lenenc(name.as_bytes())).collect();
    [&names[..], &[0x0c, 45, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0]].concat()
}

fn server(text: &str) -> Vec<Vec<u8>> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let status = |word: Option<&str>| hex_number(word, 2).to_le_bytes();
    let one = match word {
        "greet" => {
            let id = number(words.next());
            let flags = 0x0f00_ffff | hex_number(words.next(), 0);
            let flags = flags
                & if rest.contains("plain") {
                    !0
                } else {
                    !0x0400_0020 | hex_number(rest.split(' ').nth(1), 0)
                };
            let [a, b, c, d] = flags.to_le_bytes();
            let head = [b"\x0a5.5.5-10.11.4-MariaDB\0", &id.to_le_bytes()[..], b"saltsalt\0"].concat();
            [&head[..], &[a, b, 45, 2, 0, c, d, 21], &[0; 10], b"saltsaltsalt\0mysql_native_password\0"]
                .concat()
        }
        "ok" => {
            let affected = u8::try_from(number(words.next())).unwrap();
            let [low, high, ..] = status(words.next());
            vec![0, affected, 0, low, high, 0, 0]
        }
        "okeof" => {
            let [low, high, ..] = status(words.next());
            vec![0xfe, 0, 0, low, high, 0, 0]
        }
        "eof" => {
            let [low, high, ..] = status(words.next());
            vec![0xfe, 0, 0, low, high]
        }
        "err" => {
            let code = u16::try_from(number(words.next())).unwrap().to_le_bytes();
            [&[0xff], &code[..], b"#", words.next().unwrap().as_bytes(), b"message with 'secret'"].concat()
        }
        "cols" => {
            let count = usize::try_from(number(words.next())).unwrap();
            let mut all = vec![vec![u8::try_from(count).unwrap()]];
            all.extend(vec![definition(); count]);
            return all;
        }
        "count" | "hex" => hex(rest),
        "def" => definition(),
        "row" => lenenc(rest.as_bytes()),
        "brow" => vec![0, 0, 7],
        "prepared" => {
            let id = number(words.next()).to_le_bytes();
            let [columns, parameters] =
                [number(words.next()), number(words.next())].map(|n| n.to_le_bytes()[0]);
            [&[0][..], &id, &[columns, 0, parameters, 0, 0, 0, 0]].concat()
        }
        "file" => [&[0xfb], rest.as_bytes()].concat(),
        "text" => rest.as_bytes().to_vec(),
        _ => panic!("no such server packet: {text}"),
    };
    vec![one]
}

/// Reads the notation.
pub fn transfers(dialogue: &str) -> Vec<Transfer> {
    let mut transfers: Vec<Transfer> = Vec::new();
    let mut sequence = 0u8;
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
                continue;
            }
            if let Some(next) = word.strip_prefix("seq ") {
                sequence = next.parse().unwrap();
                continue;
            }
            let payloads = if side == Side::Client {
                let (payload, is_command) = client(word);
                if is_command {
                    sequence = 0;
                }
                vec![payload]
            } else {
                if word.starts_with("greet") {
                    sequence = 0;
                }
                server(word)
            };
            for payload in payloads {
                transfer.bytes.extend(packet(sequence, &payload));
                sequence = sequence.wrapping_add(1);
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

    pub fn feed_all(&mut self, dialogue: &str) {
        transfers(dialogue).iter().for_each(|transfer| self.feed(transfer));
    }

    fn text(&self, id: crate::sql::TextId) -> &str {
        &self.texts.get(id).text
    }

    pub fn request(&self, request: &Request) -> String {
        let Request { started_at, first_byte_at, ended_at, rows, .. } = request;
        let times = format!("{} {} {}", started_at.0, first_byte_at.0, ended_at.0);
        let error = request.error.map_or(String::new(), |code| format!(" {}", code.as_str()));
        let cancelled = if request.cancelled { " cancelled" } else { "" };
        format!("{times} rows={rows} {}{error}{cancelled}", self.text(request.text))
    }

    fn value(&self, value: &Value) -> String {
        let shown = value.hash().and_then(|hash| self.texts.extractor().shown(hash).map(str::to_owned));
        match value.kind() {
            _ if *value == Value::PASSED_OVER => "passed over".to_owned(),
            Kind::Unseen => "?".to_owned(),
            Kind::Null => "NULL".to_owned(),
            Kind::List => format!("list of {}", value.elements()),
            _ => shown.unwrap_or_else(|| "(not kept)".to_owned()),
        }
    }

    /// Text and values of every request, a line each.
    pub fn values(&self) -> String {
        let lines = self.out.finished.iter().map(|request| {
            let values: Vec<String> =
                self.out.values_of(request).iter().map(|value| self.value(value)).collect();
            format!("{} | {}", self.text(request.text), values.join(", ")).trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Everything that it said, and what is in flight.
    pub fn shown(&self) -> String {
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

/// The login that stands before every dialogue of [`run`]: as most drivers, with OK in place of EOF.
pub const LOGIN: &str = "0 < greet 7
                         0 > login u d 1000000
                         0 < ok";

/// Runs a dialogue that begins with a finished login.
pub fn run(dialogue: &str) -> Run {
    let mut run = Run::new(true);
    run.feed_all(LOGIN);
    run.feed_all(dialogue);
    run
}

/// Runs a dialogue that is joined in the middle.
pub fn join(dialogue: &str) -> Run {
    let mut run = Run::new(false);
    run.feed_all(dialogue);
    run
}

/// `expected` may be indented.
#[track_caller]
pub fn same(shown: &str, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected, "\n{shown}");
}

/// A dialogue behind a finished login says this.
#[track_caller]
pub fn check(dialogue: &str, expected: &str) {
    same(&run(dialogue).shown(), expected);
}

/// A dialogue joined in the middle says this.
#[track_caller]
pub fn check_joined(dialogue: &str, expected: &str) {
    same(&join(dialogue).shown(), expected);
}

/// A dialogue with EOF or without, seen from its login or joined, says the same. `EOF` stands for the EOF behind
/// definitions, `END` for what ends rows, with its status behind it.
#[track_caller]
pub fn check_both(dialogue: &str, expected: &str) {
    let old = dialogue.replace("EOF", "eof").replace("END", "eof");
    let new = dialogue.replace(" | EOF", "").replace("END", "okeof");
    check_joined(&old, expected);
    check_joined(&new, expected);
    check(&new, expected);
    let mut run = Run::new(true);
    run.feed_all(&LOGIN.replace("1000000", "0"));
    run.feed_all(&old);
    same(&run.shown(), expected);
}
