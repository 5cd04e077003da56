//! Calls that wait while probes come and go.

use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{read, recv, write},
    tap::wait_for,
    text,
};

/// Waits until the process sleeps in a call of the kernel that is none of the ones that a child waits for its test in.
fn wait_in_receive(pid: u32) {
    let place = format!("/proc/{pid}/syscall");
    // recvfrom
    let is_there = || std::fs::read_to_string(&place).is_ok_and(|text| text.starts_with("45 "));
    wait_for("the child waits in a receive", is_there);
}

/// The probes go while a thread waits inside the function that they are on. The call ends as ever.
#[test]
fn probes_go_while_a_receive_waits() {
    for kind in Kind::ALL {
        let mut tap = Tap::attach();
        let pair = Pair::new(kind);
        let (here, there) = pair.fds();
        let mut child = Child::new(|_| {
            assert_eq!(recv(here, 9, 0).unwrap(), b"hello");
            write(here, b"thanks").unwrap();
        });
        tap.trace(child.pid(), false);
        child.go();
        wait_in_receive(child.pid());
        drop(tap);
        write(there, b"hello").unwrap();
        assert_eq!(read(there, 9).unwrap(), b"thanks");
        child.finish();
    }
}

/// The probes come while a thread waits in a receive. One on the function itself does not see this call's end; it is on the
/// way of every later one.
#[test]
fn probes_come_while_a_receive_waits() {
    for kind in Kind::ALL {
        let pair = Pair::new(kind);
        let (here, there) = pair.fds();
        let mut child = Child::new(|_| {
            assert_eq!(recv(here, 9, 0).unwrap(), b"before");
            write(here, b"thanks").unwrap();
            assert_eq!(recv(here, 9, 0).unwrap(), b"after");
        });
        child.go();
        wait_in_receive(child.pid());
        let mut tap = Tap::attach();
        tap.trace(child.pid(), false);
        write(there, b"before").unwrap();
        assert_eq!(read(there, 9).unwrap(), b"thanks");
        write(there, b"after").unwrap();
        child.finish();
        tap.drain();
        let expected = if tap.sees_messages() {
            "send 0 thanks. recv 0 after."
        } else {
            "recv 0 before. send 0 thanks. recv 6 after."
        };
        assert_eq!(text::of_socket(&tap.events(), pair.id()), expected, "{kind:?}");
    }
}
