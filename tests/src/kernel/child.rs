//! A child process that does a known piece of work, when it is told to.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the failure report"
)]

use std::{
    any::Any,
    fs::File,
    io::{Read, Write},
    os::fd::{FromRawFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Exit status of a child whose work panicked.
const PANICKED: i32 = 101;

/// A forked process. Killed when dropped before its end.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
    go: Option<File>,
    told: File,
    reaped: bool,
}

/// The child's side of the talk with the test. Over pipes, so that it makes no socket traffic.
#[derive(Debug)]
pub struct Parent {
    go: File,
    told: File,
}

impl Child {
    /// Forks. The child waits for [`Self::go`], does its work and ends.
    ///
    /// The work must not print: another thread of the test may have held the lock of a stream at the fork.
    pub fn new(work: impl FnOnce(&mut Parent)) -> Self {
        let (go_read, go_write) = pipe();
        let (told_read, told_write) = pipe();
        // SAFETY: the child runs only `work` and ends with `_exit`; glibc keeps its allocator usable after fork.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
        if pid == 0 {
            drop((go_write, told_read));
            let mut parent = Parent { go: go_read, told: told_write };
            let result = catch_unwind(AssertUnwindSafe(|| {
                parent.wait();
                work(&mut parent);
            }));
            if let Err(reason) = &result {
                let _ = parent.told.write_all(reason_text(reason.as_ref()).as_bytes());
            }
            // SAFETY: ends the process at once; the test's own destructors and buffers are none of the child's.
            unsafe { libc::_exit(if result.is_ok() { 0 } else { PANICKED }) }
        }
        Self { pid, go: Some(go_write), told: told_read, reaped: false }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        u32::try_from(self.pid).unwrap()
    }

    /// Lets the child go on, from its start or its next [`Parent::wait`].
    pub fn go(&mut self) {
        self.go.as_mut().expect("the child still runs").write_all(b".").unwrap();
    }

    /// Waits for the next number that the child tells.
    pub fn told(&mut self) -> u64 {
        let mut bytes = [0; 8];
        match self.told.read_exact(&mut bytes) {
            Ok(()) => u64::from_ne_bytes(bytes),
            Err(_) => panic!("the child ended and told nothing more"),
        }
    }

    /// Waits for the end, which must be a good one.
    pub fn finish(&mut self) {
        self.go = None;
        let mut said = Vec::new();
        self.told.read_to_end(&mut said).unwrap();
        let status = self.reap();
        assert!(
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
            "the child failed (status {status:#x}): {}",
            String::from_utf8_lossy(&said)
        );
    }

    /// Kills it with SIGKILL and waits for its end.
    pub fn kill(&mut self) {
        // SAFETY: our own child, not reaped yet, so the id is its own.
        assert_eq!(unsafe { libc::kill(self.pid, libc::SIGKILL) }, 0);
        self.reap();
    }

    fn reap(&mut self) -> i32 {
        let mut status = 0;
        // SAFETY: our own child; `status` outlives the call.
        assert_eq!(unsafe { libc::waitpid(self.pid, &raw mut status, 0) }, self.pid);
        self.reaped = true;
        status
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            // SAFETY: as in `kill` and `reap`; a failure has nobody to tell.
            unsafe {
                libc::kill(self.pid, libc::SIGKILL);
                libc::waitpid(self.pid, std::ptr::null_mut(), 0);
            }
        }
    }
}

impl Parent {
    /// Waits for the test's next [`Child::go`].
    pub fn wait(&mut self) {
        self.go.read_exact(&mut [0]).expect("the test goes on");
    }

    /// Tells the test a number.
    pub fn tell(&mut self, number: u64) {
        self.told.write_all(&number.to_ne_bytes()).unwrap();
    }
}

fn reason_text(reason: &(dyn Any + Send)) -> String {
    let text = reason.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| reason.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: fresh descriptors that nobody else owns.
    let own = |end| File::from(unsafe { OwnedFd::from_raw_fd(end) });
    (own(ends[0]), own(ends[1]))
}

/// Inside a child: makes a child of its own, tells the test its process id, and waits for its good end.
pub fn fork(parent: &mut Parent, work: impl FnOnce(&mut Parent)) {
    // SAFETY: as in `Child::new`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let result = catch_unwind(AssertUnwindSafe(|| work(parent)));
        // SAFETY: as in `Child::new`.
        unsafe { libc::_exit(if result.is_ok() { 0 } else { PANICKED }) }
    }
    parent.tell(u64::try_from(pid).unwrap());
    let mut status = 0;
    // SAFETY: our own child; `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert_eq!(status, 0, "the child's own child failed");
}
