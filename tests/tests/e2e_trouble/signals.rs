//! Signals, closed pipes, and being killed.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::dbtap::{Dbtap, binary};
use tests::drivers::{loaded_bpf_programs, signal};
use tracer::report::model::EndedBy;

/// A process to watch that does nothing.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("600").stdout(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn one_signal_ends_the_capture_with_its_report() {
    let sleeper = Sleeper::start();
    for name in ["INT", "TERM"] {
        let dbtap = Dbtap::attach(sleeper.pid()).unwrap().start().unwrap();
        dbtap.signal(name).unwrap();
        let ended = dbtap.wait(Duration::from_secs(20)).unwrap();
        assert_eq!(
            (ended.code, ended.report().unwrap().capture.ended_by),
            (Some(0), EndedBy::Interrupt),
            "{name}"
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let sleeper = Sleeper::start();
    // Its stdout is a pipe that is full and that nobody reads: the first Ctrl-C leaves it writing the report.
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b'x'; 64 << 10]).unwrap();
    let mut dbtap = Command::new(binary().unwrap())
        .args(["attach", &sleeper.pid().to_string(), "--duration", "10m"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = vec![0; 8];
    dbtap.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
    assert_eq!(said, b"attached");
    signal(dbtap.id(), "INT").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert!(dbtap.try_wait().unwrap().is_none(), "it has ended although its report has nowhere to go");
    let begin = Instant::now();
    signal(dbtap.id(), "INT").unwrap();
    assert_eq!(dbtap.wait().unwrap().code(), Some(130));
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 64 << 10, "no piece of a report");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sleeper = Sleeper::start();
    for form in ["table", "json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = Command::new(binary().unwrap())
            .args(["attach", &sleeper.pid().to_string(), "--duration", "200ms", "--format", form])
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "{form}: {:?} {stderr}", done.status);
        assert_eq!(stderr.lines().count(), 1, "{form}: {stderr}");
    }
    // A stderr that goes away must not end the capture.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = Command::new(binary().unwrap())
        .args(["attach", &sleeper.pid().to_string(), "--duration", "200ms", "--format", "json"])
        .stderr(writer)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(0), "{:?}", done.status);
    assert!(done.stdout.starts_with(b"{") && done.stdout.ends_with(b"}\n"), "{:?}", done.stdout.len());
}

#[test]
fn killed_it_leaves_no_program_in_the_kernel() {
    let sleeper = Sleeper::start();
    let dbtap = Dbtap::attach(sleeper.pid()).unwrap().start().unwrap();
    let programs = programs_of(dbtap.pid());
    assert!(programs.len() >= 6, "{programs:?}");
    assert_eq!(loaded_bpf_programs(&programs).unwrap(), programs);
    dbtap.signal("KILL").unwrap();
    let ended = dbtap.wait(Duration::from_secs(5)).unwrap();
    assert_eq!((ended.code, ended.signal), (None, Some(9)));
    // The kernel frees them a moment later.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !loaded_bpf_programs(&programs).unwrap().is_empty() {
        assert!(Instant::now() < deadline, "still there: {programs:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(std::path::Path::new(&format!("/proc/{}/stat", sleeper.pid())).exists(), "the target lives on");
}

/// Ids of the BPF programs that a process holds (`prog_id` of its descriptors, kernel/bpf/syscall.c).
fn programs_of(pid: u32) -> Vec<u32> {
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        ids.extend(text.lines().filter_map(|line| line.strip_prefix("prog_id:")?.trim().parse::<u32>().ok()));
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}
