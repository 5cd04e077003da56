//! The packets that open a connection: they have a length but no type byte ("Start-up" in the documentation).
//!
//! Never keeps more of them than user, database and the replication flag.

use super::backend::backend_key;
use super::frontend::cstring;
use crate::request::BackendKey;

/// The server reads no longer one (`MAX_STARTUP_PACKET_LENGTH`, pqcomm.h).
pub(super) const LONGEST: usize = 10_000;
const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSSENC: u32 = 80_877_104;

/// The first packet of a connection, or the one after a refused encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// StartupMessage.
    Startup { user: Option<String>, database: Option<String>, replication: bool },
    /// SSLRequest or GSSENCRequest: the server answers with one byte.
    Encryption,
    /// CancelRequest.
    Cancel(BackendKey),
}

/// What the beginning of a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// This packet.
    Packet(Packet),
    /// More bytes are needed.
    More,
    /// A TLS record: the client starts TLS without asking (PostgreSQL 17).
    Tls,
    /// None of these.
    Unknown,
}

/// How many bytes are needed to read on, given the first bytes of a packet.
pub(super) fn wanted(bytes: &[u8]) -> usize {
    let length = bytes.first_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    if bytes.len() < 8 { 8 } else { length.clamp(8, LONGEST) }
}

/// Reads the packet at the start of `bytes`.
pub(super) fn opening(bytes: &[u8]) -> Opening {
    if bytes.first() == Some(&0x16) {
        return Opening::Tls;
    }
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return if bytes.iter().take(2).all(|byte| *byte == 0) { Opening::More } else { Opening::Unknown };
    };
    let length = u32::from_be_bytes(*length) as usize;
    if !(8..=LONGEST).contains(&length) {
        return Opening::Unknown;
    }
    let Some((code, _)) = rest.split_first_chunk::<4>() else { return Opening::More };
    let code = u32::from_be_bytes(*code);
    let known = match code {
        SSL | GSSENC => length == 8,
        CANCEL => (16..=12 + 256).contains(&length),
        // Major version 3; PostgreSQL 18 speaks 3.2, and clients may ask for more.
        _ => code >> 16 == 3,
    };
    if !known {
        return Opening::Unknown;
    }
    let Some(body) = bytes.get(8..length) else { return Opening::More };
    let packet = match code {
        SSL | GSSENC => Packet::Encryption,
        CANCEL => match backend_key(body) {
            Some(key) => Packet::Cancel(key),
            None => return Opening::Unknown,
        },
        _ => match startup(body) {
            Some(packet) => packet,
            None => return Opening::Unknown,
        },
    };
    Opening::Packet(packet)
}

/// Pairs of strings, then a NUL.
fn startup(mut body: &[u8]) -> Option<Packet> {
    let text = |value: &[u8]| Some(String::from_utf8_lossy(value).into_owned());
    let (mut user, mut database, mut replication) = (None, None, false);
    loop {
        let (name, rest) = cstring(body);
        let rest = rest?;
        if name.is_empty() {
            break;
        }
        let (value, rest) = cstring(rest);
        match name {
            b"user" => user = text(value),
            b"database" => database = text(value),
            // `database`, or a boolean as the server reads it.
            b"replication" => {
                replication = !matches!(value, b"" | b"0" | b"f" | b"false" | b"n" | b"no" | b"of" | b"off");
            }
            _ => {}
        }
        body = rest?;
    }
    let database = database.filter(|name| !name.is_empty()).or_else(|| user.clone());
    Some(Packet::Startup { user, database, replication })
}
