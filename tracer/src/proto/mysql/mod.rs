//! MySQL client/server protocol, version 10, as MySQL and MariaDB servers speak it, watched from either side, from the
//! first byte or joined in the middle. MariaDB servers get the same name: what is decoded is the same.
//!
//! Sources of the formats and flows: MySQL Source Code Documentation 8.4, "Client/Server Protocol"; MariaDB Knowledge
//! Base, "Client/Server Protocol".
//!
//! What counts as what:
//! - A request runs from the chunk with the first byte of its command packet to the chunk with the last byte of its
//!   answer. Each result of a multi-statement is a request of its own, with its own statement, the start of the command
//!   and the end of its own result; all results of a CALL belong to the CALL.
//! - COM_STMT_EXECUTE that opens a cursor and its COM_STMT_FETCH are one request with all its rows, until the last row
//!   was sent; the time that the client idles between two fetches is inside its latency. A cursor that is closed unread
//!   ended at its last fetch.
//! - COM_STMT_PREPARE and COM_STMT_RESET are requests only when they fail. COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA and
//!   COM_QUIT have no answer. The login is no request.
//! - Other commands (COM_PING, COM_INIT_DB, ...) are requests named by a label.
//!
//! Memory of one connection: `prepared::MOST_STATEMENTS` prepared statements, `exchange::MOST_PENDING` unanswered
//! commands and as many statements, 64 KiB of an unfinished command, `hole::TAIL_BYTES` of a tail; where it is compressed, one packet of at
//! most 16 MiB each way. Beyond, it loses its place and says so. A parameter becomes features when its command is
//! complete; a column value and a password are never kept; SQL only until it is normalised.

mod answer;
mod answers;
mod bytes;
mod command;
mod commands;
mod compressed;
mod cursor;
mod detect;
mod exchange;
mod flight;
mod greeting;
mod hole;
mod join;
mod observer;
mod opening;
mod packet;
pub mod parameters;
mod prepared;
#[cfg(test)]
mod tests;

use super::Entry;

/// The registry entry.
pub const ENTRY: Entry = Entry {
    name: "mysql",
    detect: detect::detect,
    start: |from_start| Box::new(observer::Observer::new(from_start)),
};
