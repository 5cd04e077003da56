//! The server's packets: OK, ERR, EOF, column count, the answer to COM_STMT_PREPARE.
//!
//! Sources: MySQL Source Code Documentation, "Generic Response Packets", "COM_QUERY Response", "COM_STMT_PREPARE
//! Response"; MariaDB Knowledge Base, "Result Set Packets", "ERR_Packet".

use super::bytes::Bytes;
use super::packet::LONGEST_PAYLOAD;
use crate::request::{ErrorCode, TransactionStatus};

/// Status flags of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Status(pub u16);

impl Status {
    const IN_TRANSACTION: u16 = 0x0001;
    const MORE_RESULTS: u16 = 0x0008;
    const CURSOR_EXISTS: u16 = 0x0040;
    const LAST_ROW_SENT: u16 = 0x0080;
    const NO_BACKSLASH_ESCAPES: u16 = 0x0200;
    /// No server sets these: 0x0004 was dropped with MySQL 4.1.
    const UNUSED: u16 = 0x0004;

    fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
    pub(super) fn more_results(self) -> bool {
        self.has(Self::MORE_RESULTS)
    }
    pub(super) fn cursor_exists(self) -> bool {
        self.has(Self::CURSOR_EXISTS)
    }
    pub(super) fn last_row_sent(self) -> bool {
        self.has(Self::LAST_ROW_SENT)
    }
    pub(super) fn no_backslash_escapes(self) -> bool {
        self.has(Self::NO_BACKSLASH_ESCAPES)
    }
    pub(super) fn transaction(self) -> TransactionStatus {
        if self.has(Self::IN_TRANSACTION) {
            TransactionStatus::InTransaction
        } else {
            TransactionStatus::Idle
        }
    }
    /// A server may have sent it.
    pub(super) fn is_plausible(self) -> bool {
        !self.has(Self::UNUSED)
    }
}

/// An OK packet, or an EOF packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Okay {
    pub affected_rows: u64,
    pub status: Status,
}

/// An OK packet of the 4.1 protocol behind its first byte, which is 0x00 or 0xfe.
pub(super) fn okay(payload: &[u8]) -> Option<Okay> {
    let mut rest = Bytes(payload.get(1..)?);
    let affected_rows = rest.lenenc()?;
    rest.lenenc()?;
    let status = Status(rest.u16()?);
    rest.u16()?;
    Some(Okay { affected_rows, status })
}

/// An EOF packet has exactly 5 bytes.
pub(super) fn eof(payload: &[u8]) -> Option<Status> {
    match *payload {
        [0xfe, _, _, a, b] => Some(Status(u16::from_le_bytes([a, b]))),
        _ => None,
    }
}

/// The end of rows or column definitions: EOF, or OK that begins with 0xfe. A row that begins with 0xfe is longer than a
/// packet.
pub(super) fn end(payload: &[u8], payload_bytes: u32) -> Option<Okay> {
    if payload.first() != Some(&0xfe) || payload_bytes >= LONGEST_PAYLOAD {
        return None;
    }
    match payload_bytes {
        5 => eof(payload).map(|status| Okay { affected_rows: 0, status }),
        _ => okay(payload),
    }
}

/// An ERR packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub number: u16,
    pub code: ErrorCode,
}

/// MariaDB's progress report: an ERR packet with this number, and the answer goes on.
pub(super) const PROGRESS: u16 = 0xffff;
/// ER_QUERY_INTERRUPTED, by KILL QUERY.
pub(super) const QUERY_INTERRUPTED: u16 = 1317;
/// ER_CONNECTION_KILLED (MariaDB) and ER_SERVER_SHUTDOWN, which a connection gets that is killed.
pub(super) const CONNECTION_KILLED: [u16; 2] = [1927, 1053];

/// An ERR packet; before the capabilities are agreed upon it has no SQLSTATE.
pub(super) fn failure(payload: &[u8]) -> Option<Failure> {
    let mut rest = Bytes(payload);
    if rest.u8()? != 0xff {
        return None;
    }
    let number = rest.u16()?;
    // Five digits, a slash, five characters.
    let mut text = [0; 11];
    let mut left = number;
    let digits = match number {
        10_000.. => 5,
        1_000.. => 4,
        100.. => 3,
        10.. => 2,
        _ => 1,
    };
    for place in text.iter_mut().take(digits).rev() {
        *place = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
    let mut len = digits;
    if let [b'#', state @ ..] = rest.0
        && let Some(state) = state.first_chunk::<5>()
    {
        text[len] = b'/';
        text[len + 1..len + 6].copy_from_slice(state);
        len += 6;
    }
    Some(Failure { number, code: ErrorCode::new(text.get(..len).unwrap_or_default()) })
}

/// The first packet of a result set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ColumnCount {
    pub columns: u64,
    pub definitions_follow: bool,
}

/// More columns than MySQL (4,096) and MariaDB (4,096 in a table; more in a query) ever send.
const MOST_COLUMNS: u64 = 0xffff;

/// A column count. Where the session agreed to leave definitions out, MySQL puts a flag before it and MariaDB one behind;
/// which of them it is follows from the values: MySQL's flag without definitions would be a count of 0.
pub(super) fn column_count(payload: &[u8]) -> Option<ColumnCount> {
    if let [flag @ (0 | 1), rest @ ..] = payload
        && !rest.is_empty()
        && !(rest == [0] && *flag == 1)
    {
        let mut rest = Bytes(rest);
        let columns = rest.lenenc()?;
        let known = rest.0.is_empty() && (1..=MOST_COLUMNS).contains(&columns);
        return known.then_some(ColumnCount { columns, definitions_follow: *flag == 1 });
    }
    let mut rest = Bytes(payload);
    let columns = rest.lenenc()?;
    let definitions_follow = match rest.0 {
        [] | [1] => true,
        [0] => false,
        _ => return None,
    };
    (1..=MOST_COLUMNS).contains(&columns).then_some(ColumnCount { columns, definitions_follow })
}

/// A column definition of the 4.1 protocol: its catalog is always "def".
pub(super) fn is_column_definition(payload: &[u8]) -> bool {
    payload.starts_with(b"\x03def")
}

/// The first packet of the answer to COM_STMT_PREPARE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PrepareOk {
    pub statement: u32,
    pub columns: u16,
    pub parameters: u16,
    pub definitions_follow: bool,
}

pub(super) fn prepare_ok(payload: &[u8]) -> Option<PrepareOk> {
    let mut rest = Bytes(payload);
    if rest.u8()? != 0 {
        return None;
    }
    let statement = rest.u32()?;
    let (columns, parameters) = (rest.u16()?, rest.u16()?);
    rest.u8().filter(|filler| *filler == 0)?;
    // Warnings, and MySQL's flag where definitions may be left out.
    let definitions_follow = rest.0.get(2) != Some(&0);
    Some(PrepareOk { statement, columns, parameters, definitions_follow })
}
