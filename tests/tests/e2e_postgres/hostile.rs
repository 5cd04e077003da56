//! Traffic that would hurt a careless reader: escape codes, endless variety, a process that turns into another.

use std::process::Command;

use tests::dbtap::Dbtap;
use tests::drivers::{Driver, Paused, psycopg};

use crate::expected::check;
use crate::psql::watch;
use crate::server::{Database, server, shared};

/// Most memory of `dbtap` while it sees 100,000 different statements: texts and groups are limited to 10,000, and the
/// ring buffer and the kernel's type information come to some tens of MiB.
const MOST_MEMORY_BYTES: u64 = 128 << 20;

#[test]
fn escape_codes_are_shown_and_never_sent_to_the_terminal() {
    let _shared = shared();
    let database = Database::new("escapes", "");
    let sql = "SELECT '\x1b[31mred\x07' AS \"x\x1b]0;title\x07y\u{202e}z\", 'a\rb' AS \"c\rd\u{9b}31m\"";
    let mut client = database.command("psql");
    client.args([
        "-XAtq",
        "-c",
        sql,
        "-c",
        "SELECT 1 /* \x1b[2J */ AS \"\x1b[2J\"",
        "-c",
        "SELECT no_such_\u{1b}",
    ]);
    let mut paused = Paused::new(&client).unwrap();
    let pid = paused.pid().to_string();
    let forms = ["table", "csv", "json"].map(|form| {
        Dbtap::with(["attach", &pid, "--duration", "10m", "--format", form]).unwrap().start().unwrap()
    });
    paused.go().unwrap();
    paused.wait().unwrap();
    for ended in forms.map(|running| running.interrupt().unwrap()) {
        // Lines of CSV end so (RFC 4180).
        let text = String::from_utf8(ended.stdout.clone()).unwrap().replace("\r\n", "\n");
        let active = |c: &char| c.is_control() && *c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
        assert_eq!(text.chars().find(active), None, "case 79: {text}");
        assert!(text.contains("]0;title"), "shown: {text}");
        assert!(
            !text.contains("[31mred") && !text.contains("[2J */"),
            "literals and comments are not: {text}"
        );
        assert_eq!(ended.code, Some(0));
    }
}

#[test]
fn a_nul_in_a_text_hides_nothing_and_shows_nothing() {
    let _shared = shared();
    let database = Database::new("nul", "");
    database.forget();
    let (ended, output) = watch(&psycopg("nul", &database.conninfo()));
    output.success().unwrap();
    check(&ended, &database.counted().failed("SELECT 1", "08P01", 1));
    assert!(!ended.text().contains("hidden") && !ended.text().contains("[2J"), "{}", ended.text());
}

#[test]
fn a_hundred_thousand_different_statements_take_bounded_memory() {
    let _shared = shared();
    let database = Database::new("variety", "");
    let script: String = (0..100_000).map(|n| format!("SELECT 1 AS column_{n};\n")).collect();
    let mut client = database.command("psql");
    client.args(["-XAtq", "-o", "/dev/null", "-f"]).arg(database.file(&script));
    let mut paused = Paused::new(&client).unwrap();
    let dbtap = Dbtap::attach(paused.pid()).unwrap().start().unwrap();
    paused.go().unwrap();
    paused.wait().unwrap().success().unwrap();
    let peak = peak_memory_bytes(dbtap.pid());
    let ended = dbtap.interrupt().unwrap();
    let report = ended.report().unwrap();
    let counts: u64 = report.statements.iter().map(|statement| statement.count).sum();
    let other = report.statements.iter().find(|statement| statement.text == "(other)").unwrap();
    let named = report.statements.len() as u64 - 1;
    assert_eq!((counts, report.coverage.requests), (100_000, 100_000), "{:?}", report.coverage);
    assert!((9_000..=10_000).contains(&named), "{named}");
    assert_eq!(other.count, 100_000 - named, "each of the others came once");
    assert!(peak < MOST_MEMORY_BYTES, "{} MiB", peak >> 20);
    println!("{} MiB", peak >> 20);
    assert_eq!((report.coverage.events_lost, report.coverage.gaps, ended.code), (0, 0, Some(0)));
}

/// `VmHWM` of a process.
fn peak_memory_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_process_that_executes_another_program_is_still_the_target() {
    let _shared = shared();
    let database = Database::new("executes", "");
    let mut shell = Command::new("sh");
    shell.args(["-c", "read -r go; exec \"$@\"", "sh"]);
    let psql = database.command("psql");
    shell.arg(psql.get_program()).args(["-XAtq"]);
    shell.envs(psql.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut client = Driver::start(&mut shell).unwrap();
    database.forget();
    let dbtap = Dbtap::attach(client.pid()).unwrap().arg("--no-follow").start().unwrap();
    for line in ["go", "SELECT 6 * 7;"] {
        client.say(line).unwrap();
    }
    client.hear_line("42").unwrap();
    let ended = dbtap.interrupt().unwrap();
    let pid = client.pid();
    client.end().unwrap();
    let report = check(&ended, &database.counted());
    let [target] = &*report.targets else { panic!("case 65: {:?}", report.targets) };
    assert_eq!((target.pid, &*target.comm), (pid, "psql"));
    assert!(target.exe.ends_with("/psql") && target.ended.is_none(), "{target:?}");
}

#[test]
fn children_are_left_out_when_asked() {
    let _shared = shared();
    let database = Database::new("alone", "");
    let mut client = database.command("psql");
    let mut paused = Paused::new(client.args(["-XAtqc", "SELECT 1"])).unwrap();
    let dbtap = Dbtap::attach(paused.pid()).unwrap().arg("--no-follow").start().unwrap();
    paused.go().unwrap();
    paused.wait().unwrap().success().unwrap();
    let report = dbtap.interrupt().unwrap().report().unwrap();
    assert_eq!((report.coverage.events, report.coverage.requests, report.targets.len()), (0, 0, 1));
}

#[test]
fn only_the_peers_and_protocols_asked_for_are_read() {
    let _shared = shared();
    let database = Database::new("filters", "");
    let port = server().port();
    let socket = server().socket_dir().join(format!(".s.PGSQL.{port}")).display().to_string();
    let cases: [(&[&str], u64); 6] = [
        (&["--peer", "127.0.0.1"], 1),
        (&["--peer", &format!("127.0.0.1:{port}")], 1),
        (&["--peer", "127.0.0.1:1"], 0),
        (&["--peer", "::1"], 0),
        (&["--peer", &socket], 0),
        (&["--protocol", "postgresql"], 1),
    ];
    for (filter, requests) in cases {
        let mut client = database.command("psql");
        let mut paused = Paused::new(client.args(["-XAtqc", "SELECT 1"])).unwrap();
        let mut dbtap = Dbtap::attach(paused.pid()).unwrap();
        for argument in filter {
            dbtap = dbtap.arg(argument);
        }
        let dbtap = dbtap.start().unwrap();
        paused.go().unwrap();
        paused.wait().unwrap().success().unwrap();
        let ended = dbtap.interrupt().unwrap();
        assert_eq!(ended.report().unwrap().coverage.requests, requests, "{filter:?}");
        assert_eq!(ended.code, Some(0));
    }
}
