//! Every call that moves bytes over a stream socket, on every kind of socket: bytes, positions, ends.

use std::os::fd::RawFd;

use tests::kernel::{Child, Pair, Tap, calls, messages::Messages, text};

/// Does the work in a traced child once for each kind of connected sockets. The work gets both ends; what is expected
/// is the text of the records of the first one.
#[track_caller]
fn check(work: impl Fn(RawFd, RawFd), expected: &str) {
    let mut tap = Tap::attach();
    let pairs = Pair::of_all_kinds();
    let mut child = Child::new(|_| {
        for pair in &pairs {
            let (here, there) = pair.fds();
            work(here, there);
        }
    });
    tap.trace(child.pid(), false);
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(tap.lost(), (0, 0));
    let events = tap.events();
    for pair in &pairs {
        assert_eq!(text::of_socket(&events, pair.id()), expected, "{:?}", pair.kind);
    }
    for event in &events {
        if let tracer::event::Event::Transfer(piece) = event {
            assert_eq!((piece.task.pid, piece.task.tid), (child.pid(), child.pid()));
        }
    }
}

#[test]
fn each_sending_call() {
    check(|here, _| assert_eq!(calls::write(here, b"hello").unwrap(), 5), "send 0 hello.");
    check(|here, _| assert_eq!(calls::send(here, b"hello", 0).unwrap(), 5), "send 0 hello.");
    check(
        |here, _| {
            assert_eq!(calls::writev(here, &[b"he", b"", b"llo"]).unwrap(), 5);
            assert_eq!(calls::pwritev2(here, &[b"wor", b"ld"]).unwrap(), 5);
            assert_eq!(calls::sendmsg(here, &[b"", b"a", b"bc", b""], 0).unwrap(), 3);
        },
        "send 0 he send 2 llo. send 5 wor send 8 ld. send 10 a send 11 bc.",
    );
    check(
        |here, _| {
            let mut messages = Messages::of(&[&[b"one"], &[b"tw", b"o"], &[b"three"]]);
            assert_eq!(messages.send(here, 3, 0).unwrap(), 3);
            assert_eq!(messages.lengths(), [3, 3, 5]);
        },
        "send 0 one. send 3 tw send 5 o. send 6 three.", // case 48
    );
}
