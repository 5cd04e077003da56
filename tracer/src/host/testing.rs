//! Processes for tests.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that does nothing, and ends with the test.
pub(crate) struct Idle(Child);

impl Idle {
    /// Starts a program that gives back what it reads, such as cat(1), and waits for its first answer: before that, the
    /// kernel may not have given the process its new name and mappings yet, although it returned to the parent.
    pub(crate) fn start(program: &Path) -> Self {
        let mut child = spawn(&mut Command::new(program));
        child.stdin.as_mut().expect("piped").write_all(b"ready\n").expect("it reads");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it answers");
        assert_eq!(line, "ready\n");
        Self(child)
    }

    /// cat(1) under its own name.
    pub(crate) fn cat() -> Self {
        Self::start(Path::new("/bin/cat"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it and leaves it a zombie of this process.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("it is a child of this process");
    }
}

/// Starts a command with pipes. A program file that was just written may still be open for writing in a child that another
/// thread of this process has forked and that has not begun its own program; that passes at once.
pub(crate) fn spawn(command: &mut Command) -> Child {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            child => return child.expect("it starts"),
        }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
