//! Facts in, checks and text out.

use super::checks::{of_host, of_process};
use super::*;
use crate::event::{Address, SocketFacts};
use crate::host::btf::BtfError;
use crate::host::kernel::{CAP_BPF, Capabilities, Lockdown};
use crate::host::process::Exe;
use crate::host::socket::{OpenSocket, State};
use crate::host::testing::Idle;

fn kernel() -> Kernel {
    Kernel {
        release: "6.8.0-45-generic".to_owned(),
        hostname: "db7".to_owned(),
        arch: "x86_64".to_owned(),
        user_id: 0,
        capabilities: Capabilities(u64::MAX),
        initial_user_namespace: true,
        initial_pid_namespace: true,
        memlock_bytes: None,
        lockdown: Lockdown::None,
        missing_tracepoints: Ok(vec![]),
    }
}

/// The names of the checks that say no, with the beginning of their remedies.
fn refusals(checks: &[Check]) -> Vec<String> {
    for check in checks {
        assert_eq!(check.verdict == Verdict::No, check.remedy.is_some(), "{check:?}");
        assert!(!check.found.is_empty(), "{check:?}");
    }
    let no = checks.iter().filter(|check| check.verdict == Verdict::No);
    no.map(|check| format!("{}: {}", check.name, check.remedy.clone().unwrap())).collect()
}

#[test]
fn hosts() {
    let check = |kernel: Kernel, expected: &[&str]| {
        let refusals = refusals(&of_host(&kernel));
        assert_eq!(refusals.len(), expected.len(), "{refusals:?}");
        for (refusal, start) in refusals.iter().zip(expected) {
            assert!(refusal.starts_with(start), "{refusal}");
        }
    };
    let only_bpf = Capabilities(1 << CAP_BPF.bit);
    check(kernel(), &[]);
    check(
        Kernel { user_id: 1000, capabilities: Capabilities(0), ..kernel() },
        &["privileges: run dbtap with sudo"],
    );
    check(Kernel { user_id: 1000, ..kernel() }, &[]);
    check(
        Kernel { capabilities: only_bpf, ..kernel() },
        &["privileges: run dbtap on the host itself, or in"],
    );
    check(
        Kernel { initial_user_namespace: false, ..kernel() },
        &["privileges: run dbtap on the host itself, as"],
    );
    check(
        Kernel { initial_pid_namespace: false, ..kernel() },
        &["pid namespace: run dbtap on the host itself, or"],
    );
    check(Kernel { lockdown: Lockdown::Integrity, ..kernel() }, &[]);
    check(
        Kernel { lockdown: Lockdown::Confidentiality, ..kernel() },
        &["lockdown: boot with lockdown=integrity"],
    );
    check(Kernel { memlock_bytes: Some(65_536), ..kernel() }, &[]);
    let old = |memlock_bytes| Kernel {
        release: "5.10.0-28-amd64".to_owned(),
        memlock_bytes,
        missing_tracepoints: Ok(vec!["sock_send_length", "sock_recv_length"]),
        ..kernel()
    };
    let newer = ["kernel: use a host with Linux 6.3 or later", "tracepoints: they came with Linux 6.3"];
    check(old(None), &newer);
    check(old(Some(65_536)), &[newer[0], newer[1], "memory lock: `ulimit -l 65536`"]);
    // A distribution's old kernel with the tracepoints brought to it.
    check(Kernel { release: "5.14.0-600.el9.x86_64".to_owned(), ..kernel() }, &[]);
    let without_btf = Kernel { missing_tracepoints: Err(BtfError::Malformed("no BTF magic")), ..kernel() };
    check(without_btf, &["kernel types: report the kernel version", "tracepoints: first see to"]);
}

fn socket(local: &str, peer: &str, state: State) -> OpenSocket {
    let end = |text: &str| match text.parse() {
        Ok(address) => Address::Inet(address),
        Err(_) => Address::Unix(text.as_bytes().to_vec()),
    };
    let facts = SocketFacts { local: end(local), peer: end(peer), inode: 1, netns: 1, opened_before: true };
    OpenSocket { facts, state, id: None }
}

fn facts(sockets: Vec<OpenSocket>, libraries: &[&str]) -> ProcessFacts {
    ProcessFacts {
        process: Process {
            pid: 4242,
            parent_pid: 1,
            comm: "pay\x1b[31mments".to_owned(),
            exe: Some(Exe { path: "/srv/payments".into(), deleted: true, id: (1, 2) }),
            start_time_ticks: 1,
            threads: 12,
            cgroups: format!(
                "0::/system.slice/docker-{}.scope\n",
                "3f2a9c1b77aa".repeat(6).get(..64).unwrap()
            ),
        },
        sockets: Ok(OpenSockets { sockets, unlisted: 0 }),
        tls_libraries: Ok(libraries.iter().map(|name| (*name).to_owned()).collect()),
    }
}

fn sockets() -> Vec<OpenSocket> {
    vec![
        socket("0.0.0.0:8080", "0.0.0.0:0", State::Listening),
        socket("10.0.0.5:8080", "10.9.9.9:50001", State::Established),
        socket("10.0.0.5:8080", "10.9.9.9:50002", State::Established),
        socket("10.0.0.5:49152", "10.0.0.7:5432", State::Established),
        socket("10.0.0.5:49153", "10.0.0.7:5432", State::Established),
        socket("10.0.0.5:49154", "10.0.0.7:5432", State::Established),
        socket("10.0.0.5:49155", "10.0.0.8:443", State::Established),
        socket("10.0.0.5:49156", "10.0.0.7:5432", State::Other),
        socket("", "/var/run/postgresql/.s.PGSQL.5432", State::Established),
        socket("", "\0bus\x07", State::Established),
        socket("", "", State::Established),
    ]
}

#[test]
fn grouped_connections() {
    let shown: Vec<String> = connections::group(&sockets())
        .iter()
        .map(|g| format!("{} {} {} {} {}", g.count, g.local, g.accepted, g.peer, g.guess.unwrap_or("-")))
        .collect();
    let expected = [
        "3 10.0.0.5:* false 10.0.0.7:5432 postgresql",
        "1 (unnamed) false /var/run/postgresql/.s.PGSQL.5432 postgresql",
        "2 10.0.0.5:8080 true 10.9.9.9:* -",
        "1 (unnamed) false (unnamed) -",
        "1 (unnamed) false @bus\\x07 -",
        "1 10.0.0.5:49155 false 10.0.0.8:443 -",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn databases_by_port_and_path() {
    let check = |peer: &str, expected: Option<&str>| {
        let groups = connections::group(&[socket("10.0.0.5:49152", peer, State::Established)]);
        assert_eq!(groups[0].guess, expected, "{peer}");
    };
    check("10.0.0.7:3306", Some("mysql"));
    check("[2001:db8::7]:6379", Some("redis"));
    check("10.0.0.7:443", None);
    let unix = |path: &str, expected: Option<&str>| {
        let groups = connections::group(&[socket("", path, State::Established)]);
        assert_eq!(groups[0].guess, expected, "{path}");
    };
    unix("/run/mysqld/mysqld.sock", Some("mysql"));
    unix("/tmp/mongodb-27017.sock", Some("mongodb"));
    unix("/srv/mysql/other", None);
    // A server's own side.
    let server = [
        socket("[::]:5432", "[::]:0", State::Listening),
        socket("10.0.0.7:5432", "10.0.0.5:49152", State::Established),
    ];
    let groups = connections::group(&server);
    assert_eq!((groups.len(), groups[0].accepted, groups[0].guess), (1, true, Some("postgresql")));
    // A worker of the server has the connection but not the listening socket.
    let worker = connections::group(&server[1..]);
    assert_eq!((worker.len(), worker[0].accepted, worker[0].guess), (1, true, Some("postgresql")));
}

fn diagnosis(kernel: &Kernel, facts: ProcessFacts) -> Diagnosis {
    let groups = connections::group(&facts.sockets.as_ref().unwrap().sockets);
    let mut checks = of_host(kernel);
    checks.extend(of_process(Some(&Ok(facts))));
    Diagnosis { pid: Some(4242), checks, connections: groups }
}

#[test]
fn text_of_a_ready_host() {
    let text = render(&diagnosis(&kernel(), facts(sockets(), &["libssl.so.3"])), 80);
    let expected = "\
yes  privileges       root
yes  kernel           Linux 6.8.0-45-generic (x86_64)
yes  kernel types     the kernel describes its own types (BTF)
yes  tracepoints      sock_send_length, sock_recv_length
yes  lockdown         none
yes  memory lock      unlimited
yes  pid namespace    the host's own
yes  process          4242 (pay\\x1b[31mments), 12 threads, /srv/payments
                      (deleted since)
-    container        3f2a9c1b77aa
yes  sockets          readable: 9 connected, 1 listening
-    encryption       which connections use TLS cannot be told without looking
                      at their bytes; the process has loaded libssl.so.3, which
                      does not say that it uses it

Connections now (`?` is a guess by port or path, no more):
      3  10.0.0.5:* -> 10.0.0.7:5432  postgresql?
      1  (unnamed) -> /var/run/postgresql/.s.PGSQL.5432  postgresql?
      2  10.0.0.5:8080 <- 10.9.9.9:*
      1  (unnamed) -> (unnamed)
      1  (unnamed) -> @bus\\x07
      1  10.0.0.5:49155 -> 10.0.0.8:443

Ready: `dbtap attach 4242` has everything that it needs.
";
    assert_eq!(text, expected);
}

#[test]
fn encryption_is_never_guessed() {
    let check = |libraries: Result<&[&str], ProcessError>, expected: &str| {
        let mut facts = facts(vec![], &[]);
        facts.tls_libraries = libraries.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let checks = of_process(Some(&Ok(facts)));
        let encryption = checks.iter().find(|check| check.name == "encryption").unwrap();
        assert_eq!(encryption.verdict, Verdict::Note);
        assert!(encryption.found.starts_with("which connections use TLS cannot be told"));
        assert!(encryption.found.ends_with(expected), "{}", encryption.found);
    };
    check(Ok(&[]), "no TLS library is loaded as a shared file, though one may be built in");
    check(
        Ok(&["libssl.so.3", "libgnutls.so.30"]),
        "loaded libgnutls.so.30, libssl.so.3, which does not say that it uses it",
    );
    check(Err(ProcessError::Permission(1)), "which libraries it has loaded may not be looked at");
}

#[test]
fn text_of_a_refusing_host() {
    let kernel = Kernel { user_id: 1000, capabilities: Capabilities(0), ..kernel() };
    let refused: Result<ProcessFacts, ProcessError> = Err(ProcessError::NotFound(4242));
    let mut checks = of_host(&kernel);
    checks.extend(of_process(Some(&refused)));
    checks.retain(|check| check.verdict != Verdict::Yes);
    let diagnosis = Diagnosis { pid: Some(4242), checks, connections: vec![] };
    assert!(!diagnosis.is_ready());
    let expected = "\
NO   privileges       user 1000, without CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE
->                    run dbtap with sudo
NO   process          there is no process 4242
->                    `ps -e` lists those that run (inside a container a process
                      has another number than on the host)

Not ready: 2 checks say no. Their remedies are beside them.
";
    assert_eq!(render(&diagnosis, 80), expected);
}

#[test]
fn never_wider_than_the_terminal() {
    let long_path = format!("/{}", "x".repeat(106));
    let v6 = "[2001:db8:1111:2222:3333:4444:5555:6666]:5432";
    let mut many = vec![
        socket("", &long_path, State::Established),
        socket(&v6.replace("5432", "49152"), v6, State::Established),
    ];
    for host in 1..200u8 {
        many.push(socket("10.0.0.5:49152", &format!("10.1.1.{host}:5432"), State::Established));
    }
    let diagnosis = diagnosis(&kernel(), facts(many, &[]));
    for columns in [0, 40, 60, 80, 120] {
        let text = render(&diagnosis, columns);
        for line in text.lines() {
            assert!(line.chars().count() <= columns.max(40), "{columns}: {line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
        assert!(text.contains("    181  more, of 181 other kinds\n"), "{text}");
    }
}

/// This process, with a connection of its own, on this host.
#[test]
fn a_real_process() {
    let found = diagnose(Some(Idle::cat().pid()));
    let verdicts: Vec<&str> = found.checks.iter().map(|check| check.name).collect();
    assert_eq!(verdicts.len(), 11, "{verdicts:?}");
    let process = found.checks.iter().find(|check| check.name == "process").unwrap();
    assert!(process.verdict == Verdict::Yes && process.found.contains("(cat), 1 thread, /"), "{process:?}");
    let own = diagnose(Some(std::process::id()));
    assert!(!own.is_ready() && own.checks.iter().any(|check| check.found == "this is dbtap itself"));
    assert!(
        refusals(&diagnose(Some(2)).checks).iter().any(|text| text.starts_with("process: choose another"))
    );
}
