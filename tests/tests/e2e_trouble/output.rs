//! Where the report goes, and what is in it when it is JSON.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tracer::report::model::Report;

use crate::{check_refused, run};

/// Names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn own_pid() -> String {
    std::process::id().to_string()
}

#[test]
fn a_file_holds_the_whole_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    std::fs::write(&file, "an older one").unwrap();
    let before = std::fs::metadata(&file).unwrap().ino();
    let path = file.display().to_string();
    let ended =
        run(&["attach", &own_pid(), "--no-follow", "--duration", "200ms", "--format", "json", "-o", &path]);
    assert_eq!((ended.code, ended.stdout.len()), (Some(0), 0), "{ended:?}");
    let report: Report = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(report.schema, "dbtap.report/1");
    assert_eq!(names(folder.path()), ["report.json"]);
    // Renamed into its place, not written over.
    assert_ne!(std::fs::metadata(&file).unwrap().ino(), before);
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o644);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_capture() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("file"), "kept").unwrap();
    let refused = |place: &str| {
        let begin = std::time::Instant::now();
        let ended = run(&["attach", &own_pid(), "--no-follow", "--duration", "30s", "-o", place]);
        check_refused(&ended, 1, &[place, "-o"]);
        assert!(begin.elapsed().as_secs() < 15, "it captured first: {:?}", begin.elapsed());
        assert!(!ended.stderr.contains("attached"));
    };
    refused(&path("missing/report.json"));
    refused(&path("file/report.json"));
    refused(&folder.path().display().to_string());
    assert_eq!(std::fs::read(path("file")).unwrap(), b"kept");
    assert_eq!(names(folder.path()), ["file"]);
}

/// A small file system of its own, unmounted when dropped.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(status.success(), "mount needs root");
        Self(folder)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_the_older_report_and_nothing_else() {
    // One page of data: the file that fills it, and none left for the report.
    let mount = Mount::new("size=4k");
    let file = mount.0.path().join("report.json");
    std::fs::write(&file, "an older report").unwrap();
    let path = file.display().to_string();
    let ended =
        run(&["attach", &own_pid(), "--no-follow", "--duration", "200ms", "--format", "json", "-o", &path]);
    assert_eq!((ended.code, ended.stdout.len()), (Some(1), 0), "{ended:?}");
    assert!(ended.stderr.contains("No space left") && ended.stderr.contains(&path), "{}", ended.stderr);
    assert_eq!(std::fs::read(&file).unwrap(), b"an older report");
    assert_eq!(names(mount.0.path()), ["report.json"]);
    // The same for stdout.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = Command::new(tests::dbtap::binary().unwrap())
        .args(["attach", &own_pid(), "--no-follow", "--duration", "200ms"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("No space left"));
}

#[test]
fn json_has_every_field_of_the_schema() {
    let ended = run(&["attach", &own_pid(), "--no-follow", "--duration", "200ms", "--format", "json"]);
    assert!(ended.stdout.ends_with(b"}\n"));
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    // Within version 1 fields are only ever added.
    let check = |value: &Value, expected: &str| {
        let found = value.as_object().unwrap();
        for field in expected.split_whitespace() {
            assert!(found.contains_key(field), "{field} is missing in {value}");
        }
        for (field, value) in found {
            let number = field.ends_with("_ns") || field.ends_with("_bytes");
            assert!(!number || value.is_u64(), "{field}: {value}");
        }
    };
    check(
        &report,
        "schema tool host targets capture coverage cost connections statements in_flight syscalls findings",
    );
    check(&report["tool"], "version");
    check(&report["host"], "hostname kernel arch");
    check(&report["targets"][0], "pid comm exe started_at ended");
    check(&report["capture"], "started_at ended_at duration_ns ended_by backend capture_bytes show_values");
    check(
        &report["coverage"],
        "events events_lost bytes_seen bytes_captured gaps requests answers_unmatched started_before in_flight \
         statements_unnamed connections connections_undecoded connections_tls_opaque skipped complete",
    );
    check(&report["cost"], "probe_runs probe_ns dbtap_cpu_ns dbtap_rss_bytes");
    assert_eq!(report["capture"]["ended_by"], "duration");
    let duration = report["capture"]["duration_ns"].as_u64().unwrap();
    assert!((200_000_000..2_000_000_000).contains(&duration), "{duration}");
    for field in ["connections", "statements", "in_flight", "syscalls", "findings"] {
        assert!(report[field].is_array(), "{field}");
    }
}
