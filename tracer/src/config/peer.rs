//! The other end that a person asks for with `--peer`.

use super::UsageError;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where a connection's other end must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The host, or a Unix socket.
    pub host: PeerHost,
    /// The port; `None`: any. Always `None` for a Unix socket.
    pub port: Option<u16>,
}

/// The host part of a [`Peer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerHost {
    /// An address; IPv4-mapped IPv6 is kept as IPv4.
    Ip(IpAddr),
    /// A name, to be resolved when the capture starts.
    Name(String),
    /// Path of a Unix-domain socket.
    Unix(PathBuf),
}

impl Peer {
    /// `HOST`, `HOST:PORT`, `[IPv6]:PORT`, `IPv6`, or `/path`.
    ///
    /// # Errors
    /// [`UsageError::Peer`].
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        if text.starts_with('/') {
            return Ok(Self { host: PeerHost::Unix(PathBuf::from(text)), port: None });
        }
        // An IPv6 address without brackets is full of colons, none of which is before a port.
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self { host: PeerHost::Ip(ip.to_canonical()), port: None });
        }
        if let Some((inside, behind)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let ip = inside.parse::<IpAddr>().map_err(|_| UsageError::Peer)?;
            let port = match behind.strip_prefix(':') {
                Some(port) => Some(parse_port(port)?),
                None if behind.is_empty() => None,
                None => return Err(UsageError::Peer),
            };
            return Ok(Self { host: PeerHost::Ip(ip.to_canonical()), port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(parse_port(port)?)),
            None => (text, None),
        };
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Self { host: PeerHost::Ip(ip.to_canonical()), port });
        }
        let in_names = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if host.is_empty() || host.len() > 253 || !host.bytes().all(in_names) {
            return Err(UsageError::Peer);
        }
        Ok(Self { host: PeerHost::Name(host.to_owned()), port })
    }
}

fn parse_port(text: &str) -> Result<u16, UsageError> {
    // `+5432` parses as a number but is nothing that people mean.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or(UsageError::Peer)
}
