//! The end of a connection, by every way that it can come, and what is no end.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::os::fd::RawFd;

use libc::{MSG_DONTWAIT, MSG_NOSIGNAL, SHUT_RDWR, SHUT_WR};
use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{self, close, read, recv, send, shutdown, wait_readable, write},
    text,
};

const TCP: &[Kind] = &[Kind::Tcp4, Kind::Tcp6];
const UNIX: &[Kind] = &[Kind::UnixPair, Kind::UnixPath, Kind::UnixAbstract];

/// The traced child has this end only; `peer` acts for the other end, in the test, whenever the child waits.
#[track_caller]
fn check(kinds: &[Kind], peer: fn(RawFd), work: fn(RawFd), expected: &str) {
    let mut tap = Tap::attach();
    for kind in kinds {
        let pair = Pair::new(*kind);
        let id = pair.id();
        let (here, there) = pair.fds();
        let mut child = Child::new(|parent| {
            close(there);
            write(here, b"q").unwrap();
            parent.tell(1);
            parent.wait();
            work(here);
        });
        tap.trace(child.pid(), false);
        child.go();
        child.told();
        let Pair { here, there, .. } = pair;
        drop(here);
        peer(std::os::fd::IntoRawFd::into_raw_fd(there));
        child.go();
        child.finish();
        tap.wait_until(expected, |events| text::of_socket(events, id).len() >= expected.len());
        assert_eq!(text::of_socket(&tap.events(), id), expected, "{kind:?}");
        tap.forget();
    }
}

#[test]
fn the_peer_closes() {
    let answer_and_close = |there| {
        read(there, 1).unwrap();
        write(there, b"bye").unwrap();
        close(there);
    };
    let read_all = |here| {
        assert_eq!(read(here, 3).unwrap(), b"bye");
        assert_eq!(read(here, 3).unwrap(), b"");
    };
    check(TCP, answer_and_close, read_all, "send 0 q. recv 0 bye. end peer end closed");
    check(UNIX, answer_and_close, read_all, "send 0 q. recv 0 bye. end peer");
}

#[test]
fn this_side_closes() {
    let answer = |there| {
        read(there, 1).unwrap();
        write(there, b"ok").unwrap();
    };
    let read_and_close = |here| {
        read(here, 2).unwrap();
        close(here);
    };
    check(TCP, answer, read_and_close, "send 0 q. recv 0 ok. end closed");
    // A Unix socket has no state to leave: its user's records end here.
    check(UNIX, answer, read_and_close, "send 0 q. recv 0 ok.");
    // Also with bytes that nobody reads, and at the end of the process.
    check(TCP, answer, close, "send 0 q. end closed");
    check(TCP, answer, |_| {}, "send 0 q. end closed");
}

/// Case 64.
#[test]
fn the_peer_resets() {
    check(
        TCP,
        |there| {
            read(there, 1).unwrap();
            calls::reset(there);
        },
        |here| {
            wait_readable(here);
            assert_eq!(recv(here, 9, 0).unwrap_err().raw_os_error(), Some(libc::ECONNRESET));
            assert_eq!(send(here, b"x", MSG_NOSIGNAL).unwrap_err().raw_os_error(), Some(libc::EPIPE));
        },
        "send 0 q. end closed end failed 104 end failed 32",
    );
    // A Unix peer that leaves bytes unread resets too.
    check(
        UNIX,
        close,
        |here| assert_eq!(recv(here, 9, 0).unwrap_err().raw_os_error(), Some(libc::ECONNRESET)),
        "send 0 q. end failed 104",
    );
}

/// Case 64: what arrived before a reset is still received.
#[test]
fn bytes_before_a_reset_come_before_the_end() {
    check(
        TCP,
        |there| {
            write(there, b"last").unwrap();
            calls::reset(there);
        },
        |here| {
            wait_readable(here);
            assert_eq!(recv(here, 9, 0).unwrap(), b"last");
            assert_eq!(recv(here, 9, 0).unwrap_err().raw_os_error(), Some(libc::ECONNRESET));
        },
        "send 0 q. recv 0 last. end failed 104",
    );
}

#[test]
fn a_half_close_is_no_end() {
    let answer_until_the_end = |there| {
        assert_eq!(read(there, 9).unwrap(), b"q");
        write(there, b"early").unwrap();
    };
    let shut_and_read = |here| {
        shutdown(here, SHUT_WR);
        assert_eq!(read(here, 9).unwrap(), b"early");
        assert_eq!(recv(here, 9, MSG_DONTWAIT).unwrap_err().raw_os_error(), Some(libc::EAGAIN));
        close(here);
    };
    check(TCP, answer_until_the_end, shut_and_read, "send 0 q. recv 0 early. end closed");
    check(UNIX, answer_until_the_end, shut_and_read, "send 0 q. recv 0 early.");
    // The peer half-closes with bytes unread, and this side half-closes before it reads them.
    let answer_and_shut = |there| {
        read(there, 9).unwrap();
        write(there, b"all").unwrap();
        shutdown(there, SHUT_WR);
    };
    let shut_read_all = |here| {
        wait_readable(here);
        shutdown(here, SHUT_WR);
        assert_eq!(read(here, 9).unwrap(), b"all");
        assert_eq!(read(here, 9).unwrap(), b"");
    };
    check(TCP, answer_and_shut, shut_read_all, "send 0 q. recv 0 all. end peer");
    check(UNIX, answer_and_shut, shut_read_all, "send 0 q. recv 0 all. end peer");
}

#[test]
fn the_peer_half_closes_and_the_process_goes_on_sending() {
    let shut = |there| shutdown(there, SHUT_WR);
    let work = |here| {
        wait_readable(here);
        assert_eq!(read(here, 9).unwrap(), b"");
        write(here, b"more").unwrap();
        close(here);
    };
    check(TCP, shut, work, "send 0 q. end peer send 1 more. end closed");
    check(UNIX, shut, work, "send 0 q. end peer send 1 more.");
}

#[test]
fn a_full_shutdown_is_an_end() {
    check(TCP, |_| {}, |here| shutdown(here, SHUT_RDWR), "send 0 q. end closed");
}

/// A peek at the end takes nothing, so it tells nothing either; the receive that follows does.
#[test]
fn a_peek_at_the_end_is_no_end() {
    let work = |here| {
        wait_readable(here);
        assert_eq!(recv(here, 1, libc::MSG_PEEK).unwrap(), b"");
        assert_eq!(recv(here, 0, 0).unwrap(), b"");
        assert_eq!(recv(here, 1, 0).unwrap(), b"");
    };
    check(UNIX, |there| shutdown(there, SHUT_WR), work, "send 0 q. end peer end peer");
}
