//! Records as short text, so that a test says in one line what it expects.
//!
//! A piece of a stream is `send 0 hello.`: direction, position, bytes; `.` ends the call that moved them. `~7` stands for
//! 7 bytes that were not captured, `?` for unreadable memory, `#5000` for 5,000 bytes of [`pattern`]. An end is `end peer`,
//! `end closed` or `end failed 104`.

use std::collections::HashMap;

use tracer::event::{End, Event, SocketId, Transfer};

/// Captured runs up to this length are shown as they are.
const SHORT_BYTES: usize = 40;

/// `length` bytes of a stream whose every byte tells its position, from `position` on.
pub fn pattern(position: u64, length: usize) -> Vec<u8> {
    // A prime period, so that no power of two of bytes, lost or doubled, goes unseen.
    (position..).take(length).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
}

/// What was recorded of one socket. Fails where a record contradicts another one of the same socket: a gap or an overlap
/// of positions, facts that come twice or after the first piece, times that go back.
pub fn of_socket(events: &[Event<'_>], socket: SocketId) -> String {
    let mut words = Vec::new();
    let mut next = HashMap::new();
    let (mut facts, mut last) = (0, None);
    for event in events {
        match event {
            Event::Transfer(piece) if piece.socket == socket => {
                assert_eq!(facts, 1, "facts come once, before the first piece");
                let expected = next.entry(piece.sent).or_insert(0);
                assert_eq!(piece.position, *expected, "positions are contiguous: {piece:?}");
                *expected += piece.len();
                assert!(last <= Some(piece.at), "time goes on: {piece:?}");
                last = Some(piece.at);
                words.push(of_piece(piece));
            }
            Event::Facts(id, _) if *id == socket => facts += 1,
            Event::SocketEnd { socket: id, reason, .. } if *id == socket => words.push(match reason {
                End::PeerClosed => "end peer".to_owned(),
                End::Failed { errno } => format!("end failed {errno}"),
                End::Closed => "end closed".to_owned(),
            }),
            _ => {}
        }
    }
    assert!(facts <= 1, "facts come once");
    words.join(" ")
}

fn of_piece(piece: &Transfer<'_>) -> String {
    let bytes = match piece.bytes.len() {
        short if short <= SHORT_BYTES => piece.bytes.escape_ascii().to_string(),
        long if piece.bytes == pattern(piece.position, long) => format!("#{long}"),
        long => format!("({long} bytes that are not the pattern)"),
    };
    let skipped = if piece.skipped > 0 { format!("~{}", piece.skipped) } else { String::new() };
    let direction = if piece.sent { "send" } else { "recv" };
    let unreadable = if piece.unreadable { "?" } else { "" };
    let end = if piece.ends_transfer { "." } else { "" };
    format!("{direction} {} {bytes}{skipped}{unreadable}{end}", piece.position)
}

/// The captured bytes of one direction of a socket, one piece after another.
pub fn captured(events: &[Event<'_>], socket: SocketId, sent: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        if let Event::Transfer(piece) = event
            && (piece.socket, piece.sent) == (socket, sent)
        {
            bytes.extend_from_slice(piece.bytes);
        }
    }
    bytes
}

/// Bytes that moved in one direction of a socket, by its records.
pub fn moved_bytes(events: &[Event<'_>], socket: SocketId, sent: bool) -> u64 {
    let pieces = events.iter().filter_map(|event| match event {
        Event::Transfer(piece) if piece.socket == socket && piece.sent == sent => Some(piece.len()),
        _ => None,
    });
    pieces.sum()
}

/// The sockets that records tell of, each once, in the order of their first record.
pub fn sockets(events: &[Event<'_>]) -> Vec<SocketId> {
    let mut found = Vec::new();
    for event in events {
        let id = match event {
            Event::Transfer(piece) => piece.socket,
            Event::Facts(id, _) => *id,
            Event::SocketEnd { socket, .. } => *socket,
            Event::Process { .. } => continue,
        };
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// Forks, execs and exits, as `fork 7 of 3`, `exec 7`, `exit 7`.
pub fn processes(events: &[Event<'_>]) -> Vec<String> {
    use tracer::event::ProcessChange;
    let changes = events.iter().filter_map(|event| match event {
        Event::Process { pid, change, .. } => Some(match change {
            ProcessChange::Forked { parent } => format!("fork {pid} of {parent}"),
            ProcessChange::Executed => format!("exec {pid}"),
            ProcessChange::Exited => format!("exit {pid}"),
        }),
        _ => None,
    });
    changes.collect()
}
