//! The connections of a process, grouped for reading, with a guess of the database. Pure.

use super::layout;
use crate::event::Address;
use crate::host::printable;
use crate::host::socket::{OpenSocket, State};
use crate::report::address;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Groups shown; a busy server has thousands of clients.
const SHOWN: usize = 20;

/// Ports that databases use when nobody chooses another. A hint only: anything may listen there.
const PORTS: [(u16, &str); 16] = [
    (5432, "postgresql"),
    (6432, "postgresql, PgBouncer"),
    (26257, "postgresql, CockroachDB"),
    (3306, "mysql"),
    (33060, "mysql, X protocol"),
    (6379, "redis"),
    (16379, "redis"),
    (26379, "redis, Sentinel"),
    (11211, "memcached"),
    (27017, "mongodb"),
    (27018, "mongodb"),
    (9042, "cassandra"),
    (1433, "microsoft.sql_server"),
    (1521, "oracle.db"),
    (9200, "elasticsearch"),
    (8123, "clickhouse"),
];

/// Names of socket files that databases use.
const FILES: [(&str, &str); 4] =
    [(".s.PGSQL.", "postgresql"), ("mysql", "mysql"), ("redis", "redis"), ("mongodb-", "mongodb")];

/// Connections that differ only in a port that was chosen by chance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// This end, safe for a terminal.
    pub local: String,
    /// The other end, safe for a terminal.
    pub peer: String,
    /// The process accepted these connections.
    pub accepted: bool,
    /// Which database it may be, by port or path.
    pub guess: Option<&'static str>,
    /// How many.
    pub count: usize,
}

/// Connected sockets, grouped: likely databases first, then by number.
pub fn group(sockets: &[OpenSocket]) -> Vec<Group> {
    let listening: BTreeSet<&Address> = listening(sockets).collect();
    let ports: BTreeSet<u16> = listening.iter().filter_map(|local| port(local)).collect();
    let mut groups: BTreeMap<(String, String, bool), Group> = BTreeMap::new();
    for socket in sockets.iter().filter(|socket| socket.state == State::Established) {
        let (local, peer) = (&socket.facts.local, &socket.facts.peer);
        let accepted = match local {
            Address::Inet(local) => ports.contains(&local.port()) || is_servers_end(local, peer),
            // Only a server's end has a name, whether or not this process is the one that listens.
            Address::Unix(name) => !name.is_empty(),
        };
        // The port at the client's end was chosen by chance.
        let (alike_local, alike_peer) = (place(local, accepted), place(peer, !accepted));
        let guess = guess(if accepted { local } else { peer });
        groups
            .entry((alike_local.clone(), alike_peer.clone(), accepted))
            .and_modify(|group| {
                group.count += 1;
                (group.local, group.peer) = (alike_local, alike_peer);
            })
            .or_insert_with(|| Group {
                local: place(local, true),
                peer: place(peer, true),
                accepted,
                guess,
                count: 1,
            });
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| (group.guess.is_none(), std::cmp::Reverse(group.count)));
    groups
}

/// A server's worker need not hold the listening socket; then only the well-known port tells.
fn is_servers_end(local: &SocketAddr, peer: &Address) -> bool {
    let known = |port: u16| PORTS.iter().any(|(known, _)| *known == port);
    known(local.port()) && !port(peer).is_some_and(known)
}

fn listening(sockets: &[OpenSocket]) -> impl Iterator<Item = &Address> {
    sockets.iter().filter(|socket| socket.state == State::Listening).map(|socket| &socket.facts.local)
}

fn port(address: &Address) -> Option<u16> {
    match address {
        Address::Inet(address) => Some(address.port()),
        Address::Unix(_) => None,
    }
}

/// One end as people write it. `exact`: with its port; otherwise with `*` for it.
fn place(end: &Address, exact: bool) -> String {
    match end {
        Address::Inet(inet) if exact => inet.to_string(),
        Address::Inet(SocketAddr::V4(address)) => format!("{}:*", address.ip()),
        Address::Inet(SocketAddr::V6(address)) => format!("[{}]:*", address.ip()),
        Address::Unix(name) if name.is_empty() => "(unnamed)".to_owned(),
        Address::Unix(_) => printable(address::text(end).as_bytes()),
    }
}

/// The database that usually has this address.
fn guess(server: &Address) -> Option<&'static str> {
    match server {
        Address::Inet(address) => {
            PORTS.iter().find(|(port, _)| *port == address.port()).map(|(_, name)| *name)
        }
        Address::Unix(path) => {
            let path = String::from_utf8_lossy(path);
            let file = path.rsplit('/').next().unwrap_or_default();
            FILES.iter().find(|(start, _)| file.starts_with(start)).map(|(_, name)| *name)
        }
    }
}

/// Appends the connections as text.
pub(super) fn render(out: &mut String, groups: &[Group], columns: usize) {
    if groups.is_empty() {
        return;
    }
    out.push('\n');
    layout::paragraph(out, "", "Connections now (`?` is a guess by port or path, no more):", columns);
    for group in groups.iter().take(SHOWN) {
        let arrow = if group.accepted { "<-" } else { "->" };
        let guess = group.guess.map(|name| format!("  {name}?")).unwrap_or_default();
        let line = format!("{:>7}  {} {arrow} {}{guess}", group.count, group.local, group.peer);
        if line.chars().count() <= columns {
            out.push_str(&line);
        } else {
            let room = columns.saturating_sub(9);
            out.push_str(&format!("{:>7}  {}\n", group.count, layout::shortened(&group.local, room)));
            let room = columns.saturating_sub(12 + guess.chars().count());
            out.push_str(&format!("{:>11} {}{guess}", arrow, layout::shortened(&group.peer, room)));
        }
        out.push('\n');
    }
    let rest = groups.get(SHOWN..).unwrap_or_default();
    if !rest.is_empty() {
        let count: usize = rest.iter().map(|group| group.count).sum();
        out.push_str(&format!("{count:>7}  more, of {} other kinds\n", rest.len()));
    }
}
