//! Recorded connections, said again and again: input for benches.

use std::collections::HashMap;

use tracer::event::{Event, SocketId, Transfer, decode};
use tracer::time::Nanos;

#[path = "../../tests/captures/mod.rs"]
pub mod captures;
#[path = "../../tests/records/mod.rs"]
mod records;

/// Connections that speak in turn, as a pool's do.
const CONNECTIONS: u64 = 16;
/// Times that the recorded exchange is said again on each.
const REPEATS: usize = 10;

/// One recorded connection: what comes before its regular exchange, and that.
pub struct Recorded {
    head: Vec<Vec<u8>>,
    body: Vec<Vec<u8>>,
}

/// The connection with the most regular exchanges of a recording: programs ask for settings on others first. `begins`: such
/// an exchange begins with these bytes of the client. What repeats runs from the second such place to the last, whose own
/// exchange may lack its end.
pub fn busiest(capture: &str, begins: fn(&[u8]) -> bool) -> Recorded {
    let all = captures::load(&captures::folder().join(capture).with_extension("dbtapraw"));
    let socket_of = |record: &Vec<u8>| match decode(record) {
        Some(Event::Transfer(piece)) => Some(piece.socket),
        Some(Event::Facts(socket, _)) => Some(socket),
        _ => None,
    };
    let starts =
        |record: &&Vec<u8>| matches!(decode(record), Some(Event::Transfer(p)) if p.sent && begins(p.bytes));
    let mut exchanges: HashMap<SocketId, usize> = HashMap::new();
    for socket in all.iter().filter(starts).filter_map(socket_of) {
        *exchanges.entry(socket).or_default() += 1;
    }
    let busiest = exchanges.into_iter().max_by_key(|(_, count)| *count).map(|(socket, _)| socket);
    assert!(busiest.is_some(), "{capture}: no exchange begins so");
    let mut head: Vec<Vec<u8>> = all.into_iter().filter(|record| socket_of(record) == busiest).collect();
    let places: Vec<usize> = (0..head.len()).filter(|at| starts(&&head[*at])).collect();
    assert!(places.len() > 2, "{capture}: {} exchanges begin so", places.len());
    head.truncate(places[places.len() - 1]);
    let body = head.split_off(places[1]);
    Recorded { head, body }
}

impl Recorded {
    /// On one connection, with continuous positions and times.
    pub fn lane(&self, socket: u64) -> Vec<Vec<u8>> {
        let mut position = [0; 2];
        let mut at = Nanos::from_secs(1);
        let rounds = std::iter::repeat_n(&self.body, REPEATS).flatten();
        let again = |record: &Vec<u8>| match decode(record).unwrap() {
            Event::Transfer(piece) => {
                let place = &mut position[usize::from(piece.sent)];
                at = at + Nanos(20_000);
                let moved = Transfer { socket: SocketId(socket), position: *place, at, ..piece };
                *place += piece.len();
                records::transfer(&moved)
            }
            Event::Facts(_, facts) => records::encode(&Event::Facts(SocketId(socket), facts)),
            _ => record.clone(),
        };
        self.head.iter().chain(rounds).map(again).collect()
    }
}

/// On many connections, interleaved.
pub fn again_on_many(recorded: &Recorded) -> Vec<Vec<u8>> {
    let mut lanes: Vec<Vec<Vec<u8>>> = (1..=CONNECTIONS).map(|socket| recorded.lane(socket)).collect();
    let mut all = Vec::new();
    for turn in 0..lanes[0].len() {
        for lane in &mut lanes {
            all.push(std::mem::take(&mut lane[turn]));
        }
    }
    all
}
