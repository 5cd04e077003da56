//! A command line of the text protocol.

/// Longest key, in bytes (`KEY_MAX_LENGTH`). A longer one makes the line wrong.
pub(super) const LONGEST_KEY: usize = 250;
/// Longest data block that a server reads or says, in bytes.
pub(super) const LONGEST_DATA: u64 = (1 << 31) - 3;

/// What answers a command can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Values, then END.
    Get,
    /// One of STORED, NOT_STORED, EXISTS, NOT_FOUND.
    Store,
    /// DELETED or NOT_FOUND.
    Delete,
    /// TOUCHED or NOT_FOUND.
    Touch,
    /// A number or NOT_FOUND.
    Count,
    /// Lines, then END; or one line.
    Stats,
    /// VERSION and a text.
    Version,
    /// One line.
    Single,
    /// OK, then a stream of lines.
    Watch,
    /// The two-letter answer of `mg`, or a value.
    MetaGet,
    /// The two-letter answer of another meta command; a value at most.
    Meta,
    /// MN.
    MetaNoop,
    /// ME or EN.
    MetaDebug,
    /// No answer: the connection ends.
    Quit,
    /// Not a command, or one that is wrong: an error.
    Wrong,
    /// A binary command: paired by its header.
    Binary,
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    /// Its name; empty where it is none.
    pub name: &'static str,
    pub kind: Kind,
    /// Its keys with spaces between them; empty where it has none.
    pub keys: &'a [u8],
    /// The key is in base64.
    pub encoded: bool,
    /// Length of the data block behind the line.
    pub data: Option<u64>,
    /// It asked for silence.
    pub silent: bool,
    /// What the answer to a meta command says again: the flag `O`, or with the flag `k` the key.
    pub echo: Option<&'a [u8]>,
}

/// Every command of text form; meta commands stand apart.
const COMMANDS: [(&str, Kind); 27] = [
    ("get", Kind::Get),
    ("set", Kind::Store),
    ("gets", Kind::Get),
    ("delete", Kind::Delete),
    ("incr", Kind::Count),
    ("decr", Kind::Count),
    ("add", Kind::Store),
    ("cas", Kind::Store),
    ("replace", Kind::Store),
    ("append", Kind::Store),
    ("prepend", Kind::Store),
    ("touch", Kind::Touch),
    ("gat", Kind::Get),
    ("gats", Kind::Get),
    ("bget", Kind::Get),
    ("stats", Kind::Stats),
    ("version", Kind::Version),
    ("verbosity", Kind::Single),
    ("flush_all", Kind::Single),
    ("cache_memlimit", Kind::Single),
    ("slabs", Kind::Single),
    ("lru", Kind::Single),
    ("lru_crawler", Kind::Stats),
    ("extstore", Kind::Single),
    ("watch", Kind::Watch),
    ("quit", Kind::Quit),
    ("shutdown", Kind::Single),
];

const META: [(&str, Kind); 6] = [
    ("mg", Kind::MetaGet),
    ("ms", Kind::Meta),
    ("md", Kind::Meta),
    ("ma", Kind::Meta),
    ("mn", Kind::MetaNoop),
    ("me", Kind::MetaDebug),
];

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}

/// A decimal number without sign.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 20 {
        return None;
    }
    word.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// A number as the server takes one for a time to live.
fn signed(word: &[u8]) -> bool {
    number(word.strip_prefix(b"-").unwrap_or(word)).is_some()
}

fn is_key(word: &[u8]) -> bool {
    (1..=LONGEST_KEY).contains(&word.len())
}

/// Reads a line. What is no command, or a wrong one, is [`Kind::Wrong`]: the server answers it with an error.
pub(super) fn parse(line: &[u8]) -> Command<'_> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let rest = rest.trim_ascii();
    let wrong = Command {
        name: "",
        kind: Kind::Wrong,
        keys: &[],
        encoded: false,
        data: None,
        silent: false,
        echo: None,
    };
    if let Some((name, kind)) = META.iter().find(|(name, _)| name.as_bytes() == word) {
        return meta(name, *kind, rest).unwrap_or(Command { name, ..wrong });
    }
    let Some((name, kind)) = COMMANDS.iter().find(|(name, _)| name.as_bytes() == word) else { return wrong };
    // A server of 1.6 keeps silent about a wrong line too.
    let silent = !matches!(kind, Kind::Get) && words(rest).last() == Some(b"noreply");
    let mut command = Command { name, kind: *kind, silent, ..wrong };
    let read = match kind {
        Kind::Get => get(&mut command, rest),
        Kind::Store => store(&mut command, rest),
        Kind::Delete | Kind::Touch | Kind::Count => one_key(&mut command, rest),
        _ => {
            // What the command is about; never a number.
            let topic = words(rest).next().filter(|word| word.iter().all(u8::is_ascii_alphabetic));
            if matches!(*name, "stats" | "slabs" | "lru" | "lru_crawler") {
                command.keys = topic.unwrap_or_default();
            }
            Some(())
        }
    };
    // The name stays: it tells which command was wrong.
    if read.is_some() { command } else { Command { name, silent, ..wrong } }
}

fn get<'a>(command: &mut Command<'a>, mut rest: &'a [u8]) -> Option<()> {
    if command.name.starts_with("gat") {
        let end = rest.iter().position(|byte| *byte == b' ')?;
        signed(&rest[..end]).then_some(())?;
        rest = rest[end..].trim_ascii_start();
    }
    command.keys = rest;
    words(rest).next().is_some_and(is_key).then_some(())
}

/// `KEY FLAGS EXPTIME BYTES [CAS] [noreply]`.
fn store<'a>(command: &mut Command<'a>, rest: &'a [u8]) -> Option<()> {
    let mut words = words(rest);
    command.keys = words.next().filter(|key| is_key(key))?;
    number(words.next()?)?;
    signed(words.next()?).then_some(())?;
    command.data = number(words.next()?).filter(|bytes| *bytes <= LONGEST_DATA);
    command.data?;
    if command.name == "cas" {
        number(words.next()?)?;
    }
    Some(())
}

/// `KEY [VALUE] [noreply]`.
fn one_key<'a>(command: &mut Command<'a>, rest: &'a [u8]) -> Option<()> {
    let mut words = words(rest);
    command.keys = words.next().filter(|key| is_key(key))?;
    if command.kind != Kind::Delete {
        words.next()?;
    }
    Some(())
}

/// `KEY [BYTES] FLAG...`: a flag is a letter, and what follows it in the word is its token.
fn meta<'a>(name: &'static str, kind: Kind, rest: &'a [u8]) -> Option<Command<'a>> {
    let mut words = words(rest);
    let mut command =
        Command { name, kind, keys: &[], encoded: false, data: None, silent: false, echo: None };
    if kind == Kind::MetaNoop {
        return Some(command);
    }
    command.keys = words.next().filter(|key| is_key(key))?;
    if name == "ms" {
        command.data = number(words.next()?).filter(|bytes| *bytes <= LONGEST_DATA);
        command.data?;
    }
    let (mut seen, mut twice) = (0u128, false);
    for flag in words {
        let bit = 1u128.checked_shl(flag.first().copied().map_or(0, u32::from)).unwrap_or(0);
        twice |= seen & bit > 0;
        seen |= bit;
        match flag {
            [b'q', ..] => command.silent = true,
            [b'b', ..] => command.encoded = true,
            [b'O', opaque @ ..] => command.echo = Some(opaque),
            [b'k', ..] => command.echo = command.echo.or(Some(command.keys)),
            _ => {}
        }
    }
    // An error is said about a flag that is there twice; `me` has no silence.
    command.silent &= !twice && kind != Kind::MetaDebug;
    Some(command)
}
