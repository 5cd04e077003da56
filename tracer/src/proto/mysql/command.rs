//! The client's commands: what each is, and where its statement text lies.
//!
//! Source: MySQL Source Code Documentation, "Command Phase"; MariaDB Knowledge Base, "2 - Text Protocol" and "3 - Binary
//! Protocol (Prepared Statements)".

use super::bytes::Bytes;
use super::parameters;

/// The command byte of a packet, as far as it has an answer of its own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Quit,
    InitDb,
    Query,
    FieldList,
    Statistics,
    ProcessInfo,
    ProcessKill,
    ChangeUser,
    BinlogDump,
    Prepare,
    Execute,
    SendLongData,
    Close,
    Reset,
    Fetch,
    ResetConnection,
    BulkExecute,
    /// Answered by OK, EOF or ERR, and of no other consequence. Inside: its name.
    Plain(&'static str),
}

impl Command {
    /// `None`: no server knows it.
    pub(super) fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Quit,
            0x02 => Self::InitDb,
            0x03 => Self::Query,
            0x04 => Self::FieldList,
            0x05 => Self::Plain("(create database)"),
            0x06 => Self::Plain("(drop database)"),
            0x07 => Self::Plain("(refresh)"),
            0x08 => Self::Plain("(shutdown)"),
            0x09 => Self::Statistics,
            0x0a => Self::ProcessInfo,
            0x0c => Self::ProcessKill,
            0x0d => Self::Plain("(debug)"),
            0x0e => Self::Plain("(ping)"),
            0x11 => Self::ChangeUser,
            0x12 | 0x13 | 0x1e => Self::BinlogDump,
            0x15 => Self::Plain("(register replica)"),
            0x16 => Self::Prepare,
            0x17 => Self::Execute,
            0x18 => Self::SendLongData,
            0x19 => Self::Close,
            0x1a => Self::Reset,
            0x1b => Self::Plain("(set option)"),
            0x1c => Self::Fetch,
            0x1f => Self::ResetConnection,
            0xfa => Self::BulkExecute,
            _ => return None,
        })
    }

    /// So many bytes, command byte included, can be this command where one is due. An empty text is none to search for.
    pub(super) fn may_have(self, payload_bytes: u32) -> bool {
        let text = matches!(self, Self::Query | Self::Prepare | Self::InitDb);
        text && payload_bytes == 1 || self.fits(payload_bytes)
    }

    /// A payload of so many bytes, command byte included, looks like this command.
    pub(super) fn fits(self, payload_bytes: u32) -> bool {
        match self {
            Self::Quit | Self::Statistics | Self::ProcessInfo | Self::ResetConnection => payload_bytes == 1,
            Self::Plain("(ping)" | "(debug)") => payload_bytes == 1,
            Self::ProcessKill | Self::Close | Self::Reset => payload_bytes == 5,
            Self::Plain("(set option)") => payload_bytes == 3,
            Self::Plain("(refresh)") => payload_bytes == 2,
            Self::Plain("(shutdown)") => payload_bytes <= 2,
            Self::Fetch => payload_bytes == 9,
            Self::Execute => payload_bytes >= 10,
            Self::SendLongData | Self::BulkExecute => payload_bytes >= 7,
            Self::ChangeUser | Self::BinlogDump => payload_bytes >= 4,
            Self::Query | Self::Prepare | Self::InitDb | Self::FieldList | Self::Plain(_) => {
                payload_bytes >= 2
            }
        }
    }
}

/// The statement text of COM_QUERY behind the command byte. With query attributes, their number (and 1, the number of
/// sets) stands before it. No SQL begins so, therefore nothing needs to be known of the session. `None`: the text is
/// not in what was captured.
pub(super) fn query_text(payload: &[u8]) -> Option<&[u8]> {
    let rest = payload.get(1..)?;
    let mut ahead = Bytes(rest);
    let Some(count) = ahead.lenenc().filter(|_| ahead.u8() == Some(1)) else { return Some(rest) };
    if count > 0 {
        parameters::skip_attributes(&mut ahead, usize::try_from(count).ok()?)?;
    }
    Some(ahead.0)
}

/// The database of `USE name`.
pub(super) fn used_database(sql: &[u8]) -> Option<String> {
    let (word, rest) = sql.trim_ascii().split_at_checked(3)?;
    if !word.eq_ignore_ascii_case(b"use")
        || !rest.first()?.is_ascii_whitespace() && rest.first() != Some(&b'`')
    {
        return None;
    }
    let name = rest.trim_ascii();
    let name = name.strip_suffix(b";").unwrap_or(name).trim_ascii();
    let text = match name {
        [b'`', inner @ .., b'`'] => String::from_utf8_lossy(inner).replace("``", "`"),
        _ => String::from_utf8_lossy(name).into_owned(),
    };
    (!text.is_empty()).then_some(text)
}

/// MariaDB's `BEGIN NOT ATOMIC ... END`: a body outside of a routine, which may have results as a CALL has.
pub(super) fn is_block(sql: &[u8]) -> bool {
    let mut words = sql.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"begin"))
        && words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"not"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_names_a_database() {
        let check = |sql: &str, name: Option<&str>| {
            assert_eq!(used_database(sql.as_bytes()).as_deref(), name, "{sql}");
        };
        check("use a;", Some("a"));
        check(" USE `a``b` ", Some("a`b"));
        check("use`x`", Some("x"));
        check("user", None);
        check("use ", None);
    }

    /// Case 30.
    #[test]
    fn query_attributes_are_no_part_of_the_text() {
        let check = |payload: &[u8], text: Option<&[u8]>| assert_eq!(query_text(payload), text);
        check(b"\x03select 1", Some(b"select 1"));
        check(b"\x03\n\tselect 1", Some(b"\n\tselect 1"));
        check(b"\x03\x00\x01select 1", Some(b"select 1"));
        check(b"\x03\x01\x01\x00\x01\xfe\x00\x02id\x03abcselect 1", Some(b"select 1"));
        check(b"\x03\x01\x01\x01\x01\xfe\x00\x02idselect 1", Some(b"select 1"));
        check(b"\x03\x01\x01\x00\x01\xfe\x00\x02id", None);
    }

    #[test]
    fn a_block_is_no_begin() {
        assert!(is_block(b"begin not atomic select 1; end"));
        assert!(!is_block(b"begin"));
        assert!(!is_block(b"begin work"));
    }
}
