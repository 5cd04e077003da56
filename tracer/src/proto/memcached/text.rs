//! The text protocol of one connection: lines and data blocks of both directions.

use super::answer::{self, Answer};
use super::command::{self, Kind};
use super::lines::{Line, Lines, Step};
use super::pairing::Pairing;
use super::pending::Entry;
use super::statement::{Spoken, Statements};
use crate::proto::{Chunk, Moment, Session};
use crate::request::Requests;
use crate::sql::Texts;

/// Bytes of the server's last words that are kept behind a hole.
const TAIL_BYTES: usize = 7;

/// What the server's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// Lines and data blocks.
    Framed,
    /// Unknown, until a transfer begins with an answer.
    Lost,
    /// The rest of the answer to a `get` with a hole over its values, until a transfer ends with END.
    Holed,
}

#[derive(Debug)]
pub(super) struct Text {
    client: Lines,
    client_framed: bool,
    server: Lines,
    server_is: Server,
    /// The last line of an answer whose data block is still to come.
    ending: Option<Answer>,
    tail: Vec<u8>,
    statements: Statements,
}

impl Text {
    pub fn new(from_start: bool) -> Self {
        Self {
            client: Lines::default(),
            client_framed: from_start,
            server: Lines::default(),
            server_is: if from_start { Server::Framed } else { Server::Lost },
            ending: None,
            tail: Vec::new(),
            statements: Statements::default(),
        }
    }

    /// Both directions are framed.
    pub fn in_sync(&self) -> bool {
        self.client_framed && self.server_is != Server::Lost
    }

    #[expect(clippy::too_many_arguments, reason = "the observer's parts, borrowed apart")]
    pub fn client(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        pairing: &mut Pairing,
        session: &mut Session,
        texts: &mut Texts,
        out: &mut Requests,
    ) {
        if !self.client_framed {
            let Chunk::Bytes(bytes) = chunk else { return };
            if !(starts && begins_with_command(bytes)) {
                return;
            }
            self.client_framed = true;
            self.client.reset();
        }
        if starts && self.client.at_boundary() && !chunk.is_empty() && self.server.at_boundary() {
            pairing.client_speaks(moment.at, out);
        }
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => {
                let spans = |line: &[u8]| line.starts_with(b"get");
                if matches!(self.client.skip(skipped, spans), Step::Lost) {
                    self.client_framed = false;
                    self.lose(pairing, out);
                }
                return;
            }
        };
        loop {
            match self.client.next(moment, &mut input) {
                Step::Line(line) => {
                    let command = command::parse(line.text);
                    if command.kind == Kind::Quit {
                        session.terminated = true;
                        continue;
                    }
                    if command.silent && !matches!(command.kind, Kind::Meta | Kind::MetaGet) {
                        // `noreply` is never broken: nothing waits.
                        if let Some(data) = command.data {
                            self.client.expect_data(data);
                        }
                        continue;
                    }
                    let at = line.first.at;
                    let Line { cut, bytes, first, .. } = line;
                    let spoken =
                        Spoken { name: command.name, keys: command.keys, encoded: command.encoded, cut };
                    let text = self.statements.intern(spoken, at, texts);
                    let unproven = !cut && command.kind == Kind::Get && !pairing.proven;
                    let keys = if unproven { answer::keys(command.keys) } else { 0 };
                    let data = command.data.map_or(0, |data| data.saturating_add(2));
                    let entry = Entry {
                        text,
                        kind: command.kind,
                        silent: command.silent,
                        tag: answer::opaque(command.echo),
                        keys,
                        started_at: at,
                        task: first.task,
                        load: first.load,
                        bytes: bytes + data,
                        values: 0,
                    };
                    if let Some(data) = command.data {
                        self.client.expect_data(data);
                    }
                    if self.server_is == Server::Holed
                        || !pairing.pending.push(entry, &self.statements.values)
                    {
                        self.lose(pairing, out);
                        pairing.pending.push(entry, &self.statements.values);
                    }
                }
                Step::DataEnd => {}
                Step::More => return,
                Step::Lost => {
                    self.client_framed = false;
                    return self.lose(pairing, out);
                }
            }
        }
    }

    /// True: the connection is a stream of log lines from now on.
    pub fn server(
        &mut self,
        moment: Moment,
        chunk: Chunk<'_>,
        starts: bool,
        pairing: &mut Pairing,
        out: &mut Requests,
    ) -> bool {
        match self.server_is {
            Server::Holed => {
                self.holed(moment, chunk, pairing, out);
                return false;
            }
            Server::Lost => {
                let Chunk::Bytes(bytes) = chunk else { return false };
                if !(starts && begins_with_answer(bytes)) {
                    return false;
                }
                self.server_is = Server::Framed;
                self.server.reset();
                self.ending = None;
            }
            Server::Framed => {}
        }
        let mut input = match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Skipped(skipped) => {
                match self.server.skip(skipped, |_| false) {
                    Step::Lost => self.hole(moment, skipped, pairing, out),
                    Step::DataEnd => self.data_end(moment, pairing, out),
                    _ => {}
                }
                return false;
            }
        };
        loop {
            match self.server.next(moment, &mut input) {
                Step::Line(line) => {
                    let Some((answer, data)) = answer::parse(line.text) else {
                        self.server_is = Server::Lost;
                        self.lose(pairing, out);
                        return false;
                    };
                    let bytes = line.bytes.saturating_add(data.map_or(0, |data| data.saturating_add(2)));
                    pairing.part(line.first.at, u64::from(answer.is_part()), bytes);
                    if answer == Answer::Value && !pairing.proven {
                        let key = line.text.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
                        pairing.says_keys(answer::keys(key));
                    }
                    if let Some(data) = data {
                        self.server.expect_data(data);
                        self.ending = (!answer.is_part()).then_some(answer);
                    } else if !answer.is_part()
                        && pairing.text_answer(answer, moment.at, out) == Some(Kind::Watch)
                    {
                        return !matches!(answer, Answer::Error(_));
                    }
                }
                Step::DataEnd => self.data_end(moment, pairing, out),
                Step::More => return false,
                Step::Lost => {
                    self.server_is = Server::Lost;
                    self.lose(pairing, out);
                    return false;
                }
            }
        }
    }

    fn data_end(&mut self, moment: Moment, pairing: &mut Pairing, out: &mut Requests) {
        if let Some(answer) = self.ending.take() {
            pairing.text_answer(answer, moment.at, out);
        }
    }

    /// The server's framing is lost behind so many bytes. With one `get` alone in flight it is known how its answer ends.
    fn hole(&mut self, moment: Moment, skipped: u64, pairing: &mut Pairing, out: &mut Requests) {
        let alone = pairing.pending.loud() == 1 && pairing.open() == 1;
        let get = pairing.pending.iter().all(|entry| matches!(entry.kind, Kind::Get | Kind::Stats));
        if alone && get {
            // The data block of the last line is counted already.
            let moved = skipped.saturating_sub(self.server.data_left());
            pairing.part(
                self.server.first_byte_at().unwrap_or(moment.at),
                0,
                moved + self.server.line_bytes(),
            );
            self.server_is = Server::Holed;
            self.server.reset();
            self.tail.clear();
            out.counts.resyncs += 1;
        } else {
            self.server_is = Server::Lost;
            self.lose(pairing, out);
        }
    }

    fn holed(&mut self, moment: Moment, chunk: Chunk<'_>, pairing: &mut Pairing, out: &mut Requests) {
        pairing.part(moment.at, 0, chunk.len());
        match chunk {
            Chunk::Skipped(0) => {}
            Chunk::Skipped(_) => self.tail.clear(),
            Chunk::Bytes(bytes) => {
                self.tail
                    .extend_from_slice(bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or(bytes));
                let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
                self.tail.drain(..surplus);
            }
        }
        if moment.ends_transfer && (self.tail == b"\r\nEND\r\n" || self.tail == b"END\r\n") {
            self.tail.clear();
            self.server_is = Server::Framed;
            pairing.text_answer(Answer::End, moment.at, out);
        }
    }

    fn lose(&mut self, pairing: &mut Pairing, out: &mut Requests) {
        if self.server_is == Server::Holed {
            self.server_is = Server::Lost;
        }
        pairing.lose(out);
    }
}

/// A whole line that is a command, and not one of a single word that other protocols have too.
fn begins_with_command(bytes: &[u8]) -> bool {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return [&b"get "[..], b"gets "].iter().any(|start| bytes.starts_with(start));
    };
    let line = bytes.get(..end).unwrap_or_default();
    command::parse(line.strip_suffix(b"\r").unwrap_or(line)).kind != Kind::Wrong
}

fn begins_with_answer(bytes: &[u8]) -> bool {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let line = bytes.get(..end).unwrap_or_default();
    answer::parse(line.strip_suffix(b"\r").unwrap_or(line)).is_some()
}
