//! The login: the server's greeting, what the client answers, and what both agreed upon.
//!
//! Source: MySQL Source Code Documentation, "Connection Phase Packets" and "Capabilities Flags"; MariaDB Knowledge Base,
//! "Connection". Never reads an authentication response but for its length.

use super::answer::Status;
use super::bytes::Bytes;

/// Capabilities of a side, or those that both have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities(pub u32);

impl Capabilities {
    pub(super) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(super) const COMPRESS: u32 = 1 << 5;
    pub(super) const PROTOCOL_41: u32 = 1 << 9;
    pub(super) const SSL: u32 = 1 << 11;
    pub(super) const SECURE_CONNECTION: u32 = 1 << 15;
    pub(super) const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
    pub(super) const DEPRECATE_EOF: u32 = 1 << 24;
    pub(super) const ZSTD_COMPRESSION: u32 = 1 << 26;
    pub(super) const QUERY_ATTRIBUTES: u32 = 1 << 27;

    pub(super) fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
    pub(super) fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    pub(super) fn compresses(self) -> bool {
        self.has(Self::COMPRESS) || self.has(Self::ZSTD_COMPRESSION)
    }
}

/// Initial Handshake Packet, protocol version 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    pub connection: u32,
    pub capabilities: Capabilities,
    pub status: Status,
}

/// A version is shorter than this, in bytes.
const LONGEST_VERSION: usize = 100;

/// `None`: it is none. Every field that has a fixed form is checked: this is what tells the protocol from others.
pub(super) fn greeting(payload: &[u8]) -> Option<Greeting> {
    let mut rest = Bytes(payload);
    rest.u8().filter(|version| *version == 10)?;
    let version = rest.nul()?;
    let plausible = version.first().is_some_and(u8::is_ascii_digit)
        && version.contains(&b'.')
        && version.len() < LONGEST_VERSION
        && version.iter().all(|byte| (b' '..=b'~').contains(byte));
    if !plausible {
        return None;
    }
    let connection = rest.u32()?;
    // The first part of the scramble, and a filler of zero.
    rest.take(8)?;
    rest.u8().filter(|filler| *filler == 0)?;
    let low = u32::from(rest.u16()?);
    let mut greeting = Greeting { connection, capabilities: Capabilities(low), status: Status::default() };
    if !greeting.capabilities.has(Capabilities::PROTOCOL_41) {
        return None;
    }
    if let Some(_character_set) = rest.u8() {
        greeting.status = Status(rest.u16()?);
        let high = u32::from(rest.u16()?);
        greeting.capabilities = Capabilities(low | high << 16);
    }
    greeting.status.is_plausible().then_some(greeting)
}

/// What the client answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login<'a> {
    /// SSLRequest: TLS begins with the next byte.
    Tls,
    /// HandshakeResponse41.
    Response { capabilities: Capabilities, user: &'a [u8], database: Option<&'a [u8]> },
    /// The packet of a client before 4.1, or none.
    Unknown,
}

/// Reads the client's first packet.
pub(super) fn login(payload: &[u8]) -> Login<'_> {
    response(payload).unwrap_or(Login::Unknown)
}

fn response(payload: &[u8]) -> Option<Login<'_>> {
    let mut rest = Bytes(payload);
    let capabilities = Capabilities(rest.u32()?);
    if !capabilities.has(Capabilities::PROTOCOL_41) {
        return None;
    }
    // Longest packet, character set, filler.
    rest.take(4 + 1 + 23)?;
    if rest.0.is_empty() {
        return capabilities.has(Capabilities::SSL).then_some(Login::Tls);
    }
    let user = rest.nul()?;
    if capabilities.has(Capabilities::PLUGIN_AUTH_LENENC) {
        rest.lenenc_bytes()?;
    } else if capabilities.has(Capabilities::SECURE_CONNECTION) {
        let len = rest.u8()?;
        rest.take(usize::from(len))?;
    } else {
        rest.nul()?;
    }
    let database = capabilities
        .has(Capabilities::CONNECT_WITH_DB)
        .then(|| rest.nul_or_end())
        .filter(|name| !name.is_empty());
    Some(Login::Response { capabilities, user, database })
}

/// User and database of COM_CHANGE_USER, behind the command byte.
pub(super) fn change_user(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = Bytes(payload);
    rest.u8()?;
    let user = rest.nul()?;
    let len = rest.u8()?;
    rest.take(usize::from(len))?;
    Some((user, rest.nul_or_end()))
}
