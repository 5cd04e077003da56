//! Recognises the protocol from the first pieces of a connection: on any port, from either side, also in the middle.
//!
//! Believes a greeting, or commands with fitting answers: exact lengths, sequence numbers that go on, content that only
//! this protocol has. Of one side alone only a statement's text is enough. Never looks at ports.

use std::borrow::Cow;

use super::answer;
use super::bytes::Bytes;
use super::command::{Command, query_text};
use super::compressed;
use super::greeting::greeting;
use super::packet::{Packet, split};
use crate::proto::framing::Format as _;
use crate::proto::{Detection, Piece, Side};

/// Evidence that decides.
const ENOUGH: u32 = 2;
/// Transfers of the client that read as no command before the answer is No.
const MISSES: u32 = 2;
/// A greeting is no longer than this.
const LONGEST_GREETING: u32 = 512;
/// Bytes of one side's turn that are looked at.
const TURN_BYTES: usize = 16 << 10;

/// What one side sent before the other one spoke.
struct Turn<'a> {
    sent: bool,
    /// The first bytes, without a hole.
    bytes: Cow<'a, [u8]>,
    /// Not captured behind them, and whatever came behind that.
    missing: u64,
}

fn turns<'a>(pieces: &[Piece<'a>]) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = Vec::new();
    for piece in pieces {
        match turns.last_mut() {
            Some(last) if last.sent == piece.sent => {
                if last.missing == 0 && last.bytes.len() < TURN_BYTES {
                    last.bytes.to_mut().extend_from_slice(piece.bytes);
                    last.missing = piece.skipped;
                } else {
                    last.missing = last.missing.saturating_add(piece.bytes.len() as u64 + piece.skipped);
                }
            }
            _ => turns.push(Turn {
                sent: piece.sent,
                bytes: Cow::Borrowed(piece.bytes),
                missing: piece.skipped,
            }),
        }
    }
    turns
}

/// Decides from the pieces.
pub(super) fn detect(pieces: &[Piece<'_>]) -> Detection {
    let turns = turns(pieces);
    let Some(first) = turns.first() else { return Detection::Maybe };
    match greets(first) {
        Greets::Yes => return Detection::Yes(if first.sent { Side::Server } else { Side::Client }),
        Greets::Maybe if turns.len() == 1 => return Detection::Maybe,
        _ => {}
    }
    let client = evidence(&turns, Side::Client);
    let server = evidence(&turns, Side::Server);
    match (client.points, server.points) {
        (client, server) if client >= ENOUGH && client > server => Detection::Yes(Side::Client),
        (client, server) if server >= ENOUGH && server > client => Detection::Yes(Side::Server),
        _ if client.misses.min(server.misses) >= MISSES => Detection::No,
        _ => Detection::Maybe,
    }
}

enum Greets {
    Yes,
    Maybe,
    No,
}

fn greets(turn: &Turn<'_>) -> Greets {
    let Some((header, payload, rest)) = split(&turn.bytes) else { return Greets::Maybe };
    if header.sequence != 0 || header.payload_bytes > LONGEST_GREETING {
        return Greets::No;
    }
    let cut = payload.len() as u64 != u64::from(header.payload_bytes);
    match payload.first() {
        None => Greets::Maybe,
        Some(10) if cut && turn.missing == 0 => Greets::Maybe,
        Some(10) if rest.is_empty() && greeting(payload).is_some() => {
            // What is missing of it is all that this side sent.
            let known = payload.len() as u64;
            let whole = known.saturating_add(turn.missing) == u64::from(header.payload_bytes);
            if whole { Greets::Yes } else { Greets::No }
        }
        _ => Greets::No,
    }
}

#[derive(Default)]
struct Evidence {
    points: u32,
    misses: u32,
}

/// What the turns say if the traced process is on this side.
fn evidence(turns: &[Turn<'_>], side: Side) -> Evidence {
    let mut evidence = Evidence::default();
    let mut index = 0;
    while let Some(turn) = turns.get(index) {
        index += 1;
        if turn.sent != (side == Side::Client) {
            continue;
        }
        let answer = turns.get(index);
        let (asked, missing, answered) = match (inflated(turn), answer) {
            (Some(asked), answer) => (Cow::Owned(asked), 0, answer.and_then(inflated).map(Cow::Owned)),
            (None, answer) => {
                let answered = answer.map(|answer| Cow::Borrowed(&*answer.bytes));
                (Cow::Borrowed(&*turn.bytes), turn.missing, answered)
            }
        };
        match command(&asked, missing) {
            Asked::Nothing => evidence.misses += 1,
            Asked::Short | Asked::Unanswered => {}
            Asked::Command { command, weight } => {
                let says_enough = weight >= ENOUGH && matches!(command, Command::Query | Command::Prepare);
                match answered {
                    // Nothing else has this length, these numbers and this text. It may be the query that hangs.
                    None if says_enough => evidence.points += weight,
                    None => {}
                    Some(answered) => match fits(command, &answered) {
                        Some(true) => evidence.points += weight,
                        Some(false) => evidence.misses += 1,
                        None => {}
                    },
                }
            }
        }
    }
    evidence
}

/// The packets inside compressed ones, if these are such.
fn inflated(turn: &Turn<'_>) -> Option<Vec<u8>> {
    compressed::unpack_all(&turn.bytes)
}

enum Asked {
    /// No command.
    Nothing,
    /// Too short to tell.
    Short,
    /// Commands that have no answer.
    Unanswered,
    /// The first one that has.
    Command { command: Command, weight: u32 },
}

/// The commands of a turn of the client: all of them must fit, to the last byte.
fn command(bytes: &[u8], missing: u64) -> Asked {
    let mut rest = bytes;
    let mut found = Asked::Unanswered;
    if rest.len() <= Packet::HEADER_BYTES {
        return Asked::Short;
    }
    while !rest.is_empty() {
        let Some((header, payload, behind)) = split(rest) else { return Asked::Short };
        let Some(byte) = payload.first() else {
            return if header.payload_bytes == 0 { Asked::Nothing } else { Asked::Short };
        };
        let Some(command) = Command::of(*byte).filter(|command| command.fits(header.payload_bytes)) else {
            return Asked::Nothing;
        };
        let cut = u64::from(header.payload_bytes) - payload.len() as u64;
        if header.sequence != 0 || cut > 0 && missing > 0 && cut > missing && !header.is_continued() {
            return Asked::Nothing;
        }
        if cut > 0 && missing == 0 {
            return Asked::Short;
        }
        let weight = match command {
            Command::Query if query_text(payload).is_some_and(starts_like_sql) => ENOUGH,
            Command::Prepare if starts_like_sql(&payload[1..]) => ENOUGH,
            // One iteration, no unknown flag.
            Command::Execute if matches!(payload, [_, _, _, _, _, 0..=15, 1, 0, 0, 0, ..]) => ENOUGH,
            Command::Execute => return Asked::Nothing,
            _ => 1,
        };
        let answered = !matches!(command, Command::Close | Command::SendLongData | Command::Quit);
        if answered && matches!(found, Asked::Unanswered) {
            found = Asked::Command { command, weight };
        }
        rest = behind;
    }
    found
}

/// Whether the server's bytes begin with an answer to this command. `None`: too short to tell, or no sure sign.
fn fits(command: Command, bytes: &[u8]) -> Option<bool> {
    let (header, payload, rest) = split(bytes)?;
    if header.sequence != 1 {
        return Some(false);
    }
    let whole = u64::from(header.payload_bytes) == payload.len() as u64;
    if !whole {
        return (payload.len() > 64).then_some(false);
    }
    match payload {
        [0xff, _, _, b'#', state @ ..] => {
            let state = state.first_chunk::<5>()?;
            return Some(state.iter().all(u8::is_ascii_alphanumeric));
        }
        [] => return Some(false),
        _ => {}
    }
    if command == Command::Prepare {
        let okay = answer::prepare_ok(payload).is_some() && (12..=13).contains(&payload.len());
        return if okay { definition_follows(rest, 2) } else { Some(false) };
    }
    match payload.first()? {
        0 if payload.len() >= 7 => Some(is_okay(payload)),
        0xfe if payload.len() == 5 => Some(answer::eof(payload).is_some_and(|status| status.is_plausible())),
        b'U' if command == Command::Statistics => Some(payload.starts_with(b"Uptime: ")),
        _ if matches!(command, Command::Query | Command::Execute | Command::ProcessInfo) => {
            match answer::column_count(payload) {
                Some(_) if rest.is_empty() => None,
                Some(count) if count.definitions_follow => definition_follows(rest, 2),
                // MariaDB's client knows them from an earlier execution: binary rows, or EOF, follow.
                Some(_) if command == Command::Execute => {
                    let (header, payload, _) = split(rest)?;
                    Some(header.sequence == 2 && matches!(payload.first(), Some(0 | 0xfe)))
                }
                _ => Some(false),
            }
        }
        _ => Some(false),
    }
}

/// OK to its last byte, with nothing but changes of the session behind.
fn is_okay(payload: &[u8]) -> bool {
    let mut rest = Bytes(payload.get(1..).unwrap_or_default());
    let read = rest.lenenc().and(rest.lenenc()).and(rest.u16()).is_some() && rest.u16().is_some();
    let plausible = answer::okay(payload).is_some_and(|okay| okay.status.is_plausible());
    read && plausible && (rest.0.is_empty() || rest.lenenc_bytes().is_some())
}

/// A column definition with this number, or nothing more.
fn definition_follows(rest: &[u8], sequence: u8) -> Option<bool> {
    if rest.is_empty() {
        return Some(true);
    }
    let (header, payload, _) = split(rest)?;
    if payload.len() < 4 {
        return None;
    }
    Some(header.sequence == sequence && answer::is_column_definition(payload))
}

fn starts_like_sql(text: &[u8]) -> bool {
    const WORDS: [&str; 40] = [
        "select",
        "insert",
        "update",
        "delete",
        "replace",
        "with",
        "begin",
        "commit",
        "rollback",
        "set",
        "show",
        "start",
        "create",
        "alter",
        "drop",
        "call",
        "values",
        "table",
        "prepare",
        "execute",
        "deallocate",
        "explain",
        "describe",
        "desc",
        "use",
        "truncate",
        "savepoint",
        "release",
        "lock",
        "unlock",
        "kill",
        "load",
        "analyze",
        "optimize",
        "check",
        "flush",
        "grant",
        "revoke",
        "do",
        "handler",
    ];
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"(").unwrap_or(text).trim_ascii_start();
    let word = &text[..text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len())];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        || text.starts_with(b"/*")
        || text.starts_with(b"-- ")
        || text.starts_with(b"#")
}
