//! An answer line of the text protocol.

use super::command::{Kind, LONGEST_DATA, number};
use crate::fnv::Fnv;
use crate::request::ErrorCode;

/// The answers of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Stored,
    NotStored,
    Exists,
    NotFound,
    Deleted,
    Touched,
    Ok,
    Reset,
}

const WORDS: [(&[u8], Word); 8] = [
    (b"STORED", Word::Stored),
    (b"NOT_STORED", Word::NotStored),
    (b"EXISTS", Word::Exists),
    (b"NOT_FOUND", Word::NotFound),
    (b"DELETED", Word::Deleted),
    (b"TOUCHED", Word::Touched),
    (b"OK", Word::Ok),
    (b"RESET", Word::Reset),
];

/// The return code of a meta command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// HD: done, or found.
    Done,
    /// VA: found, with the value.
    Value,
    /// EN: a miss.
    Miss,
    /// NF, NS, EX.
    Refused,
}

/// What a line of the server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// `VALUE key flags bytes [cas]`: one of several, with a data block.
    Value,
    /// The answer to a meta command; `opaque` is [`opaque`] of its flag `O`, or else of `k`.
    Meta { code: Code, opaque: u64 },
    /// `ME key facts`.
    MetaDebug,
    /// MN.
    MetaNoop,
    /// One of several lines before END.
    Item,
    /// END.
    End,
    /// ERROR, CLIENT_ERROR or SERVER_ERROR.
    Error(ErrorCode),
    /// One word alone.
    Word(Word),
    /// `VERSION text`.
    Version,
    /// A number.
    Number,
    /// Something else in capitals, as `BUSY` and `BADCLASS`.
    Other,
}

/// The number that stands for what a command and its answer both say; 0 for none.
pub(super) fn opaque(token: Option<&[u8]>) -> u64 {
    let Some(token) = token else { return 0 };
    Fnv::of(token) | 1
}

/// Bits that stand for keys with spaces between them. A set of keys has the bits of each of its parts.
pub(super) fn keys(keys: &[u8]) -> u64 {
    keys.split(|byte| *byte == b' ').filter(|key| !key.is_empty()).fold(0, |bits, key| {
        let hash = opaque(Some(key)) >> 1;
        [0, 6, 12].into_iter().fold(bits, |bits, shift| bits | 1 << (hash >> shift & 63))
    })
}

/// Reads a line: what it says, and the length of the data block behind it. `None`: no server says this.
pub(super) fn parse(line: &[u8]) -> Option<(Answer, Option<u64>)> {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let alone = rest.is_empty();
    let rest = rest.trim_ascii_start();
    let answer = match word {
        b"VALUE" => return Some((Answer::Value, Some(value(rest)?))),
        b"VA" => {
            let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
            let (data, flags) = rest.split_at(end);
            return Some((meta(Code::Value, flags), Some(data_bytes(data)?)));
        }
        b"END" if alone => Answer::End,
        b"HD" => meta(Code::Done, rest),
        b"EN" => meta(Code::Miss, rest),
        b"NF" | b"NS" | b"EX" => meta(Code::Refused, rest),
        b"MN" if alone => Answer::MetaNoop,
        b"ME" => Answer::MetaDebug,
        b"STAT" | b"ITEM" | b"PREFIX" => Answer::Item,
        // With a colon: `ERROR: shutdown not enabled`.
        b"ERROR" | b"ERROR:" => Answer::Error(ErrorCode::new(b"ERROR")),
        b"CLIENT_ERROR" | b"SERVER_ERROR" => Answer::Error(ErrorCode::new(word)),
        b"VERSION" => Answer::Version,
        b"BUSY" | b"BADCLASS" | b"NOSPARE" | b"NOTFULL" | b"UNSAFE" | b"SAME" => Answer::Other,
        // The dump of lru_crawler.
        _ if word.starts_with(b"key=") => Answer::Item,
        // decr may leave spaces behind the number.
        _ if rest.is_empty() && number(word).is_some() => Answer::Number,
        _ if alone => Answer::Word(WORDS.iter().find(|(name, _)| *name == word)?.1),
        _ => return None,
    };
    Some((answer, None))
}

fn meta(code: Code, flags: &[u8]) -> Answer {
    let token = |flag: &[u8]| flags.split(|byte| *byte == b' ').find_map(|word| word.strip_prefix(flag));
    let token = token(b"O").or_else(|| token(b"k"));
    Answer::Meta { code, opaque: opaque(token) }
}

/// `key flags bytes [cas]`.
fn value(rest: &[u8]) -> Option<u64> {
    let mut words = rest.split(|byte| *byte == b' ');
    let (_key, flags, bytes) = (words.next()?, words.next()?, words.next()?);
    number(flags)?;
    words.all(|cas| number(cas).is_some()).then_some(())?;
    data_bytes(bytes)
}

/// Length of a data block, as a server can have one.
fn data_bytes(word: &[u8]) -> Option<u64> {
    number(word).filter(|bytes| *bytes <= LONGEST_DATA)
}

impl Answer {
    /// More lines of the same answer follow.
    pub fn is_part(&self) -> bool {
        matches!(self, Answer::Value | Answer::Item)
    }

    /// The last line of an answer to this kind of command: how many rows it tells of. `None`: it is none.
    pub fn ends(&self, kind: Kind) -> Option<u64> {
        Some(match (kind, self) {
            (_, Answer::Error(_)) | (Kind::Get | Kind::Stats, Answer::End) => 0,
            (Kind::Store, Answer::Word(Word::Stored))
            | (Kind::Delete, Answer::Word(Word::Deleted))
            | (Kind::Touch, Answer::Word(Word::Touched))
            | (Kind::Count, Answer::Number) => 1,
            (Kind::Store, Answer::Word(Word::NotStored | Word::Exists | Word::NotFound))
            | (Kind::Delete | Kind::Touch | Kind::Count, Answer::Word(Word::NotFound))
            | (
                Kind::Single | Kind::Watch | Kind::Stats | Kind::Wrong,
                Answer::Word(Word::Ok | Word::Reset),
            )
            | (Kind::Single | Kind::Stats | Kind::Wrong, Answer::Other)
            | (Kind::Version, Answer::Version)
            | (Kind::MetaNoop, Answer::MetaNoop) => 0,
            (Kind::Meta | Kind::MetaGet, Answer::Meta { code: Code::Done | Code::Value, .. })
            | (Kind::MetaDebug, Answer::MetaDebug) => 1,
            // EN is the end of `lru_crawler mgdump` too.
            (Kind::Meta | Kind::MetaGet, Answer::Meta { .. })
            | (Kind::MetaDebug | Kind::Stats, Answer::Meta { code: Code::Miss, .. }) => 0,
            _ => return None,
        })
    }

    /// What the server says to a command that asked for silence.
    pub fn breaks_silence(&self, kind: Kind) -> bool {
        match self {
            // A value that is too large, for instance. `noreply` is never broken.
            Answer::Error(_) => kind == Kind::Meta,
            Answer::Meta { code, .. } => match kind {
                Kind::MetaGet => *code != Code::Miss,
                Kind::Meta => *code == Code::Refused,
                _ => false,
            },
            _ => false,
        }
    }
}
