//! Recognises Redis from the first pieces of a connection: on any port, from either side, also in the middle.
//!
//! Believes an array of bulk strings with exact lengths that begins with a command's name; messages that only Redis
//! publishes; or inline commands with answers that only Redis gives. A lone `+OK` or `PONG` is not enough: POP3 and NATS say
//! such things too. Never looks at ports.

use super::commands::spec;
use super::inline;
use super::line::number_line;
use crate::proto::{Detection, Piece, Side};

/// Evidence that decides.
const ENOUGH: u32 = 4;
/// Pieces that read as nothing before the answer is No.
const MISSES: usize = 4;
/// Values of one piece that are looked at.
const MOST_VALUES: usize = 64;

/// Decides from the pieces.
pub(super) fn detect(pieces: &[Piece<'_>]) -> Detection {
    if pieces.iter().filter(|piece| !piece.bytes.is_empty()).take(2).any(is_other) {
        return Detection::No;
    }
    let mut sent = Evidence::default();
    let mut received = Evidence::default();
    let mut misses = 0;
    let mut asked = None;
    let runs = runs(pieces);
    for run in &runs {
        let direction = if run.sent { &mut sent } else { &mut received };
        let read = read(&run.bytes, run.cut);
        direction.commands += read.commands;
        direction.answers += read.answers;
        misses += usize::from(read.is_nothing);
        if let Some((client, asks)) = asked.take()
            && client != run.sent
        {
            // An inline command and what answers it.
            direction.answers += fits(asks, &run.bytes);
        }
        if let Some(asks) = read.inline {
            asked = Some((run.sent, asks));
        }
    }
    let of = |client: &Evidence, server: &Evidence| client.commands.max(server.answers);
    let (as_client, as_server) = (of(&sent, &received), of(&received, &sent));
    match (as_client, as_server) {
        (client, server) if client >= ENOUGH && client > server => Detection::Yes(Side::Client),
        (client, server) if server >= ENOUGH && server > client => Detection::Yes(Side::Server),
        _ if misses >= MISSES => Detection::No,
        _ => Detection::Maybe,
    }
}

#[derive(Default)]
struct Evidence {
    commands: u32,
    answers: u32,
}

/// What one side said before the other spoke.
struct Run {
    sent: bool,
    bytes: Vec<u8>,
    /// Bytes behind it were not captured.
    cut: bool,
}

fn runs(pieces: &[Piece<'_>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for piece in pieces {
        match runs.last_mut() {
            Some(last) if last.sent == piece.sent && !last.cut => last.bytes.extend_from_slice(piece.bytes),
            _ => runs.push(Run { sent: piece.sent, bytes: piece.bytes.to_vec(), cut: false }),
        }
        if let Some(last) = runs.last_mut() {
            last.cut = piece.skipped > 0;
        }
    }
    runs.retain(|run| !run.bytes.is_empty());
    runs
}

/// What kind of inline command may have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Ping,
    Other,
}

#[derive(Default)]
struct Read {
    commands: u32,
    answers: u32,
    inline: Option<Asks>,
    is_nothing: bool,
}

/// Reads the bytes of one run.
fn read(bytes: &[u8], cut: bool) -> Read {
    let mut read = Read::default();
    match commands(bytes, cut) {
        0 => {}
        points => {
            read.commands = points;
            return read;
        }
    }
    read.answers = answers(bytes);
    read.inline = inline_command(bytes);
    let may_continue =
        matches!(bytes.first(), Some(b'*' | b'$' | b'+' | b'-' | b':' | b'%' | b'~' | b'>' | b'_'));
    read.is_nothing = read.answers == 0 && read.inline.is_none() && !may_continue;
    read
}

/// Arrays of bulk strings with exact lengths, each with a command's name first.
fn commands(bytes: &[u8], cut: bool) -> u32 {
    let mut points = 0;
    let mut rest = bytes;
    for _ in 0..MOST_VALUES {
        if rest.is_empty() {
            break;
        }
        match command(rest) {
            Some((used, true)) => {
                points += ENOUGH;
                rest = &rest[used..];
            }
            // A name that is known, and the beginning of what follows.
            Some((_, false)) => {
                points += if cut { ENOUGH } else { 1 };
                break;
            }
            None => return 0,
        }
    }
    points
}

/// One command: its bytes, and whether all of it is there. None: not a command.
fn command(bytes: &[u8]) -> Option<(usize, bool)> {
    let (count, mut at) = number_line(bytes, 1).filter(|_| bytes.first() == Some(&b'*'))?;
    if count == 0 {
        return None;
    }
    for index in 0..count {
        let line = bytes.get(at..).filter(|line| !line.is_empty());
        let Some(line) = line else { return (index > 0).then_some((at, false)) };
        if line.first() != Some(&b'$') {
            return None;
        }
        let Some((length, start)) = number_line(bytes, at + 1) else {
            let partial =
                line.len() < 12 && line[1..].iter().all(|byte| byte.is_ascii_digit() || *byte == b'\r');
            return (index > 0 && partial).then_some((at, false));
        };
        let end = start + length;
        if index == 0 {
            // A name of another command must at least follow known ones.
            spec(bytes.get(start..end)?)?;
        }
        match bytes.get(end..end + 2) {
            Some(b"\r\n") => {}
            Some(_) => return None,
            None => return (index > 0).then_some((at, false)),
        }
        at = end + 2;
    }
    Some((at, true))
}

/// Answers that nothing else sends: published messages, pushes, several strings with exact lengths.
fn answers(bytes: &[u8]) -> u32 {
    let mut points = 0;
    let mut rest = bytes;
    for _ in 0..MOST_VALUES {
        let Some((used, weight)) = value(rest) else { break };
        points += weight;
        rest = &rest[used..];
    }
    points
}

/// A value at the beginning: its bytes, and how unlikely it is that other bytes read so.
fn value(bytes: &[u8]) -> Option<(usize, u32)> {
    match bytes.first()? {
        b'$' => string(bytes, 0).map(|(_, used)| (used, 2)),
        kind @ (b'*' | b'>' | b'%' | b'~') => {
            let (count, mut at) = number_line(bytes, 1)?;
            let count = if *kind == b'%' { count * 2 } else { count };
            let mut strings = 0;
            let mut published = false;
            for index in 0..count.min(MOST_VALUES) {
                if let Some((text, end)) = string(bytes, at) {
                    published |= index == 0
                        && matches!(
                            text,
                            b"message" | b"pmessage" | b"smessage" | b"invalidate" | b"subscribe"
                        );
                    strings += 1;
                    at = end;
                } else {
                    at = number_line(bytes, at + 1).filter(|_| bytes.get(at) == Some(&b':'))?.1;
                }
            }
            let complete = count <= MOST_VALUES;
            match (complete, published, strings) {
                (true, true, _) => Some((at, ENOUGH)),
                // Strings alone may as well be a command that is not known here.
                (true, false, _) => Some((at, u32::from(strings > 0 && strings < count))),
                (false, _, _) => None,
            }
        }
        b':' => number_line(bytes, 1).map(|(_, end)| (end, 0)),
        b'+' | b'-' => {
            let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
            Some((end + 2, 0))
        }
        _ => None,
    }
}

fn string(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (length, start) = number_line(bytes, at + 1).filter(|_| bytes.get(at) == Some(&b'$'))?;
    let end = start + length;
    (bytes.get(end..end + 2)? == b"\r\n").then(|| (&bytes[start..end], end + 2))
}

/// One line with a command's name that other protocols of lines do not have.
fn inline_command(bytes: &[u8]) -> Option<Asks> {
    let line = bytes.strip_suffix(b"\n")?;
    if line.contains(&b'\n') || line.first()?.is_ascii_whitespace() || !line[0].is_ascii_alphabetic() {
        return None;
    }
    let mut name = &line[..0];
    inline::split(line, 1, |word| name = &line[word.start..word.end]);
    if name.eq_ignore_ascii_case(b"PING") {
        return Some(Asks::Ping);
    }
    spec(name).map(|_| Asks::Other)
}

/// How well the answer to an inline command fits: only Redis says these.
fn fits(asks: Asks, bytes: &[u8]) -> u32 {
    match asks {
        Asks::Ping if bytes == b"+PONG\r\n" => ENOUGH,
        Asks::Other if bytes == b"$-1\r\n" => ENOUGH,
        Asks::Other if string(bytes, 0).is_some_and(|(_, end)| end == bytes.len()) => ENOUGH,
        Asks::Other
            if bytes.first() == Some(&b':')
                && number_line(bytes, 1).is_some_and(|(_, end)| end == bytes.len()) =>
        {
            2
        }
        Asks::Other if bytes.first() == Some(&b'*') => value(bytes).map_or(0, |_| 2),
        _ => 0,
    }
}

/// The beginning of a well-known protocol that is not this one.
fn is_other(piece: &Piece<'_>) -> bool {
    let text = [
        &b"SSH-"[..],
        b"HTTP/",
        b"GET /",
        b"POST /",
        b"PUT /",
        b"HEAD /",
        b"PRI * HTTP/2",
        b"AMQP",
        b"INFO {",
        b"VALUE ",
        b"STORED\r\n",
    ];
    matches!(piece.bytes, [0x14..=0x17, 3, 0..=4, ..])
        || text.iter().any(|start| piece.bytes.starts_with(start))
}
