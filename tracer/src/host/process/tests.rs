//! Lines as the kernel writes them, and real processes.

use super::*;
use crate::host::testing::Idle;
use proptest::prelude::*;

const TAIL: &str = "S 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 9 0 123456 1000 10";

#[test]
fn stat_lines() {
    let check = |line: &str, expected: &str| {
        let shown = Stat::parse(line.as_bytes()).map_or("none".to_owned(), |s| {
            format!(
                "{} <{}> parent {} start {} threads {} ended {} kernel {}",
                s.pid, s.comm, s.parent_pid, s.start_time_ticks, s.threads, s.ended, s.kernel_thread
            )
        });
        assert_eq!(shown, expected, "{line}");
    };
    let rest = "parent 1 start 123456 threads 9 ended false kernel false";
    check(&format!("7 (sleep) {TAIL}\n"), &format!("7 <sleep> {rest}"));
    check(&format!("7 (a b) (c)) {TAIL}"), &format!("7 <a b) (c)> {rest}"));
    check(&format!("7 () {TAIL}"), &format!("7 <> {rest}"));
    check(&format!("7 (x) R 9 (y\n) {TAIL}"), &format!("7 <x) R 9 (y\n> {rest}"));
    check(
        &format!("7 (z) {}", TAIL.replacen('S', "Z", 1)),
        "7 <z> parent 1 start 123456 threads 9 ended true kernel false",
    );
    check(
        &format!("2 (kthreadd) {}", TAIL.replace("4194304", "2129984")),
        "2 <kthreadd> parent 1 start 123456 threads 9 ended false kernel true",
    );
    for wrong in ["", "7", "7 (", "7 )(", "x (a) S 1", "7 (a) S 1 2 3", "-7 (a) S 1"] {
        check(wrong, "none");
    }
}

#[test]
fn small_parsers() {
    assert_eq!(bracketed("socket:[123]", "socket"), Some(123));
    for wrong in ["socket:[]", "socket:[12", "pipe:[12]", "socket:[-1]", "socket:[99999999999999999999]"] {
        assert_eq!(bracketed(wrong, "socket"), None, "{wrong}");
    }
    let status = "Name:\tTgid: 9\nTgid:\t42\nVmRSS:\t  512 kB\nSigQ:\n";
    assert_eq!(status_number(status, "Tgid"), Some(42));
    assert_eq!(status_number(status, "VmRSS"), Some(512));
    assert_eq!(status_word(status, "SigQ"), None);
    assert_eq!(status_number(status, "Threads"), None);
    let deleted = |path: &str, unlinked| without_deleted(PathBuf::from(path), unlinked);
    assert_eq!(deleted("/a (deleted)", true), (PathBuf::from("/a"), true));
    assert_eq!(deleted("/a (deleted)", false), (PathBuf::from("/a (deleted)"), false));
    assert_eq!(deleted("/a", false), (PathBuf::from("/a"), false));
}

#[test]
fn a_running_process() {
    let child = Idle::cat();
    let process = Process::read(child.pid()).unwrap();
    assert_eq!(process.pid, child.pid());
    assert_eq!(process.parent_pid, std::process::id());
    assert_eq!(process.threads, 1);
    let exe = process.exe.clone().unwrap();
    assert!(process.is_running() && !exe.deleted);
    let file = std::fs::metadata(&exe.path).unwrap();
    assert_eq!(exe.id, (file.dev(), file.ino()));
    // Case 65: the same pid with another start time is another process.
    let reused = Process { start_time_ticks: process.start_time_ticks + 1, ..process.clone() };
    assert!(!reused.is_running());
    drop(child);
    assert!(!process.is_running());
    assert!(matches!(Process::read(process.pid), Err(ProcessError::NotFound(_))));
}

#[test]
fn an_odd_name_and_a_deleted_program() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("a) (b c");
    std::fs::copy("/bin/cat", &program).unwrap();
    let child = Idle::start(&program);
    std::fs::remove_file(&program).unwrap();
    let process = Process::read(child.pid()).unwrap();
    assert_eq!(process.comm, "a) (b c");
    let exe = process.exe.unwrap();
    assert_eq!((exe.path, exe.deleted), (program, true));
}

#[test]
fn a_zombie() {
    let mut child = Idle::cat();
    let pid = child.pid();
    child.kill();
    // Not waited for: it stays a zombie of this process.
    while !Stat::read(pid).unwrap().ended {
        std::thread::yield_now();
    }
    let error = Process::read(pid).unwrap_err();
    assert!(matches!(error, ProcessError::Zombie { .. }), "{error}");
}

#[test]
fn a_thread_is_not_a_process() {
    let (send_tid, tid) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let link = std::fs::read_link("/proc/thread-self").unwrap();
        send_tid.send(link.file_name().unwrap().to_str().unwrap().parse::<u32>().unwrap()).unwrap();
        let _ = ended.recv();
    });
    let tid = tid.recv().unwrap();
    let error = Process::read(tid).unwrap_err();
    drop(end);
    thread.join().unwrap();
    let expected = std::process::id();
    assert_eq!(error.to_string(), format!("{tid} is a thread of process {expected}; use {expected}"));
}

#[test]
fn a_kernel_thread_and_nothing() {
    let error = Process::read(2).unwrap_err();
    assert!(matches!(error, ProcessError::KernelThread { .. }), "{error}");
    let error = Process::read(4_194_304).unwrap_err();
    assert!(error.to_string().starts_with("there is no process 4194304; "), "{error}");
}

#[test]
fn namespaces() {
    let own = std::process::id();
    let link = std::fs::read_link("/proc/self/ns/net").unwrap();
    assert_eq!(format!("net:[{}]", namespace(own, "net").unwrap()), link.to_str().unwrap());
    assert!(namespace(own, "no-such-kind").is_err());
}

proptest! {
    #[test]
    fn stat_of_any_name(comm in prop::collection::vec(1u8.., 0..16)) {
        let line = [b"7 (", comm.as_slice(), b") ", TAIL.as_bytes()].concat();
        let stat = Stat::parse(&line).unwrap();
        prop_assert_eq!(stat.comm, String::from_utf8_lossy(&comm));
        prop_assert_eq!(stat.start_time_ticks, 123_456);
    }

    #[test]
    fn stat_of_any_bytes(line in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(stat) = Stat::parse(&line) {
            prop_assert!(line.contains(&b'(') && stat.comm.len() <= 3 * line.len());
        }
    }

    #[test]
    fn status_of_any_text(text in ".{0,200}") {
        if let Some(word) = status_word(&text, "Tgid") {
            prop_assert!(text.contains(word));
        }
    }
}
