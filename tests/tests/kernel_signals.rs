//! Calls that a signal interrupts. Case 50.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::{
    os::fd::RawFd,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use libc::MSG_WAITALL;
use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{recv, write},
    text,
};

extern "C" fn do_nothing(_: libc::c_int) {}

fn handle_sigusr1(flags: libc::c_int) {
    // SAFETY: a structure of integers, an address and a set, for which all bits zero is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = do_nothing as *const () as usize;
    action.sa_flags = flags;
    // SAFETY: the handler does nothing, and the structure outlives the call.
    assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) }, 0);
}

/// The traced child receives while the test keeps sending signals to it; `meanwhile` is the test's own work at the other
/// end, after which the signals go on until the child has finished.
fn check(flags: libc::c_int, work: fn(RawFd), meanwhile: fn(RawFd), expected: &str) {
    let mut tap = Tap::attach();
    for kind in Kind::ALL {
        let pair = Pair::new(kind);
        let (here, there) = pair.fds();
        let mut child = Child::new(|parent| {
            handle_sigusr1(flags);
            parent.tell(1);
            work(here);
            parent.tell(2);
            parent.wait();
        });
        tap.trace(child.pid(), false);
        child.go();
        child.told();
        let pid = i32::try_from(child.pid()).unwrap();
        let done = AtomicBool::new(false);
        let rounds = Mutex::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // SAFETY: a child of ours that has not been waited for.
                    unsafe { libc::kill(pid, libc::SIGUSR1) };
                    *rounds.lock().unwrap() += 1;
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
            });
            tests::kernel::tap::wait_for("ten signals", || *rounds.lock().unwrap() >= 10);
            meanwhile(there);
            child.told();
            done.store(true, Ordering::Relaxed);
        });
        child.go();
        child.finish();
        tap.drain();
        assert_eq!(text::of_socket(&tap.events(), pair.id()), expected, "{kind:?}");
        tap.forget();
    }
}

#[test]
fn an_interrupted_receive_moves_nothing_and_ends_nothing() {
    let work = |here| {
        assert_eq!(recv(here, 9, 0).unwrap_err().raw_os_error(), Some(libc::EINTR));
        while recv(here, 9, 0).is_err() {}
    };
    check(0, work, |there| assert_eq!(write(there, b"hello").unwrap(), 5), "recv 0 hello.");
}

#[test]
fn a_receive_that_the_kernel_starts_again() {
    let work = |here| assert_eq!(recv(here, 9, 0).unwrap(), b"hello");
    check(libc::SA_RESTART, work, |there| assert_eq!(write(there, b"hello").unwrap(), 5), "recv 0 hello.");
}

#[test]
fn a_receive_that_is_cut_by_a_signal() {
    let work = |here| {
        let mut got = Vec::new();
        while got.is_empty() {
            got = recv(here, 9, MSG_WAITALL).unwrap_or_default();
        }
        assert_eq!(got, b"hello");
    };
    check(0, work, |there| assert_eq!(write(there, b"hello").unwrap(), 5), "recv 0 hello.");
}
