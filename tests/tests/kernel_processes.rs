//! Which processes are traced: children, threads, programs that replace each other, ends, and process ids used again.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure report, also outside the test functions"
)]

use std::{
    fs,
    os::fd::RawFd,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tests::kernel::{
    Child, Kind, Pair, Tap,
    calls::{self, gettid, write},
    child::{Parent, fork},
    tap::{NO_LIMIT, wait_for},
    text,
};
use tracer::{
    event::{Event, SocketId},
    request::Task,
    source::{Source, bpf::Limits},
};

/// One test sets the host's next process id; no other test of this program may fork then.
static PROCESS_IDS: Mutex<()> = Mutex::new(());

fn process_ids() -> MutexGuard<'static, ()> {
    PROCESS_IDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who made the transfers of a socket.
fn tasks(events: &[Event<'_>], id: SocketId) -> Vec<Task> {
    let pieces = events.iter().filter_map(|event| match event {
        Event::Transfer(piece) if piece.socket == id => Some(piece.task),
        _ => None,
    });
    pieces.collect()
}

fn of_pid(pid: u32) -> Task {
    Task { pid, tid: pid }
}

/// Case 56.
#[test]
fn children_and_their_children_are_followed() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    let pairs = [Pair::new(Kind::Tcp4), Pair::new(Kind::Tcp6), Pair::new(Kind::UnixPath)];
    let [parents, childs, grandchilds] = pairs.each_ref().map(|pair| pair.fds().0);
    let mut parent = Child::new(|link| {
        write(parents, b"parent").unwrap();
        fork(link, |link| {
            write(childs, b"child").unwrap();
            write(parents, b"child too").unwrap();
            fork(link, |_| {
                write(grandchilds, b"grandchild").unwrap();
            });
        });
    });
    tap.trace(parent.pid(), true);
    parent.go();
    let (child, grandchild) = (told_pid(&mut parent), told_pid(&mut parent));
    parent.finish();
    tap.drain();
    let events = tap.events();
    let pid = parent.pid();
    assert_eq!(text::of_socket(&events, pairs[0].id()), "send 0 parent. send 6 child too.");
    assert_eq!(text::of_socket(&events, pairs[1].id()), "send 0 child.");
    assert_eq!(text::of_socket(&events, pairs[2].id()), "send 0 grandchild.");
    assert_eq!(tasks(&events, pairs[0].id()), [of_pid(pid), of_pid(child)]);
    assert_eq!(tasks(&events, pairs[2].id()), [of_pid(grandchild)]);
    assert_eq!(
        text::processes(&events),
        [
            format!("fork {child} of {pid}"),
            format!("fork {grandchild} of {child}"),
            format!("exit {grandchild}"),
            format!("exit {child}"),
            format!("exit {pid}"),
        ]
    );
    for pid in [pid, child, grandchild] {
        assert!(!tap.kernel.targets.contains(pid));
    }
}

/// Case 56: not followed, but what the child sends over a shared socket belongs to that stream.
#[test]
fn a_child_that_is_not_followed_shares_its_sockets() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    let pairs = [Pair::new(Kind::Tcp4), Pair::new(Kind::UnixPair)];
    let [shared, own] = pairs.each_ref().map(|pair| pair.fds().0);
    let mut parent = Child::new(|link| {
        write(shared, b"parent").unwrap();
        fork(link, |_| {
            write(shared, b"child").unwrap();
            write(own, b"child").unwrap();
        });
        write(shared, b"again").unwrap();
    });
    tap.trace(parent.pid(), false);
    parent.go();
    let child = told_pid(&mut parent);
    parent.finish();
    tap.drain();
    let events = tap.events();
    let pid = parent.pid();
    assert_eq!(text::of_socket(&events, pairs[0].id()), "send 0 parent. send 6 child. send 11 again.");
    assert_eq!(tasks(&events, pairs[0].id()), [of_pid(pid), of_pid(child), of_pid(pid)]);
    assert_eq!(text::of_socket(&events, pairs[1].id()), "");
    assert_eq!(text::processes(&events), [format!("exit {pid}")]);
}

/// A shell makes its children with vfork where it can, and they run another program.
#[test]
fn vfork_and_exec() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    let pair = Pair::new(Kind::Tcp4);
    let here = pair.fds().0;
    let mut parent = Child::new(|link| {
        make_output(here);
        link.tell(u64::from(spawn(&["/bin/sh", "-c", "/bin/echo one; exec /bin/echo two"])));
    });
    tap.trace(parent.pid(), true);
    parent.go();
    let shell = told_pid(&mut parent);
    parent.finish();
    tap.drain();
    let events = tap.events();
    assert_eq!(text::of_socket(&events, pair.id()), "send 0 one\\n. send 4 two\\n.");
    let by = tasks(&events, pair.id());
    let echo = by[0].pid;
    assert_eq!(by, [of_pid(echo), of_pid(shell)]);
    let pid = parent.pid();
    assert_eq!(
        text::processes(&events),
        [
            format!("fork {shell} of {pid}"),
            format!("exec {shell}"),
            format!("fork {echo} of {shell}"),
            format!("exec {echo}"),
            format!("exit {echo}"),
            format!("exec {shell}"),
            format!("exit {shell}"),
            format!("exit {pid}"),
        ]
    );
}

/// Exec of the target itself, also by a thread that is not the main one: the process keeps its id and stays traced.
#[test]
fn exec_keeps_a_target() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    for in_thread in [false, true] {
        let pair = Pair::new(Kind::UnixPath);
        let here = pair.fds().0;
        let mut child = Child::new(|_| {
            write(here, b"before ").unwrap();
            make_output(here);
            let replace = || exec(&["/bin/sh", "-c", "echo after"]);
            if in_thread {
                std::thread::spawn(replace).join().unwrap();
            } else {
                replace();
            }
        });
        tap.trace(child.pid(), false);
        child.go();
        child.finish();
        tap.drain();
        let (events, pid) = (tap.events(), child.pid());
        assert_eq!(text::of_socket(&events, pair.id()), "send 0 before . send 7 after\\n.");
        assert_eq!(tasks(&events, pair.id()), [of_pid(pid), of_pid(pid)]);
        assert_eq!(text::processes(&events), [format!("exec {pid}"), format!("exit {pid}")]);
        tap.forget();
    }
}

/// Case 57.
#[test]
fn threads_have_their_process_and_their_own_id() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    for pair in Pair::of_all_kinds() {
        let (here, there) = pair.fds();
        let mut child = Child::new(|parent| {
            std::thread::scope(|scope| {
                let reader = scope.spawn(move || {
                    assert_eq!(calls::recv(here, 6, 0).unwrap(), b"answer");
                    gettid()
                });
                write(here, b"question").unwrap();
                write(there, b"answer").unwrap();
                parent.tell(u64::from(reader.join().unwrap()));
            });
        });
        tap.trace(child.pid(), false);
        child.go();
        let reader = told_pid(&mut child);
        child.finish();
        tap.drain();
        let pid = child.pid();
        assert_eq!(text::of_socket(&tap.events(), pair.id()), "send 0 question. recv 0 answer.");
        assert_eq!(tasks(&tap.events(), pair.id()), [of_pid(pid), Task { pid, tid: reader }]);
        assert_eq!(
            text::processes(&tap.events()),
            [format!("exit {pid}")],
            "a thread's end is none of the process"
        );
        tap.forget();
    }
}

#[test]
fn a_process_ends_with_its_last_thread() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    let pair = Pair::new(Kind::UnixPair);
    let here = pair.fds().0;
    let mut child = Child::new(|parent| {
        write(here, b"main").unwrap();
        // SAFETY: this thread never comes back from `exit`, so what it borrows stays.
        let parent: &'static mut Parent = unsafe { &mut *std::ptr::from_mut(parent) };
        std::thread::spawn(move || {
            parent.wait();
            write(here, b"last").unwrap();
            exit_thread()
        });
        exit_thread()
    });
    tap.trace(child.pid(), false);
    child.go();
    let stat = format!("/proc/{}/stat", child.pid());
    wait_for("the main thread is gone", || fs::read_to_string(&stat).unwrap().contains(") Z "));
    tap.drain();
    assert_eq!(text::processes(&tap.events()), [""; 0]);
    assert!(tap.kernel.targets.contains(child.pid()));
    child.go();
    child.finish();
    tap.drain();
    assert_eq!(text::of_socket(&tap.events(), pair.id()), "send 0 main. send 4 last.");
    assert_eq!(text::processes(&tap.events()), [format!("exit {}", child.pid())]);
    assert!(!tap.kernel.targets.contains(child.pid()));
}

/// A process that is killed has all its threads end at once, on several CPUs; it ends once.
#[test]
fn many_threads_that_are_killed_at_once_are_one_end() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    for _ in 0..20 {
        let mut child = Child::new(|parent| {
            for _ in 0..16 {
                std::thread::spawn(|| std::thread::sleep(std::time::Duration::MAX));
            }
            parent.tell(1);
            parent.wait();
        });
        tap.trace(child.pid(), true);
        child.go();
        child.told();
        child.kill();
        tap.drain();
        assert_eq!(text::processes(&tap.events()), [format!("exit {}", child.pid())]);
        tap.forget();
    }
}

/// Case 65.
#[test]
fn a_process_id_that_is_used_again_is_not_traced() {
    let _guard = process_ids();
    let mut tap = Tap::attach();
    let pairs = [Pair::new(Kind::Tcp4), Pair::new(Kind::Tcp4)];
    let [first, second] = pairs.each_ref().map(|pair| pair.fds().0);
    let mut target = Child::new(|_| {
        write(first, b"target").unwrap();
    });
    let pid = target.pid();
    tap.trace(pid, true);
    target.go();
    target.finish();
    let mut stranger = None;
    wait_for("another process gets the id", || {
        // The next process gets the id after this one, unless another one of the host is faster.
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let child = Child::new(|_| {
            write(second, b"stranger").unwrap();
        });
        let same = child.pid() == pid;
        stranger = Some(child);
        same
    });
    let mut stranger = stranger.unwrap();
    assert!(!tap.kernel.targets.contains(pid));
    stranger.go();
    stranger.finish();
    tap.drain();
    assert_eq!(text::of_socket(&tap.events(), pairs[0].id()), "send 0 target.");
    assert_eq!(text::of_socket(&tap.events(), pairs[1].id()), "");
    assert_eq!(text::processes(&tap.events()), [format!("exit {pid}")]);
}

/// 1,024 processes is the product's limit: one more is refused, and the others go on.
#[test]
fn a_full_target_table_refuses_and_goes_on() {
    let _guard = process_ids();
    const MOST: u32 = 1024;
    let mut tap = Tap::with_limits(Limits { capture_bytes: NO_LIMIT, max_targets: MOST });
    let pairs = [Pair::new(Kind::Tcp4), Pair::new(Kind::UnixPair), Pair::new(Kind::UnixPair)];
    let [parents, firsts, seconds] = pairs.each_ref().map(|pair| pair.fds().0);
    let mut idle: Vec<Child> = (2..MOST).map(|_| Child::new(|_| {})).collect();
    let mut parent = Child::new(|link| {
        fork(link, |link| {
            link.wait();
            write(firsts, b"followed").unwrap();
        });
        // Only now is there no room.
    });
    let mut second = Child::new(|link| {
        fork(link, |_| {
            write(seconds, b"refused").unwrap();
        });
        write(parents, b"goes on").unwrap();
    });
    for child in &idle {
        tap.trace(child.pid(), false);
    }
    tap.trace(second.pid(), true);
    tap.trace(parent.pid(), true);
    assert!(!tap.kernel.targets.insert(std::process::id(), false), "the 1,025th found room");
    assert!(tap.kernel.targets.insert(parent.pid(), true), "who is traced already needs no room");
    // A child of a target finds no room.
    second.go();
    let refused = told_pid(&mut second);
    second.finish();
    tap.drain();
    assert_eq!(tap.kernel.losses().targets_refused, 1);
    assert!(!tap.kernel.targets.contains(refused));
    assert_eq!(text::of_socket(&tap.events(), pairs[0].id()), "send 0 goes on.");
    assert_eq!(text::of_socket(&tap.events(), pairs[2].id()), "");
    // The end of that target made room for one more.
    parent.go();
    let followed = told_pid(&mut parent);
    assert!(tap.kernel.targets.contains(followed));
    parent.go();
    parent.finish();
    tap.drain();
    assert_eq!(text::of_socket(&tap.events(), pairs[1].id()), "send 0 followed.");
    assert_eq!(tap.kernel.losses().targets_refused, 1);
    for child in &mut idle {
        child.go();
        child.finish();
    }
    for child in &idle {
        assert!(!tap.kernel.targets.contains(child.pid()));
    }
}

/// Forks and exits on all CPUs at once leave the count of targets exact: room is neither lost nor won.
#[test]
fn the_number_of_targets_survives_many_forks() {
    let _guard = process_ids();
    const MOST: u32 = 40;
    let mut tap = Tap::with_limits(Limits { capture_bytes: NO_LIMIT, max_targets: MOST });
    let mut parents: Vec<Child> = (0..4)
        .map(|_| {
            Child::new(|_| {
                for _ in 0..500 {
                    // SAFETY: the child ends at once.
                    match unsafe { libc::fork() } {
                        0 => exit_thread(),
                        // SAFETY: our own child; the status is not asked for.
                        pid => assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid),
                    }
                }
            })
        })
        .collect();
    for parent in &parents {
        tap.trace(parent.pid(), true);
    }
    parents.iter_mut().for_each(Child::go);
    parents.iter_mut().for_each(Child::finish);
    assert_eq!(tap.kernel.losses().targets_refused, 0);
    tap.drain();
    assert_eq!(text::processes(&tap.events()).len(), 4 * (1 + 2 * 500));
    let idle: Vec<Child> = (0..=MOST).map(|_| Child::new(|_| {})).collect();
    let found_room = idle.iter().filter(|child| tap.kernel.targets.insert(child.pid(), false)).count();
    assert_eq!(u32::try_from(found_room).unwrap(), MOST);
}

fn told_pid(child: &mut Child) -> u32 {
    u32::try_from(child.told()).unwrap()
}

/// Ends the calling thread only, without a destructor.
fn exit_thread() -> ! {
    // SAFETY: never comes back.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    unreachable!()
}

/// Makes a socket the standard output, which survives exec.
fn make_output(fd: RawFd) {
    // SAFETY: takes no memory; nothing in this child prints.
    assert_eq!(unsafe { libc::dup2(fd, 1) }, 1);
}

/// The argument list of exec: C strings and the array over them.
fn arguments(words: &[&str]) -> (Vec<std::ffi::CString>, Vec<*mut libc::c_char>) {
    let strings: Vec<_> = words.iter().map(|word| std::ffi::CString::new(*word).unwrap()).collect();
    let mut list: Vec<_> = strings.iter().map(|string| string.as_ptr().cast_mut()).collect();
    list.push(std::ptr::null_mut());
    (strings, list)
}

fn exec(words: &[&str]) {
    let (_strings, list) = arguments(words);
    // SAFETY: a null-terminated array of C strings that outlives the call.
    unsafe { libc::execv(list[0], list.as_ptr().cast()) };
    unreachable!("{words:?}: {}", std::io::Error::last_os_error());
}

/// posix_spawn(3), which glibc makes with `CLONE_VFORK`. Waits for a good end; gives the process id.
fn spawn(words: &[&str]) -> u32 {
    let (_strings, list) = arguments(words);
    let (mut pid, mut status) = (0, 0);
    let environment = [std::ptr::null_mut()];
    // SAFETY: null-terminated arrays of C strings, and room for the results; all outlive the calls.
    unsafe {
        let error = libc::posix_spawn(
            &raw mut pid,
            list[0],
            std::ptr::null(),
            std::ptr::null(),
            list.as_ptr(),
            environment.as_ptr(),
        );
        assert_eq!(error, 0);
        assert_eq!(libc::waitpid(pid, &raw mut status, 0), pid);
    }
    assert_eq!(status, 0);
    u32::try_from(pid).unwrap()
}
