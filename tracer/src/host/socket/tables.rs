//! Rows of `/proc/net/tcp`, `tcp6` (`net/ipv4/tcp_ipv4.c`, `net/ipv6/tcp_ipv6.c`) and `unix` (`net/unix/af_unix.c`).
//!
//! Takes any bytes: a row that does not read as expected is left out.

use crate::host::text::each_line;
use std::collections::HashSet;
use std::io::BufRead;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a connection does, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Connected.
    Established,
    /// A server's socket that waits for connections.
    Listening,
    /// Being opened or closed, or neither bound nor connected.
    Other,
}

impl State {
    /// A TCP state, which socket diagnostics also use for Unix sockets (`include/net/tcp_states.h`).
    pub(super) fn from_tcp(state: u8) -> Self {
        match state {
            1 => Self::Established,
            10 => Self::Listening,
            _ => Self::Other,
        }
    }
}

/// One TCP socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TcpRow {
    pub(super) inode: u64,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) state: State,
}

/// The rows of a TCP table whose inode is wanted.
pub(super) fn tcp(table: impl BufRead, wanted: &HashSet<u64>) -> Vec<TcpRow> {
    let mut rows = Vec::new();
    each_line(table, |line| {
        let row = std::str::from_utf8(line).ok().and_then(tcp_row);
        rows.extend(row.filter(|row| wanted.contains(&row.inode)));
    });
    rows
}

/// The stream sockets of a Unix table whose inode is wanted: inode, state, path (as [`crate::event::Address::Unix`] has it).
pub(super) fn unix(table: impl BufRead, wanted: &HashSet<u64>) -> Vec<(u64, State, Vec<u8>)> {
    let mut rows = Vec::new();
    each_line(table, |line| rows.extend(unix_row(line).filter(|row| wanted.contains(&row.0))));
    rows
}

/// `sl local rem st queues timer retransmits uid timeout inode ...`
pub(super) fn tcp_row(line: &str) -> Option<TcpRow> {
    let mut words = line.split_ascii_whitespace();
    let local = address(words.nth(1)?)?;
    let peer = address(words.next()?)?;
    let state = State::from_tcp(u8::from_str_radix(words.next()?, 16).ok()?);
    let inode = words.nth(5)?.parse().ok()?;
    Some(TcpRow { inode, local, peer, state })
}

/// `ADDRESS:PORT` in hexadecimal. The address is printed in words of 32 bits, each in the byte order of the host.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0u8; 16];
            for (index, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(index * 8)?);
            }
            // A v6 socket that talks v4 is a v4 connection for everyone but its owner (case 63).
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// `Num RefCount Protocol Flags Type St Inode Path`
pub(super) fn unix_row(line: &[u8]) -> Option<(u64, State, Vec<u8>)> {
    /// `__SO_ACCEPTCON`: it listens (`include/uapi/linux/net.h`).
    const LISTENS: u32 = 1 << 16;
    let mut rest = line;
    let mut word = || {
        let start = rest.iter().position(|byte| *byte != b' ')?;
        let end =
            rest.iter().skip(start).position(|byte| *byte == b' ').map_or(rest.len(), |len| start + len);
        let word = std::str::from_utf8(rest.get(start..end)?).ok()?;
        rest = rest.get(end..)?;
        Some(word)
    };
    let flags = { word().and_then(|_| word()).and_then(|_| word()).and_then(|_| word())? };
    let flags = u32::from_str_radix(flags, 16).ok()?;
    if word()? != "0001" {
        return None;
    }
    // SS_CONNECTED is 3 (`include/uapi/linux/net.h`).
    let state = match (flags & LISTENS != 0, word()? == "03") {
        (true, _) => State::Listening,
        (_, true) => State::Established,
        _ => State::Other,
    };
    let inode = word()?.parse().ok()?;
    let mut path = rest.strip_prefix(b" ").unwrap_or_default().to_vec();
    // An abstract name begins with NUL, printed as @.
    if path.first() == Some(&b'@') {
        path[0] = 0;
    }
    Some((inode, state, path))
}
