//! Bytes that come from no buffer of the call in progress: counted to the byte, never guessed. Cases 52 and 53. Where the
//! message itself is seen, io_uring's buffers are known.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::{
    fs::File,
    io::{Seek, Write},
    os::fd::{AsRawFd, RawFd},
};

use io_uring::{IoUring, opcode, squeue, types};
use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{self, read, send, write},
    child::Parent,
    text,
};
use tracer::{
    event::{Event, SocketId},
    source::Source,
};

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// Runs the work in a traced child; the other end's descriptor stays open in it too.
fn run(tap: &mut Tap, kind: Kind, work: impl FnOnce(RawFd, RawFd, &mut Parent)) -> SocketId {
    let pair = Pair::new(kind);
    let (here, there) = pair.fds();
    let mut child = Child::new(|parent| work(here, there, parent));
    tap.trace(child.pid(), false);
    child.go();
    child.finish();
    tap.drain();
    pair.id()
}

/// All unreadable sends of a socket as one: position of the first, and bytes.
fn unreadable(events: &[Event<'_>], id: SocketId) -> (u64, u64) {
    let pieces = events.iter().filter_map(|event| match event {
        Event::Transfer(piece) if piece.socket == id && piece.unreadable => Some(piece),
        _ => None,
    });
    pieces.fold((u64::MAX, 0), |(first, bytes), piece| {
        assert!(piece.sent && piece.bytes.is_empty());
        (first.min(piece.position), bytes + piece.len())
    })
}

#[test]
fn sendfile_to_a_socket() {
    let mut tap = Tap::attach();
    for kind in Kind::ALL {
        let file = file_of(&text::pattern(0, 100_000));
        let id = run(&mut tap, kind, |here, there, _| {
            std::thread::scope(|scope| {
                scope.spawn(|| calls::recv_all(there, 100_009));
                write(here, b"head").unwrap();
                assert_eq!(calls::sendfile(here, file.as_raw_fd(), 100_000).unwrap(), 100_000);
                write(here, b"after").unwrap();
            });
        });
        let events = tap.events();
        assert_eq!(unreadable(&events, id), (4, 100_000), "{kind:?}");
        assert_eq!(text::captured(&events, id, true), b"headafter", "{kind:?}");
        // Checks that the positions have no hole.
        assert!(text::of_socket(&events, id).ends_with("send 100004 after."), "{kind:?}");
        tap.forget();
    }
}

#[test]
fn splice_to_a_socket() {
    let mut tap = Tap::attach();
    for kind in Kind::ALL {
        let (pipe_read, mut pipe_write) = std::io::pipe().unwrap();
        pipe_write.write_all(&text::pattern(0, 5000)).unwrap();
        let id = run(&mut tap, kind, |here, _, _| {
            assert_eq!(calls::splice(pipe_read.as_raw_fd(), here, 5000).unwrap(), 5000);
            write(here, b"after").unwrap();
        });
        let events = tap.events();
        assert_eq!(unreadable(&events, id), (0, 5000), "{kind:?}");
        assert!(text::of_socket(&events, id).ends_with("send 5000 after."), "{kind:?}");
        tap.forget();
    }
}

/// The tracepoints for sends and receives do not see it: nothing moves for them.
#[test]
fn splice_from_a_socket() {
    let mut tap = Tap::attach();
    for kind in Kind::ALL {
        let (pipe_read, pipe_write) = std::io::pipe().unwrap();
        let id = run(&mut tap, kind, |here, there, _| {
            write(there, &text::pattern(0, 5000)).unwrap();
            calls::wait_readable(here);
            assert_eq!(calls::splice(here, pipe_write.as_raw_fd(), 5000).unwrap(), 5000);
            write(there, b"after").unwrap();
            assert_eq!(read(here, 5).unwrap(), b"after");
        });
        let recorded = text::of_socket(&tap.events(), id);
        if tap.sees_messages() || tap.sees_calls_only() {
            let (first, last) = recorded.split_once(' ').unwrap();
            assert!(first == "recv" && last.starts_with("0 ~"), "{kind:?}: {recorded}");
            assert!(recorded.ends_with("?. recv 5000 after."), "{kind:?}: {recorded}");
        } else {
            assert_eq!(recorded, "recv 0 after.", "{kind:?}");
        }
        drop(pipe_read);
        tap.forget();
    }
}

/// The kernel sends from the user's own pages then; the buffer is in the call as ever.
#[test]
fn zero_copy_sends_are_readable() {
    let mut tap = Tap::attach();
    let id = run(&mut tap, Kind::Tcp4, |here, there, _| {
        calls::set_option(here, libc::SOL_SOCKET, libc::SO_ZEROCOPY, 1);
        let bytes = text::pattern(0, 10_000);
        assert_eq!(send(here, &bytes, libc::MSG_ZEROCOPY).unwrap(), 10_000);
        calls::recv_all(there, 10_000);
        // The completion waits in the error queue, which is no part of the stream.
        assert_eq!(calls::recvmsg(here, &[10], libc::MSG_ERRQUEUE).unwrap(), 0);
    });
    assert_eq!(text::of_socket(&tap.events(), id), "send 0 #10000.");
}

fn complete(ring: &mut IoUring, request: &squeue::Entry) -> i32 {
    // SAFETY: the caller keeps the request's buffer alive until this function returns, after its completion.
    unsafe { ring.submission().push(request).unwrap() };
    ring.submit_and_wait(1).unwrap();
    ring.completion().next().unwrap().result()
}

fn send_request(fd: RawFd, bytes: &[u8]) -> squeue::Entry {
    opcode::Send::new(types::Fd(fd), bytes.as_ptr(), u32::try_from(bytes.len()).unwrap()).build()
}

fn recv_request(fd: RawFd, buffer: &mut [u8]) -> squeue::Entry {
    opcode::Recv::new(types::Fd(fd), buffer.as_mut_ptr(), u32::try_from(buffer.len()).unwrap()).build()
}

/// What io_uring moves without a call of its own is missing where calls are seen only, and known to be.
fn check_unseen(tap: &mut Tap) {
    let unseen = tap.kernel.losses().calls_unseen;
    assert_eq!(unseen > 0, tap.sees_calls_only(), "{unseen}");
}

#[test]
fn io_uring_in_each_mode() {
    let mut tap = Tap::attach();
    for (mode, flags) in [
        ("inline", squeue::Flags::empty()),
        ("worker thread", squeue::Flags::ASYNC),
        ("polling thread", squeue::Flags::empty()),
    ] {
        for kind in [Kind::Tcp4, Kind::Tcp6, Kind::UnixPath] {
            let id = run(&mut tap, kind, |here, there, _| {
                let mut builder = IoUring::builder();
                if mode == "polling thread" {
                    builder.setup_sqpoll(2000);
                }
                let mut ring = builder.build(8).unwrap();
                assert_eq!(complete(&mut ring, &send_request(here, b"hello").flags(flags)), 5);
                write(there, b"abc").unwrap();
                let mut buffer = [0; 10];
                assert_eq!(complete(&mut ring, &recv_request(here, &mut buffer).flags(flags)), 3);
                assert_eq!(&buffer[..3], b"abc");
                // Ordinary calls of the same thread stay readable.
                write(here, b"plain").unwrap();
                write(there, b"text").unwrap();
                assert_eq!(read(here, 4).unwrap(), b"text");
            });
            // Where calls are seen only, that something is missing.
            let expected = if tap.sees_calls_only() {
                "send 0 plain. recv 0 text."
            } else if tap.sees_messages() {
                "send 0 hello. recv 0 abc. send 5 plain. recv 3 text."
            } else {
                "send 0 ~5?. recv 0 ~3?. send 5 plain. recv 3 text."
            };
            assert_eq!(text::of_socket(&tap.events(), id), expected, "{mode}, {kind:?}");
            check_unseen(&mut tap);
            tap.forget();
        }
    }
}

/// A receive that waited is completed inside whatever call its thread is in: here a read of something else.
#[test]
fn io_uring_completion_inside_another_read() {
    let mut tap = Tap::attach();
    for kind in [Kind::Tcp4, Kind::UnixPair] {
        let pair = Pair::new(kind);
        let (here, there) = pair.fds();
        let (pipe_read, mut pipe_write) = std::io::pipe().unwrap();
        let mut child = Child::new(|parent| {
            let mut ring = IoUring::new(8).unwrap();
            let mut buffer = [0; 5];
            // SAFETY: the buffer lives until the completion below.
            unsafe { ring.submission().push(&recv_request(here, &mut buffer)).unwrap() };
            ring.submit().unwrap();
            parent.tell(1);
            assert_eq!(read(pipe_read.as_raw_fd(), 5).unwrap(), b"other");
            ring.submit_and_wait(1).unwrap();
            assert_eq!(ring.completion().next().unwrap().result(), 5);
            assert_eq!(&buffer, b"hello");
        });
        tap.trace(child.pid(), false);
        child.go();
        child.told();
        let in_read = format!("/proc/{}/syscall", child.pid());
        tests::kernel::tap::wait_for("the child waits in read", || {
            std::fs::read_to_string(&in_read).is_ok_and(|text| text.starts_with("0 "))
        });
        write(there, b"hello").unwrap();
        let id = pair.id();
        let expected = if tap.sees_calls_only() {
            ""
        } else if tap.sees_messages() {
            "recv 0 hello."
        } else {
            "recv 0 ~5?."
        };
        tap.wait_until("the completion", |events| text::of_socket(events, id) == expected);
        pipe_write.write_all(b"other").unwrap();
        child.finish();
        tap.drain();
        assert_eq!(text::of_socket(&tap.events(), id), expected, "{kind:?}");
        check_unseen(&mut tap);
        tap.forget();
    }
}

/// As above, inside a write: the direction alone tells that the buffer is another one.
#[test]
fn io_uring_completion_inside_the_write_that_caused_it() {
    let mut tap = Tap::attach();
    for kind in [Kind::Tcp4, Kind::UnixPair] {
        let id = run(&mut tap, kind, |here, there, _| {
            let mut ring = IoUring::new(8).unwrap();
            let mut buffer = [0; 5];
            // SAFETY: the buffer lives until the completion below.
            unsafe { ring.submission().push(&recv_request(here, &mut buffer)).unwrap() };
            ring.submit().unwrap();
            write(there, b"hello").unwrap();
            ring.submit_and_wait(1).unwrap();
            assert_eq!(ring.completion().next().unwrap().result(), 5);
        });
        let expected = if tap.sees_calls_only() {
            ""
        } else if tap.sees_messages() {
            "recv 0 hello."
        } else {
            "recv 0 ~5?."
        };
        assert_eq!(text::of_socket(&tap.events(), id), expected, "{kind:?}");
        check_unseen(&mut tap);
        tap.forget();
    }
}

/// A 32-bit program's calls have numbers and structures of their own; any program can make one.
#[cfg(target_arch = "x86_64")]
#[test]
fn calls_of_32_bit_programs() {
    let mut tap = Tap::attach();
    for kind in Kind::ALL {
        let id = run(&mut tap, kind, |here, _, _| {
            // SAFETY: a fresh mapping of one page, below 4 GiB, where such a call can point to.
            let low = unsafe {
                let (access, kind) = (
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
                );
                libc::mmap(std::ptr::null_mut(), 4096, access, kind, -1, 0)
            };
            assert_ne!(low, libc::MAP_FAILED);
            // SAFETY: inside the mapping.
            unsafe { low.cast::<[u8; 5]>().write(*b"hello") };
            assert_eq!(write_32_bit(here, low, 5), 5);
            write(here, b"plain").unwrap();
        });
        let expected = if tap.sees_calls_only() { "send 0 plain." } else { "send 0 ~5?. send 5 plain." };
        assert_eq!(text::of_socket(&tap.events(), id), expected, "{kind:?}");
        check_unseen(&mut tap);
        tap.forget();
    }
}

/// write(2) by the gate of 32-bit programs; number 4 of arch/x86/entry/syscalls/syscall_32.tbl.
#[cfg(target_arch = "x86_64")]
fn write_32_bit(fd: RawFd, bytes: *const libc::c_void, length: u64) -> i64 {
    let mut result = 4_i64;
    // SAFETY: rbx belongs to the compiler, so it is put back; the kernel changes no other register but r8 to r11.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {fd}",
            "int 0x80",
            "xchg rbx, {fd}",
            fd = inout(reg) i64::from(fd) => _,
            inout("rax") result,
            in("rcx") bytes,
            in("rdx") length,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    result
}
