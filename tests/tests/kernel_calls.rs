//! Every call that moves bytes over a stream socket, on every kind of socket: bytes, positions, ends of calls.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::os::fd::RawFd;

use libc::{EAGAIN, MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL};
use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{
        self, pwritev2, read, readv, recv, recvfrom, recvmsg, send, sendmsg, wait_readable, write, writev,
    },
    messages::Messages,
    text,
};
use tracer::event::Event;

/// What a traced child does with the two ends of a connection, and the text of what is recorded of the first one.
type Case = (fn(RawFd, RawFd), &'static str);

/// Runs each case once for each kind of connection, each case in a child of its own.
#[track_caller]
fn check_on(kinds: &[Kind], cases: &[Case]) {
    let mut tap = Tap::attach();
    for (number, (work, expected)) in cases.iter().enumerate() {
        let pairs: Vec<Pair> = kinds.iter().map(|kind| Pair::new(*kind)).collect();
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
        let events = tap.events();
        for pair in &pairs {
            let recorded = text::of_socket(&events, pair.id());
            assert_eq!(recorded, *expected, "case {number} of the table, {:?}", pair.kind);
        }
        for event in &events {
            if let Event::Transfer(piece) = event {
                assert_eq!((piece.task.pid, piece.task.tid), (child.pid(), child.pid()));
            }
        }
        tap.forget();
    }
    assert_eq!(tap.lost(), (0, 0));
}

#[track_caller]
fn check(cases: &[Case]) {
    check_on(&Kind::ALL, cases);
}

fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}

#[test]
fn each_sending_call() {
    check(&[
        (|here, _| assert_eq!(write(here, b"hello").unwrap(), 5), "send 0 hello."),
        (|here, _| assert_eq!(send(here, b"hello", 0).unwrap(), 5), "send 0 hello."),
        (|here, _| assert_eq!(writev(here, &[b"he", b"llo"]).unwrap(), 5), "send 0 he send 2 llo."),
        (|here, _| assert_eq!(pwritev2(here, &[b"he", b"llo"]).unwrap(), 5), "send 0 he send 2 llo."),
        (|here, _| assert_eq!(sendmsg(here, &[b"he", b"llo"], 0).unwrap(), 5), "send 0 he send 2 llo."),
        (
            |here, _| {
                let mut messages = Messages::of(&[&[b"one"], &[b"tw", b"o"], &[b"three"]]);
                assert_eq!(messages.send(here, 3, 0).unwrap(), 3);
                assert_eq!(messages.lengths(), [3, 3, 5]);
            },
            "send 0 one. send 3 tw send 5 o. send 6 three.", // case 48
        ),
        (
            |here, there| {
                write(here, b"ab").unwrap();
                send(here, b"c", libc::MSG_MORE).unwrap();
                sendmsg(here, &[b"d"], 0).unwrap();
                read(there, 4).unwrap();
                write(here, b"e").unwrap();
            },
            "send 0 ab. send 2 c. send 3 d. send 4 e.",
        ),
    ]);
}

#[test]
fn each_receiving_call() {
    check(&[
        (
            |here, there| {
                write(there, b"hello").unwrap();
                assert_eq!(read(here, 100).unwrap(), b"hello");
            },
            "recv 0 hello.",
        ),
        (
            |here, there| {
                write(there, b"hello").unwrap();
                assert_eq!(recv(here, 2, 0).unwrap(), b"he");
                assert_eq!(recvfrom(here, 2).unwrap(), b"ll");
                assert_eq!(recv(here, 1, MSG_WAITALL).unwrap(), b"o");
            },
            "recv 0 he. recv 2 ll. recv 4 o.",
        ),
        (
            |here, there| {
                write(there, b"hello").unwrap();
                assert_eq!(readv(here, &[2, 10]).unwrap(), 5);
            },
            "recv 0 he recv 2 llo.",
        ),
        (
            |here, there| {
                write(there, b"hello").unwrap();
                assert_eq!(calls::preadv2(here, &[2, 10]).unwrap(), 5);
            },
            "recv 0 he recv 2 llo.",
        ),
        (
            |here, there| {
                write(there, b"hello").unwrap();
                assert_eq!(recvmsg(here, &[2, 1, 1, 10], 0).unwrap(), 5);
            },
            "recv 0 he recv 2 l recv 3 l recv 4 o.",
        ),
        (
            |here, there| {
                write(there, b"onetwo!").unwrap();
                let mut messages = Messages::room(&[&[3], &[1, 2], &[3]]);
                assert_eq!(messages.receive(here, 3, 0).unwrap(), 3);
                assert_eq!(messages.lengths(), [3, 3, 1]);
            },
            "recv 0 one. recv 3 t recv 4 wo. recv 6 !.", // case 48
        ),
    ]);
}

#[test]
fn both_directions_have_positions_of_their_own() {
    check(&[(
        |here, there| {
            for (question, answer) in [("a?", "a"), ("bb?", "bb"), ("?", "!")] {
                write(here, question.as_bytes()).unwrap();
                read(there, 10).unwrap();
                write(there, answer.as_bytes()).unwrap();
                read(here, 10).unwrap();
            }
        },
        "send 0 a?. recv 0 a. send 2 bb?. recv 1 bb. send 5 ?. recv 3 !.",
    )]);
}

#[test]
fn empty_iovecs_are_passed_over() {
    check(&[
        (
            |here, _| assert_eq!(writev(here, &[b"", b"he", b"", b"", b"llo", b""]).unwrap(), 5),
            "send 0 he send 2 llo.",
        ),
        (|here, _| assert_eq!(sendmsg(here, &[b"", b"hello", b""], 0).unwrap(), 5), "send 0 hello."),
        (
            |here, there| {
                write(there, b"hello").unwrap();
                assert_eq!(readv(here, &[0, 2, 0, 0, 3, 0, 9]).unwrap(), 5);
            },
            "recv 0 he recv 2 llo.",
        ),
        (|here, _| assert_eq!(writev(here, &[b"", b""]).unwrap(), 0), ""),
        (|here, _| assert_eq!(sendmsg(here, &[], 0).unwrap(), 0), ""),
    ]);
}

/// Case 47: UIO_MAXIOV (include/uapi/linux/uio.h) is the most that the kernel takes.
#[test]
fn as_many_iovecs_as_the_kernel_takes() {
    let mut tap = Tap::attach();
    for pair in Pair::of_all_kinds() {
        let (here, there) = pair.fds();
        let mut child = Child::new(|_| {
            let sent = text::pattern(0, 3 * 1024);
            let parts: Vec<&[u8]> = sent.chunks(3).collect();
            assert_eq!(parts.len(), 1024);
            assert_eq!(writev(here, &parts).unwrap(), 3 * 1024);
            assert_eq!(errno(writev(here, &vec![b"x".as_slice(); 1025])), libc::EINVAL);
            calls::recv_all(there, 3 * 1024);
            write(there, &sent).unwrap();
            assert_eq!(readv(here, &[3; 1024]).unwrap(), 3 * 1024);
        });
        tap.trace(child.pid(), false);
        child.go();
        child.finish();
        tap.drain();
        let events = tap.events();
        let recorded = text::of_socket(&events, pair.id());
        assert_eq!(recorded.matches('.').count() - recorded.matches("\\.").count(), 2 + dots(2 * 3 * 1024));
        for sent in [true, false] {
            assert_eq!(
                text::captured(&events, pair.id(), sent),
                text::pattern(0, 3 * 1024),
                "{:?}",
                pair.kind
            );
        }
        tap.forget();
    }
}

/// How often the pattern holds the byte `.` in both directions of `as_many_iovecs_as_the_kernel_takes`.
fn dots(bytes: usize) -> usize {
    2 * text::pattern(0, bytes / 2).iter().filter(|byte| **byte == b'.').count()
}

/// Case 48.
#[test]
fn message_vectors_are_followed_message_by_message() {
    check(&[
        // The same vector again is a new call.
        (
            |here, _| {
                let mut messages = Messages::of(&[&[b"a"], &[b"b"]]);
                for _ in 0..3 {
                    assert_eq!(messages.send(here, 2, 0).unwrap(), 2);
                }
                assert_eq!(messages.send(here, 1, 0).unwrap(), 1);
            },
            "send 0 a. send 1 b. send 2 a. send 3 b. send 4 a. send 5 b. send 6 a.",
        ),
        // A message with an empty buffer at its end is sent whole.
        (
            |here, _| {
                let mut messages = Messages::of(&[&[b"a", b""], &[b"b", b"", b""], &[b"c"]]);
                assert_eq!(messages.send(here, 3, 0).unwrap(), 3);
            },
            "send 0 a. send 1 b. send 2 c.",
        ),
        // An empty message does not end the call.
        (
            |here, _| {
                let mut messages = Messages::of(&[&[b"a"], &[b""], &[], &[b"d"]]);
                assert_eq!(messages.send(here, 4, 0).unwrap(), 4);
                assert_eq!(messages.send(here, 4, 0).unwrap(), 4);
            },
            "send 0 a. send 1 d. send 2 a. send 3 d.",
        ),
        // The call ends early where there is nothing more to receive.
        (
            |here, there| {
                let mut messages = Messages::room(&[&[2], &[2], &[2]]);
                for _ in 0..2 {
                    write(there, b"abc").unwrap();
                    wait_readable(here);
                    assert_eq!(messages.receive(here, 3, MSG_DONTWAIT).unwrap(), 2);
                }
                write(there, b"abcdef").unwrap();
                assert_eq!(messages.receive(here, 3, 0).unwrap(), 3);
            },
            "recv 0 ab. recv 2 c. recv 3 ab. recv 5 c. recv 6 ab. recv 8 cd. recv 10 ef.",
        ),
        // Other calls between.
        (
            |here, there| {
                let mut messages = Messages::of(&[&[b"a"], &[b"b"]]);
                messages.send(here, 1, 0).unwrap();
                write(here, b"-").unwrap();
                write(there, b"+").unwrap();
                read(here, 1).unwrap();
                assert_eq!(errno(recv(here, 1, MSG_DONTWAIT)), EAGAIN);
                let mut others = Messages::of(&[&[b"c"], &[b"d"]]);
                others.send(here, 2, 0).unwrap();
            },
            "send 0 a. send 1 -. recv 0 +. send 2 c. send 3 d.",
        ),
    ]);
}

/// With a time limit the kernel may stop after any message and tells nobody before the call's end: where neither the messages
/// themselves are seen nor the whole call, the bytes are not guessed.
#[test]
fn recvmmsg_with_a_time_limit() {
    let tap = Tap::attach();
    let is_read = tap.sees_messages() || tap.sees_calls_only();
    drop(tap);
    check(&[(
        |here, there| {
            write(there, b"abcd").unwrap();
            let mut messages = Messages::room(&[&[2], &[2]]);
            let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            assert_eq!(messages.receive_within(here, 2, none).unwrap(), 1);
            assert_eq!(messages.receive_within(here, 2, none).unwrap(), 1);
        },
        if is_read { "recv 0 ab. recv 2 cd." } else { "recv 0 ~2?. recv 2 ~2?." },
    )]);
}

/// `__sys_sendmmsg` (net/socket.c) takes 1,024 messages of a longer vector.
#[test]
fn more_messages_than_the_kernel_takes() {
    let mut tap = Tap::attach();
    let pair = Pair::new(Kind::UnixPair);
    let (here, there) = pair.fds();
    let bytes = text::pattern(0, 1030);
    let mut child = Child::new(|_| {
        let parts: Vec<[&[u8]; 1]> = bytes.chunks(1).map(|byte| [byte]).collect();
        let messages: Vec<&[&[u8]]> = parts.iter().map(|parts| parts.as_slice()).collect();
        let mut messages = Messages::of(&messages);
        for _ in 0..2 {
            // The peer's queue holds fewer of such small messages than there are, so it is emptied meanwhile.
            std::thread::scope(|scope| {
                scope.spawn(|| calls::recv_all(there, 1024));
                assert_eq!(messages.send(here, 1030, 0).unwrap(), 1024);
            });
        }
    });
    tap.trace(child.pid(), false);
    child.go();
    child.finish();
    tap.drain();
    let recorded = text::captured(&tap.events(), pair.id(), true);
    assert_eq!(recorded, [&bytes[..1024], &bytes[..1024]].concat());
}

/// Case 49.
#[test]
fn what_takes_nothing_from_the_stream_is_not_counted() {
    check(&[
        (
            |here, there| {
                write(there, b"hello").unwrap();
                assert_eq!(recv(here, 9, MSG_PEEK).unwrap(), b"hello");
                assert_eq!(recvmsg(here, &[2, 2], MSG_PEEK).unwrap(), 4);
                assert_eq!(Messages::room(&[&[1], &[1]]).receive(here, 2, MSG_PEEK).unwrap(), 2);
                assert_eq!(recv(here, 9, 0).unwrap(), b"hello");
                assert_eq!(errno(recv(here, 9, MSG_PEEK | MSG_DONTWAIT)), EAGAIN);
            },
            "recv 0 hello.",
        ),
        // Room for no byte gives no byte, which is not the end of the stream.
        (
            |here, there| {
                write(there, b"hello").unwrap();
                wait_readable(here);
                assert_eq!(recv(here, 0, 0).unwrap(), b"");
                assert_eq!(recvmsg(here, &[0], 0).unwrap(), 0);
                assert_eq!(read(here, 0).unwrap(), b"");
                assert_eq!(recv(here, 9, 0).unwrap(), b"hello");
            },
            "recv 0 hello.",
        ),
    ]);
}

/// Case 49: TCP drops the bytes, so there is nothing to read; the position goes on.
#[test]
fn bytes_that_tcp_drops_are_counted_and_not_read() {
    check_on(
        &[Kind::Tcp4, Kind::Tcp6],
        &[(
            |here, there| {
                write(there, b"hello world").unwrap();
                assert_eq!(recv(here, 6, MSG_TRUNC).unwrap().len(), 6);
                assert_eq!(recv(here, 9, 0).unwrap(), b"world");
            },
            "recv 0 ~6?. recv 6 world.",
        )],
    );
}

/// Case 49: the urgent byte is none of the receiver's stream; for the sender it is.
#[test]
fn out_of_band_data() {
    check_on(
        &[Kind::Tcp4, Kind::Tcp6],
        &[
            (
                |here, there| {
                    send(there, b"abc", MSG_OOB).unwrap();
                    wait_readable(here);
                    assert_eq!(recv(here, 9, 0).unwrap(), b"ab");
                    assert_eq!(recv(here, 1, MSG_OOB).unwrap(), b"c");
                    write(there, b"d").unwrap();
                    assert_eq!(recv(here, 9, 0).unwrap(), b"d");
                },
                "recv 0 ab. recv 2 d.",
            ),
            (|here, _| assert_eq!(send(here, b"abc", MSG_OOB).unwrap(), 3), "send 0 abc."),
        ],
    );
}

/// Case 50.
#[test]
fn calls_that_would_wait_move_nothing() {
    check(&[(
        |here, there| {
            assert_eq!(errno(recv(here, 9, MSG_DONTWAIT)), EAGAIN);
            calls::set_nonblocking(here);
            assert_eq!(errno(read(here, 9)), EAGAIN);
            write(there, b"x").unwrap();
            wait_readable(here);
            assert_eq!(read(here, 9).unwrap(), b"x");
            assert_eq!(errno(readv(here, &[3, 3])), EAGAIN);
            assert_eq!(errno(Messages::room(&[&[1], &[1]]).receive(here, 2, 0)), EAGAIN);
        },
        "recv 0 x.",
    )]);
}

/// Errors of the caller's own making say nothing of the connection.
#[test]
fn a_wrong_call_is_no_end_of_the_connection() {
    check(&[(
        |here, _| {
            write(here, b"a").unwrap();
            // SAFETY: the kernel refuses the address and touches nothing.
            assert_eq!(unsafe { libc::send(here, std::ptr::without_provenance(8), 5, 0) }, -1);
            write(here, b"b").unwrap();
        },
        "send 0 a. send 1 b.",
    )]);
    check_on(
        &[Kind::UnixPair, Kind::UnixPath],
        &[(
            |here, _| {
                write(here, b"a").unwrap();
                let address = libc::sockaddr { sa_family: 1, sa_data: [0; 14] };
                // SAFETY: the buffer and the address outlive the call.
                let sent = unsafe { libc::sendto(here, b"b".as_ptr().cast(), 1, 0, &raw const address, 16) };
                assert_eq!(sent, -1);
                write(here, b"c").unwrap();
            },
            "send 0 a. send 1 c.",
        )],
    );
}
