//! Recorded connections, said again and again: input for benches.

use std::collections::HashSet;

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

/// The connection with the most pieces of a recording: programs ask for settings on others first. `begins`: a regular
/// exchange begins with these bytes of the client. What repeats runs from the second such place to the last, whose own
/// exchange may lack its end.
pub fn busiest(capture: &str, begins: fn(&[u8]) -> bool) -> Recorded {
    let all = captures::load(&captures::folder().join(capture).with_extension("dbtapraw"));
    let is_piece = |record: &Vec<u8>| matches!(decode(record), Some(Event::Transfer(_) | Event::Facts(..)));
    let socket_of = |record: &Vec<u8>| match decode(record) {
        Some(Event::Transfer(piece)) => piece.socket,
        Some(Event::Facts(socket, _)) => socket,
        _ => SocketId(0),
    };
    let sockets: HashSet<SocketId> = all.iter().map(socket_of).collect();
    let busiest = *sockets.iter().max_by_key(|s| all.iter().filter(|r| socket_of(r) == **s).count()).unwrap();
    let mut head: Vec<Vec<u8>> =
        all.into_iter().filter(|record| is_piece(record) && socket_of(record) == busiest).collect();
    let starts =
        |record: &Vec<u8>| matches!(decode(record), Some(Event::Transfer(p)) if p.sent && begins(p.bytes));
    let starts: Vec<usize> = (0..head.len()).filter(|at| starts(&head[*at])).collect();
    let (first, last) = (starts[1], *starts.last().unwrap());
    head.truncate(last);
    let body = head.split_off(first);
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
