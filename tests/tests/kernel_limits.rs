//! Large and partial transfers, the capture limit, and a ring buffer that nobody reads.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::os::fd::{AsRawFd, RawFd};

use libc::EAGAIN;
use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{self, read, recv_all, sendmsg, write, writev},
    child::Parent,
    messages::Messages,
    tap::NO_LIMIT,
    text,
};
use tracer::event::{Event, SocketId};

/// Small, so that a few hundred kilobytes fill it.
const SOCKET_BUFFER_BYTES: libc::c_int = 64 << 10;

/// Runs the work in a traced child; a thread of the test receives everything at the other end, from the moment that the
/// child says so, or from the start.
fn run_until(tap: &mut Tap, kind: Kind, waits: bool, work: impl FnOnce(RawFd, &mut Parent)) -> SocketId {
    let pair = Pair::new(kind);
    let id = pair.id();
    let (here, there) = pair.fds();
    for fd in [here, there] {
        for option in [libc::SO_SNDBUF, libc::SO_RCVBUF] {
            calls::set_option(fd, libc::SOL_SOCKET, option, SOCKET_BUFFER_BYTES);
        }
    }
    let mut child = Child::new(|parent| {
        calls::close(there);
        work(here, parent);
    });
    tap.trace(child.pid(), false);
    let Pair { here, there, .. } = pair;
    drop(here);
    child.go();
    if waits {
        child.told();
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let there = there.as_raw_fd();
            while read(there, 1 << 20).is_ok_and(|bytes| !bytes.is_empty()) {}
        });
        child.finish();
    });
    tap.drain();
    id
}

fn run(tap: &mut Tap, kind: Kind, work: impl FnOnce(RawFd)) -> SocketId {
    run_until(tap, kind, false, |here, _| work(here))
}

/// Sends `total` bytes of the pattern, by calls that each get all that is left and take what they can.
fn send_in_parts(
    here: RawFd,
    parent: &mut Parent,
    total: usize,
    call: impl Fn(&[u8]) -> std::io::Result<usize>,
) {
    calls::set_nonblocking(here);
    let bytes = text::pattern(0, total);
    let (mut done, mut partial, mut refused) = (0, 0, 0);
    while done < total {
        match call(&bytes[done..]) {
            Err(error) if error.raw_os_error() == Some(EAGAIN) => {
                if refused == 0 {
                    parent.tell(1);
                }
                refused += 1;
                std::thread::yield_now();
            }
            result => {
                let moved = result.unwrap();
                partial += u32::from(moved < total - done);
                done += moved;
            }
        }
    }
    assert!(partial > 0 && refused > 0, "the socket's buffer never was full: {partial} {refused}");
}

#[track_caller]
fn check_parts(call: fn(RawFd, &[u8]) -> std::io::Result<usize>) {
    const TOTAL: usize = 2 << 20;
    let mut tap = Tap::attach();
    for kind in [Kind::Tcp4, Kind::Tcp6, Kind::UnixPath] {
        let id = run_until(&mut tap, kind, true, |here, parent| {
            send_in_parts(here, parent, TOTAL, |bytes| call(here, bytes));
        });
        assert_eq!(tap.lost(), (0, 0), "{kind:?}");
        let recorded = text::captured(&tap.events(), id, true);
        assert_eq!(recorded.len(), TOTAL, "{kind:?}");
        assert!(recorded == text::pattern(0, TOTAL), "{kind:?}: bytes differ");
        text::of_socket(&tap.events(), id);
        tap.forget();
    }
}

/// Case 50.
#[test]
fn a_partial_write_and_its_retries() {
    check_parts(write);
}

/// Case 47: what moved ends inside an iovec.
#[test]
fn a_vector_that_is_cut_by_a_partial_transfer() {
    check_parts(|here, bytes| writev(here, &bytes.chunks(7001).take(900).collect::<Vec<_>>()));
    check_parts(|here, bytes| sendmsg(here, &bytes.chunks(30_011).collect::<Vec<_>>(), 0));
}

/// Case 48: the kernel ends the call at a message that moved only in part; the rest goes with a vector of its own.
#[test]
fn a_message_vector_that_is_cut_by_a_partial_transfer() {
    check_parts(|here, bytes| {
        let parts: Vec<Vec<&[u8]>> = bytes.chunks(90_001).map(|part| part.chunks(40_000).collect()).collect();
        let messages: Vec<&[&[u8]]> = parts.iter().map(Vec::as_slice).collect();
        let mut messages = Messages::of(&messages);
        let count = messages.send(here, parts.len(), 0)?;
        Ok(messages.lengths()[..count].iter().map(|length| usize::try_from(*length).unwrap()).sum())
    });
}

/// Cases 48 and 57: receives that find nothing, while another thread is in the middle of its messages.
#[test]
fn another_thread_receives_while_messages_are_sent() {
    const MESSAGES: usize = 60;
    const BYTES: usize = 50_000;
    let mut tap = Tap::attach();
    let id = run(&mut tap, Kind::UnixPair, |here| {
        let bytes = text::pattern(0, MESSAGES * BYTES);
        let parts: Vec<[&[u8]; 1]> = bytes.chunks(BYTES).map(|part| [part]).collect();
        let mut messages = Messages::of(&parts.iter().map(<[_; 1]>::as_slice).collect::<Vec<_>>());
        let sent = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !sent.load(std::sync::atomic::Ordering::Relaxed) {
                    assert!(calls::recv(here, 9, libc::MSG_DONTWAIT).is_err());
                }
            });
            assert_eq!(messages.send(here, MESSAGES, 0).unwrap(), MESSAGES);
            sent.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
    assert!(text::captured(&tap.events(), id, true) == text::pattern(0, MESSAGES * BYTES));
}

/// A large call is cut into records without a seam.
#[test]
fn pieces_of_a_large_call_are_contiguous() {
    let mut tap = Tap::attach();
    for (length, expected) in [
        (255, "send 0 #255."),
        (256, "send 0 #256."),
        (2047, "send 0 #2047."),
        (2048, "send 0 #2048."),
        (16_383, "send 0 #16383."),
        (16_384, "send 0 #16383 send 16383 D."),
        (40_000, "send 0 #16383 send 16383 #16383 send 32766 #7234."),
    ] {
        let id = run(&mut tap, Kind::UnixPair, |here| {
            assert_eq!(write(here, &text::pattern(0, length)).unwrap(), length);
        });
        assert_eq!(text::of_socket(&tap.events(), id), expected);
        tap.forget();
    }
}

/// Case 60.
#[test]
fn past_the_capture_limit_head_and_tail_remain() {
    let check = |capture_bytes: u64, lengths: &[usize], expected: &str| {
        let mut tap = Tap::with_capture_bytes(capture_bytes);
        for kind in [Kind::Tcp4, Kind::UnixPair] {
            let id = run(&mut tap, kind, |here| {
                let mut position = 0;
                for length in lengths {
                    assert_eq!(write(here, &text::pattern(position, *length)).unwrap(), *length);
                    position += u64::try_from(*length).unwrap();
                }
            });
            let recorded = text::of_socket(&tap.events(), id);
            assert_eq!(recorded.trim_end_matches(" end closed"), expected, "{capture_bytes} {lengths:?}");
            tap.forget();
        }
    };
    check(4096, &[4096], "send 0 #4096.");
    check(4096, &[10_000], "send 0 #4096 send 4096 ~4880 send 8976 #1024.");
    // So short that nothing lies between head and tail.
    check(4096, &[5120], "send 0 #5120.");
    check(4096, &[5121], "send 0 #4096 send 4096 ~1 send 4097 #1024.");
    // The limit is one of the direction, not of the call.
    check(
        4096,
        &[4000, 96, 5000],
        "send 0 #4000. send 4000 #96. send 4096 #128 send 4224 ~3848 send 8072 #1024.",
    );
    check(
        4096,
        &[4096, 1152, 1153],
        "send 0 #4096. send 4096 #1152. send 5248 #128 send 5376 ~1 send 5377 #1024.",
    );
    check(0, &[100_000], "send 0 #128 send 128 ~98848 send 98976 #1024.");
}

/// Case 60: a question renews what may be captured of the answer, and the other way round.
#[test]
fn the_capture_limit_is_renewed_when_the_direction_turns() {
    let mut tap = Tap::with_capture_bytes(2000);
    let pair = Pair::new(Kind::Tcp4);
    let (here, there) = pair.fds();
    let mut child = Child::new(|_| {
        for round in 0..2 {
            write(here, &text::pattern(round * 3000, 3000)).unwrap();
            recv_all(there, 3000);
            write(there, &text::pattern(round * 4000, 4000)).unwrap();
            calls::wait_readable(here);
            assert_eq!(calls::recv(here, 4000, libc::MSG_WAITALL).unwrap().len(), 4000);
        }
    });
    tap.trace(child.pid(), false);
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(
        text::of_socket(&tap.events(), pair.id()),
        "send 0 #3000. recv 0 #2000 recv 2000 ~976 recv 2976 #1024. \
         send 3000 #3000. recv 4000 #2000 recv 6000 ~976 recv 6976 #1024."
    );
}

/// Each iovec of the skipped middle is a record of its own; their lengths add up.
#[test]
fn the_capture_limit_inside_a_vector() {
    let mut tap = Tap::with_capture_bytes(1000);
    let id = run(&mut tap, Kind::UnixPair, |here| {
        let bytes = text::pattern(0, 6000);
        assert_eq!(writev(here, &bytes.chunks(1500).collect::<Vec<_>>()).unwrap(), 6000);
    });
    assert_eq!(
        text::of_socket(&tap.events(), id),
        "send 0 #1000 send 1000 ~500 send 1500 ~1500 send 3000 ~1500 send 4500 ~476 send 4976 #1024."
    );
}

#[test]
fn sixty_four_mebibytes_in_one_call() {
    const TOTAL: usize = 64 << 20;
    let mut tap = Tap::with_capture_bytes(4096);
    for kind in [Kind::Tcp4, Kind::UnixPair] {
        let id = run(&mut tap, kind, |here| {
            assert_eq!(write(here, &text::pattern(0, TOTAL)).unwrap(), TOTAL);
        });
        let recorded = text::of_socket(&tap.events(), id);
        let expected = format!("send 0 #4096 send 4096 ~{} send {} #1024.", TOTAL - 5120, TOTAL - 1024);
        assert_eq!(recorded.trim_end_matches(" end closed"), expected, "{kind:?}");
        assert_eq!(tap.lost(), (0, 0));
        tap.forget();
    }
}

/// The walk through a call's memory ends after 2,048 pieces; the rest is counted in one record.
#[test]
fn more_pieces_than_are_walked() {
    const TOTAL: usize = 64 << 20;
    let total = u64::try_from(TOTAL).unwrap();
    let mut tap = Tap::with_capture_bytes(NO_LIMIT);
    let id = run(&mut tap, Kind::UnixPair, |here| {
        assert_eq!(write(here, &text::pattern(0, TOTAL)).unwrap(), TOTAL);
    });
    // They are written at once, at the end of the call, and the ring buffer holds 8 MiB of them.
    let (lost_records, lost_bytes) = tap.lost();
    let seen = transfers(&tap.events());
    assert_eq!((seen.0 + lost_records, seen.1 + lost_bytes), (2049, total));
    let captured = text::captured(&tap.events(), id, true);
    assert!(captured == text::pattern(0, captured.len()) && captured.len() > 4 << 20);
}

/// Case 61: losses are counted to the record and to the byte, and positions show where.
#[test]
fn a_full_ring_buffer_is_counted_exactly() {
    const CALL: usize = 16_383;
    let mut tap = Tap::with_capture_bytes(NO_LIMIT);
    let pair = Pair::new(Kind::UnixPair);
    let (here, there) = pair.fds();
    let calls_made = 1500_u64;
    let mut child = Child::new(|parent| {
        let exchange = |number: u64| {
            let bytes = text::pattern(number * 16_383, CALL);
            assert_eq!(write(here, &bytes).unwrap(), CALL);
            receive_whole(there, CALL);
        };
        for number in 0..calls_made {
            exchange(number);
        }
        parent.tell(1);
        parent.wait();
        for number in calls_made..calls_made + 10 {
            exchange(number);
        }
    });
    tap.trace(child.pid(), false);
    child.go();
    child.told();
    // Nothing was drained so far: 1,500 sends and 1,500 receives of 16 KiB find room for 8 MiB.
    tap.drain();
    let (lost_records, lost_bytes) = tap.lost();
    let seen = transfers(&tap.events());
    assert!(lost_records > 0);
    assert_eq!(seen.0 + lost_records, 2 * calls_made, "every call is a record, seen or lost");
    assert_eq!(seen.1 + lost_bytes, 2 * calls_made * 16_383);
    // Drained, it works again, and the first new position shows how much is missing.
    tap.forget();
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(tap.lost(), (lost_records, lost_bytes));
    let positions: Vec<u64> = tap
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Transfer(piece) if piece.socket == pair.id() => Some(piece.position),
            _ => None,
        })
        .collect();
    assert_eq!(positions, (calls_made..calls_made + 10).map(|call| call * 16_383).collect::<Vec<_>>());
    let again = text::captured(&tap.events(), pair.id(), true);
    assert!(again == text::pattern(calls_made * 16_383, 10 * CALL));
}

/// Receives exactly so many bytes in one call.
fn receive_whole(fd: RawFd, bytes: usize) {
    assert_eq!(calls::recv(fd, bytes, libc::MSG_WAITALL).unwrap().len(), bytes);
}

/// Number and bytes of all transfers.
fn transfers(events: &[Event<'_>]) -> (u64, u64) {
    events.iter().fold((0, 0), |(records, bytes), event| match event {
        Event::Transfer(piece) => (records + 1, bytes + piece.len()),
        _ => (records, bytes),
    })
}

/// A socket whose facts found no room is told of later, and is not counted as lost for ever.
#[test]
fn facts_that_found_no_room_are_told_later() {
    let mut tap = Tap::with_capture_bytes(NO_LIMIT);
    let filler = Pair::new(Kind::UnixPair);
    let pair = Pair::new(Kind::UnixPair);
    let mut child = Child::new(|parent| {
        let (here, there) = filler.fds();
        for number in 0..1000 {
            write(here, &text::pattern(number * 16_383, 16_383)).unwrap();
            receive_whole(there, 16_383);
        }
        // Small records may have found room to the last byte.
        for _ in 0..1000 {
            write(here, b"x").unwrap();
            receive_whole(there, 1);
        }
        let (here, _) = pair.fds();
        write(here, b"lost").unwrap();
        parent.tell(1);
        parent.wait();
        write(here, b"seen").unwrap();
    });
    tap.trace(child.pid(), false);
    child.go();
    child.told();
    tap.drain();
    assert!(!text::sockets(&tap.events()).contains(&pair.id()));
    assert_eq!(transfers(&tap.events()).0 + tap.lost().0, 4001, "only what never comes is lost");
    tap.forget();
    child.go();
    child.finish();
    tap.drain();
    let events = tap.events();
    assert!(matches!(events[0], Event::Facts(id, _) if id == pair.id()));
    let Event::Transfer(piece) = &events[1] else { unreachable!("{events:?}") };
    assert_eq!((piece.position, piece.bytes), (4, b"seen".as_slice()));
}
