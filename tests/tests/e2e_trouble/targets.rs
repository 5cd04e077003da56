//! Targets that are not there, may not be watched, end, or have nothing to say.

use std::process::{Command, Stdio};
use std::time::Duration;

use tests::dbtap::{Dbtap, binary};
use tests::drivers::{Driver, sockets};
use tracer::report::model::EndedBy;

use crate::{SOON, check_refused, run};

/// The id of a process that has ended and was reaped.
fn ended_pid() -> String {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    child.id().to_string()
}

#[test]
fn a_process_that_is_not_there() {
    let pid = ended_pid();
    check_refused(&run(&["attach", &pid]), 1, &[&pid, "no process"]);
    check_refused(&run(&["attach", "--comm", "no-such-name"]), 1, &["no-such-name"]);
    check_refused(&run(&["attach", "--exe", "/no/such/program"]), 1, &["/no/such/program"]);
    check_refused(&run(&["attach", "--cgroup", "/no/such/group"]), 1, &["/no/such/group"]);
}

#[test]
fn a_thread_of_the_kernel() {
    let comm = std::fs::read_to_string("/proc/2/comm").unwrap();
    assert_eq!(comm, "kthreadd\n");
    check_refused(&run(&["attach", "2", "--duration", "1s"]), 1, &["2", "kernel"]);
}

#[test]
fn without_root() {
    // Where the test's user may read it.
    let folder = tempfile::Builder::new().permissions(permissions(0o755)).tempdir().unwrap();
    let copy = folder.path().join("dbtap");
    std::fs::copy(binary().unwrap(), &copy).unwrap();
    let mut sleeper = Command::new("setpriv");
    let mut sleeper =
        sleeper.args(["--reuid=nobody", "--regid=65534", "--clear-groups", "sleep", "100"]).spawn().unwrap();
    let dbtap = Dbtap::with(["attach", &sleeper.id().to_string()]).unwrap().program(&copy);
    let ended = dbtap.run_as("nobody").run(SOON).unwrap();
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    check_refused(&ended, 1, &["root", "sudo"]);
}

fn permissions(mode: u32) -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(mode)
}

#[test]
fn wrong_usage() {
    let cases: [&[&str]; 12] = [
        &[],
        &["attach"],
        &["attach", "0"],
        &["attach", "-5"],
        &["attach", "bash"],
        &["attach", "99999999"],
        &["attach", "1", "--duration", "soon"],
        &["attach", "1", "--duration", "0s"],
        &["attach", "1", "--format", "xml"],
        &["attach", "1", "--protocol", "smtp"],
        &["attach", "1", "--no-such-option"],
        &["observe", "1"],
    ];
    for arguments in cases {
        println!("{arguments:?}");
        let ended = run(arguments);
        check_refused(&ended, 2, &[]);
        assert!(!ended.stderr.is_empty());
    }
}

#[test]
fn a_process_that_ends_during_the_capture() {
    let mut child = Command::new("sleep").arg("600").stdout(Stdio::null()).spawn().unwrap();
    let dbtap = Dbtap::attach(child.id()).unwrap().start().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let ended = dbtap.wait(SOON).unwrap();
    let report = ended.report().unwrap();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(report.capture.ended_by, EndedBy::TargetExit);
    assert!(!report.coverage.complete);
    let [target] = &*report.targets else { panic!("{:?}", report.targets) };
    assert_eq!((target.pid, &*target.comm, &*target.exe), (child.id(), "sleep", "/usr/bin/sleep"));
    assert!(!target.ended.as_ref().unwrap().at.is_empty(), "{target:?}");
}

#[test]
fn a_process_without_a_database() {
    let mut process = Driver::start(&mut sockets(3)).unwrap();
    process.hear_line("ready").unwrap();
    let pid = process.pid().to_string();
    let start = |form: &str| {
        let arguments = ["attach", &pid, "--no-follow", "--duration", "10m", "--format", form];
        Dbtap::with(arguments).unwrap().start().unwrap()
    };
    // No byte moves at all: the connections are listed all the same.
    let idle = start("json").interrupt().unwrap();
    let report = idle.report().unwrap();
    assert_eq!((idle.code, report.coverage.connections, report.connections.len()), (Some(0), 0, 3));
    assert!(report.connections.iter().all(|c| c.opened_before && c.protocol.is_none() && c.requests == 0));
    // Bytes of no database.
    let (json, table) = (start("json"), start("table"));
    for _ in 0..20 {
        process.say("go").unwrap();
        process.hear_line("done").unwrap();
    }
    let (json, table) = (json.interrupt().unwrap(), table.interrupt().unwrap());
    let report = json.report().unwrap();
    assert!(report.statements.is_empty(), "{:?}", report.statements);
    assert_eq!((report.coverage.connections, report.coverage.connections_undecoded), (3, 3));
    assert_eq!(report.coverage.bytes_seen, 3 * 20 * 2 * 5);
    assert_eq!((json.code, table.code), (Some(0), Some(0)), "{:?}", report.coverage);
    let text = table.text();
    for connection in &report.connections {
        assert!(connection.opened_before && connection.peer.starts_with("127.0.0.1:"), "{connection:?}");
        assert!(text.contains(&connection.peer), "{text}");
    }
    assert!(text.to_lowercase().contains("no database request"), "{text}");
}

#[test]
fn ten_thousand_connections() {
    let mut process = Driver::start(&mut sockets(10_000)).unwrap();
    process.hear_line("ready").unwrap();
    let begin = std::time::Instant::now();
    let dbtap = Dbtap::attach(process.pid()).unwrap().arg("--no-follow").start().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    process.say("go").unwrap();
    process.hear_line("done").unwrap();
    let ended = dbtap.interrupt().unwrap();
    let report = ended.report().unwrap();
    let coverage = report.coverage;
    assert_eq!((coverage.connections, coverage.connections_undecoded), (10_000, 10_000), "{coverage:?}");
    assert_eq!((coverage.bytes_seen, coverage.events_lost, coverage.gaps), (100_000, 0, 0), "{coverage:?}");
    assert_eq!((report.connections.len(), ended.code), (10_000, Some(0)));
    assert!(report.connections.iter().all(|connection| connection.opened_before));
}
