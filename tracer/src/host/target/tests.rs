//! Real processes of these tests, found in every way.

use super::*;
use crate::host::testing::spawn;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its children end with it: their standard input is the pipe that closes now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell under a name of its own with two children and a grandchild, that ran long enough to have them all.
fn family(name: &str) -> Running {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy("/bin/bash", folder.path().join(name)).unwrap();
    let script = "exec 3<&0; cat <&3 & (cat <&3 & echo ready; wait) <&3 & wait";
    let mut child = spawn(Command::new(folder.path().join(name)).args(["-c", script]));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    // A child has its parent's name until its own program has begun.
    let root = Process::read(child.id()).unwrap();
    let all_begun = || {
        let all = descendants(std::slice::from_ref(&root)).unwrap();
        all.iter().filter(|process| process.comm == "cat").count() == 2
    };
    let patience = Instant::now() + Duration::from_secs(20);
    while !all_begun() {
        assert!(Instant::now() < patience, "both children begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    Running { child, folder }
}

fn pids(found: &[Process]) -> Vec<u32> {
    found.iter().map(|process| process.pid).collect()
}

#[test]
fn by_pid_with_and_without_children() {
    let family = family("family-pid");
    let pid = family.child.id();
    let alone = resolve(&[Selector::Pid(pid)], false).unwrap();
    assert_eq!(pids(&alone), [pid]);
    let all = resolve(&[Selector::Pid(pid)], true).unwrap();
    // The shell, its cat, its subshell, and the subshell's cat.
    assert_eq!(all.len(), 4, "{all:?}");
    assert_eq!(all.iter().filter(|process| process.comm == "cat").count(), 2);
    assert_eq!(descendants(&alone).unwrap(), all);
    // One process named in two ways counts once.
    assert_eq!(resolve(&[Selector::Pid(pid), Selector::Comm("family-pid".into())], true).unwrap(), all);
}

#[test]
fn by_name_and_by_program() {
    let family = family("fam name)");
    let pid = family.child.id();
    let by_name = resolve(&[Selector::Comm("fam name)".into())], false).unwrap();
    // The subshell is a fork of the shell and has its name and program.
    assert_eq!(by_name.len(), 2, "{by_name:?}");
    assert!(pids(&by_name).contains(&pid));
    let program = family.folder.path().join("fam name)");
    assert_eq!(resolve(&[Selector::Exe(program.clone())], false).unwrap(), by_name);
    // Another name of the same file.
    let other = family.folder.path().join("other");
    std::os::unix::fs::symlink(&program, &other).unwrap();
    assert_eq!(resolve(&[Selector::Exe(other)], false).unwrap(), by_name);
    // The file is gone; the path still names it.
    std::fs::remove_file(&program).unwrap();
    assert_eq!(pids(&resolve(&[Selector::Exe(program)], false).unwrap()), pids(&by_name));
}

#[test]
fn by_control_group() {
    let family = family("fam-cgroup");
    let process = Process::read(family.child.id()).unwrap();
    let own_group = process.cgroups.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
    let found = resolve(&[Selector::Cgroup(PathBuf::from(own_group))], false).unwrap();
    assert!(pids(&found).contains(&process.pid));
    assert!(!pids(&found).contains(&std::process::id()), "dbtap's own process is never a target");
    let error = resolve(&[Selector::Cgroup(PathBuf::from("/no/such/group"))], true).unwrap_err();
    assert!(error.to_string().starts_with("no process matches --cgroup /no/such/group; `cat"), "{error}");
}

#[test]
fn by_container() {
    let id = |first: &str| format!("{first}{}", "0".repeat(64 - first.len()));
    let line = |first: &str| format!("0::/system.slice/docker-{}.scope\n", id(first));
    let all = [(1, line("abcd1")), (2, line("abcd1")), (3, line("abcd2")), (4, "0::/\n".to_owned())];
    let check = |prefix: &str, expected: Result<&[u32], &str>| {
        let found = in_container(prefix, all.iter().cloned());
        assert_eq!(
            found.map_err(|error| error.to_string()),
            expected.map(<[u32]>::to_vec).map_err(str::to_owned),
            "{prefix}"
        );
    };
    check("abcd1", Ok(&[1, 2]));
    check(&id("abcd2"), Ok(&[3]));
    check("0000", Ok(&[]));
    check("abcd", Err("2 running containers have an id that begins with abcd; give more of its digits"));
}

#[test]
fn refused() {
    let check = |selector: Selector, expected: &str| {
        let error = resolve(&[selector], true).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    let own = std::process::id();
    check(Selector::Pid(own), &format!("process {own} is dbtap itself; "));
    check(Selector::Pid(4_194_304), "there is no process 4194304; ");
    check(Selector::Pid(2), "process 2 (kthreadd) is a kernel thread, ");
    check(Selector::Comm("\x1b[2J".into()), "no process matches --comm \\x1b[2J; `ps -e -o pid,comm` ");
    let root = rustix::process::geteuid().is_root();
    let words = if root { "matches" } else { "that dbtap may look at matches" };
    check(Selector::Exe("/no/such/program".into()), &format!("no process {words} --exe /no/such/program"));
    check(Selector::Container("0123456789".into()), "no process matches --container 0123456789; ");
}

#[test]
fn too_many() {
    let one = Process::read(std::process::id()).unwrap();
    let many = vec![one; 1025];
    let error = limited(many.clone()).unwrap_err().to_string();
    assert!(error.starts_with("1025 processes match, and dbtap observes at most 1024 at once; "), "{error}");
    assert_eq!(limited(many[..1024].to_vec()).unwrap().len(), 1024);
}

/// A pid that another process uses by now is not followed (case 65).
#[test]
fn a_reused_pid_is_not_followed() {
    let family = family("fam-reused");
    let process = Process::read(family.child.id()).unwrap();
    let other = Process { start_time_ticks: process.start_time_ticks - 1, ..process };
    assert_eq!(descendants(std::slice::from_ref(&other)).unwrap(), [other]);
}
