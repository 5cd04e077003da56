//! The `--peer` filter with its names resolved, ready to compare with addresses.

use crate::config::{Peer, PeerHost};
use crate::event::Address;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;

/// A peer that was asked for does not exist. Says what to do.
#[derive(Debug, thiserror::Error)]
#[error("cannot find the address of host {name}: {source}; check the name, or give --peer an IP address")]
pub struct PeerError {
    /// The name; only letters, digits, `-`, `.` and `_`.
    name: String,
    /// The resolver's reason.
    source: io::Error,
}

/// Which peers are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerFilter {
    /// An address, and a port if one was given.
    inet: Vec<(IpAddr, Option<u16>)>,
    unix: Vec<PathBuf>,
}

impl PeerFilter {
    /// Resolves names as this host does now; all addresses of a name are wanted. This may wait for a name server, so it
    /// belongs before the capture.
    ///
    /// # Errors
    /// [`PeerError`].
    pub fn resolve(peers: &[Peer]) -> Result<Self, PeerError> {
        let mut filter = Self::default();
        for peer in peers {
            match &peer.host {
                PeerHost::Ip(ip) => filter.inet.push((*ip, peer.port)),
                PeerHost::Unix(path) => filter.unix.push(path.clone()),
                PeerHost::Name(name) => {
                    let found = (name.as_str(), 0).to_socket_addrs();
                    let found = found.map_err(|source| PeerError { name: name.clone(), source })?;
                    filter.inet.extend(found.map(|address| (address.ip().to_canonical(), peer.port)));
                }
            }
        }
        Ok(filter)
    }

    /// Is a connection with this other end wanted? Without any `--peer`, all are.
    pub fn admits(&self, peer: &Address) -> bool {
        if self.inet.is_empty() && self.unix.is_empty() {
            return true;
        }
        match peer {
            Address::Inet(address) => {
                let ip = address.ip().to_canonical();
                let wanted = |(host, port): &(IpAddr, Option<u16>)| {
                    *host == ip && port.is_none_or(|port| port == address.port())
                };
                self.inet.iter().any(wanted)
            }
            Address::Unix(path) => {
                self.unix.iter().any(|wanted| wanted.as_os_str().as_encoded_bytes() == path)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let check = |peers: &[&str], other_end: &str, expected: bool| {
            let peers: Vec<Peer> = peers.iter().map(|text| Peer::parse(text).unwrap()).collect();
            let address = match other_end.parse() {
                Ok(address) => Address::Inet(address),
                Err(_) => Address::Unix(other_end.as_bytes().to_vec()),
            };
            let filter = PeerFilter::resolve(&peers).unwrap();
            assert_eq!(filter.admits(&address), expected, "{peers:?} {other_end}");
        };
        check(&[], "10.0.0.7:5432", true);
        check(&[], "/run/s", true);
        check(&["10.0.0.7"], "10.0.0.7:5432", true);
        check(&["10.0.0.7:5432"], "10.0.0.7:5432", true);
        check(&["10.0.0.7:5433"], "10.0.0.7:5432", false);
        check(&["10.0.0.7"], "10.0.0.8:5432", false);
        check(&["10.0.0.7"], "[::ffff:10.0.0.7]:5432", true);
        check(&["10.0.0.7"], "/run/s", false);
        check(&["10.0.0.7", "/run/s"], "/run/s", true);
        check(&["/run/s"], "10.0.0.7:1", false);
        check(&["localhost:5432"], "127.0.0.1:5432", true);
        check(&["localhost:5432"], "127.0.0.1:5433", false);
    }

    #[test]
    fn a_name_that_is_none() {
        // RFC 6761: names below `invalid` never exist.
        let error = PeerFilter::resolve(&[Peer::parse("db.invalid").unwrap()]).unwrap_err().to_string();
        assert!(error.starts_with("cannot find the address of host db.invalid: "), "{error}");
    }
}
