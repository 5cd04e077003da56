//! What a descriptor stands for when a call ends, may be another thing than when it began.

use std::{
    io::{Read, Write},
    os::fd::{AsRawFd, RawFd},
};

use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{self, read, readv, recv, recvmsg, write},
    tap::wait_for,
    text,
};

/// Waits until a thread waits in the kernel, in one of these calls.
fn wait_in_call(pid: u32, tid: u64, numbers: &[&str]) {
    let path = format!("/proc/{pid}/task/{tid}/syscall");
    wait_for("the thread waits in its call", || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.split_once(' ').is_some_and(|(number, _)| numbers.contains(&number))
    });
}

/// dup2(2).
fn replace(by: RawFd, number: RawFd) {
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::dup2(by, number) }, number);
}

/// Case 54: the receive goes on with the socket that it began with.
#[test]
fn a_descriptor_that_is_used_again_during_a_receive() {
    let mut tap = Tap::attach();
    for kind in Kind::ALL {
        let (pair, other) = (Pair::new(kind), Pair::new(kind));
        let (here, there) = pair.fds();
        let (second, _) = other.fds();
        let mut child = Child::new(|parent| {
            std::thread::scope(|scope| {
                let (tell, told) = std::sync::mpsc::channel();
                let reader = scope.spawn(move || {
                    tell.send(calls::gettid()).unwrap();
                    assert_eq!(recv(here, 9, 0).unwrap(), b"late");
                });
                let tid = told.recv().unwrap();
                wait_in_call(std::process::id(), tid.into(), &["45"]);
                replace(second, here);
                write(here, b"second").unwrap();
                write(there, b"late").unwrap();
                reader.join().unwrap();
                parent.tell(1);
            });
            write(here, b" again").unwrap();
        });
        tap.trace(child.pid(), false);
        child.go();
        child.told();
        child.finish();
        tap.drain();
        let events = tap.events();
        assert_eq!(text::of_socket(&events, pair.id()), "recv 0 late.", "{kind:?}");
        assert_eq!(text::of_socket(&events, other.id()), "send 0 second. send 6  again.", "{kind:?}");
        tap.forget();
    }
}

/// Case 54: what a read took from a pipe is not the socket's that has the number by then.
#[test]
fn a_socket_in_the_place_of_a_pipe_during_a_read() {
    let mut tap = Tap::attach();
    for kind in Kind::ALL {
        let pair = Pair::new(kind);
        let (here, _) = pair.fds();
        let (pipe_read, mut pipe_write) = std::io::pipe().unwrap();
        let number = pipe_read.as_raw_fd();
        let mut child = Child::new(|_| {
            std::thread::scope(|scope| {
                let (tell, told) = std::sync::mpsc::channel();
                let reader = scope.spawn(move || {
                    tell.send(calls::gettid()).unwrap();
                    assert_eq!(read(number, 5).unwrap(), b"other");
                });
                let tid = told.recv().unwrap();
                wait_in_call(std::process::id(), tid.into(), &["0"]);
                replace(here, number);
                pipe_write.write_all(b"other").unwrap();
                reader.join().unwrap();
            });
            write(number, b"socket").unwrap();
        });
        tap.trace(child.pid(), false);
        child.go();
        child.finish();
        tap.drain();
        assert_eq!(text::of_socket(&tap.events(), pair.id()), "send 0 socket.", "{kind:?}");
        tap.forget();
    }
}

/// A receive, and the text of what is recorded of it.
type Receive = (fn(RawFd), &'static str);

/// A receive that waits since before the programs came: an idle connection of a pool, or a slow answer.
#[test]
fn a_receive_that_has_begun_before_dbtap_attached() {
    let receives: [Receive; 4] = [
        (|here| assert_eq!(read(here, 9).unwrap(), b"hello"), "recv 0 hello."),
        (|here| assert_eq!(readv(here, &[2, 9]).unwrap(), 5), "recv 0 he recv 2 llo."),
        (|here| assert_eq!(recv(here, 9, 0).unwrap(), b"hello"), "recv 0 hello."),
        (|here| assert_eq!(recvmsg(here, &[4, 1], 0).unwrap(), 5), "recv 0 hell recv 4 o."),
    ];
    for kind in [Kind::Tcp4, Kind::UnixPath] {
        for (receive, expected) in receives {
            let pair = Pair::new(kind);
            let (here, there) = pair.fds();
            let mut child = Child::new(|_| {
                receive(here);
                write(here, b"thanks").unwrap();
            });
            child.go();
            wait_in_call(child.pid(), child.pid().into(), &["0", "19", "45", "47"]);
            let path = format!("/proc/{}/fd/{here}", child.pid());
            assert!(std::fs::read_link(path).unwrap().to_string_lossy().starts_with("socket:"));
            // The child waits for its start in read(2) too, on a pipe.
            wait_for("the receive has begun", || {
                let path = format!("/proc/{}/syscall", child.pid());
                std::fs::read_to_string(path).unwrap().split(' ').nth(1) == Some(&format!("{here:#x}"))
            });
            let mut tap = Tap::attach();
            tap.trace(child.pid(), false);
            write(there, b"hello").unwrap();
            child.finish();
            tap.drain();
            let recorded = text::of_socket(&tap.events(), pair.id());
            assert_eq!(recorded, format!("{expected} send 0 thanks."), "{kind:?}");
        }
    }
}

/// Case 55: over SCM_RIGHTS to a process that is no target. What it sends belongs to that stream all the same.
#[test]
fn a_socket_that_is_handed_to_a_stranger() {
    let mut tap = Tap::attach();
    for pair in Pair::of_all_kinds() {
        let (here, there) = pair.fds();
        let way = Pair::new(Kind::UnixPair);
        let (give, take) = way.fds();
        let mut giver = Child::new(|parent| {
            write(here, b"giver").unwrap();
            calls::send_descriptor(give, here);
            parent.tell(1);
            parent.wait();
            write(here, b"giver").unwrap();
        });
        let mut taker = Child::new(|_| {
            calls::close(here);
            let got = calls::receive_descriptor(take);
            write(got, b"taker").unwrap();
            assert_eq!(recv(got, 6, 0).unwrap(), b"answer");
        });
        tap.trace(giver.pid(), false);
        giver.go();
        giver.told();
        write(there, b"answer").unwrap();
        taker.go();
        taker.finish();
        giver.go();
        giver.finish();
        tap.drain();
        assert_eq!(
            text::of_socket(&tap.events(), pair.id()),
            "send 0 giver. send 5 taker. recv 0 answer. send 10 giver.",
            "{:?}",
            pair.kind
        );
        tap.forget();
    }
}

/// Many threads, each with a connection of its own that is closed and opened again and again under few numbers.
#[test]
fn numbers_that_go_round_among_threads() {
    const THREADS: u32 = 8;
    const ROUNDS: u32 = 200;
    let mut tap = Tap::attach();
    let mut child = Child::new(|parent| {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let (mut here, mut there) = std::os::unix::net::UnixStream::pair().unwrap();
                        let word = (thread * ROUNDS + round).to_ne_bytes();
                        here.write_all(&word).unwrap();
                        let mut got = [0; 4];
                        there.read_exact(&mut got).unwrap();
                        assert_eq!(got, word);
                    }
                });
            }
        });
        parent.tell(1);
    });
    tap.trace(child.pid(), false);
    child.go();
    child.told();
    child.finish();
    tap.drain();
    let events = tap.events();
    let sockets = text::sockets(&events);
    assert_eq!(sockets.len(), usize::try_from(2 * THREADS * ROUNDS).unwrap());
    let mut words: Vec<Vec<u8>> = Vec::new();
    for socket in sockets {
        let sent = text::captured(&events, socket, true);
        let received = text::captured(&events, socket, false);
        assert_eq!(sent.len() + received.len(), 4, "one end sends and the other one receives");
        words.push([sent, received].concat());
    }
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), usize::try_from(THREADS * ROUNDS).unwrap());
}
