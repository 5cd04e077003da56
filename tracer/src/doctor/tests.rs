//! Facts in, checks and text out.

use super::checks::{of_host, of_process};
use super::*;
use crate::event::{Address, SocketFacts};
use crate::host::btf::BtfError;
use crate::host::kernel::{CAP_BPF, CAP_PERFMON, Capabilities, Lockdown};
use crate::host::process::Exe;
use crate::host::socket::{OpenSocket, State};
use crate::host::testing::Idle;
use crate::source::{Backend, Trial};

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
        types: Ok(()),
    }
}

fn all_work() -> Vec<(Backend, Trial)> {
    Backend::ALL.into_iter().map(|backend| (backend, Trial::Works)).collect()
}

fn trials(socket: Trial, fexit: Trial, syscall: Trial) -> Vec<(Backend, Trial)> {
    Backend::ALL.into_iter().zip([socket, fexit, syscall]).collect()
}

fn refused(reason: &str) -> Trial {
    Trial::Refused(reason.to_owned())
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
        let refusals = refusals(&of_host(&kernel, &all_work()));
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
    let old = |capabilities, memlock_bytes| Kernel {
        release: "5.10.0-28-amd64".to_owned(),
        capabilities,
        memlock_bytes,
        ..kernel()
    };
    let two = Capabilities(1 << CAP_BPF.bit | 1 << CAP_PERFMON.bit);
    check(old(two, None), &[]);
    check(old(two, Some(65_536)), &["memory lock: `ulimit -l 65536`"]);
    check(old(Capabilities(u64::MAX), Some(65_536)), &[]);
    let without_btf = Kernel { types: Err(BtfError::Malformed("no BTF magic")), ..kernel() };
    check(without_btf, &["kernel types: report the kernel version"]);
}

/// The rows of the backends as they are shown.
fn shown(trials: &[(Backend, Trial)]) -> String {
    let mut checks = of_host(&kernel(), trials);
    checks.retain(|check| check.name.contains("backend"));
    refusals(&checks);
    let text = render(&Diagnosis { pid: None, checks, connections: vec![] }, 80);
    text.split("\n\n").next().unwrap_or_default().to_owned()
}

#[test]
fn the_best_backend_that_works() {
    let closed = || refused("this kernel refuses programs on its own functions, whoever asks");
    let expected = "\
yes  socket backend   works: `dbtap attach` takes it
-    fexit backend    this kernel refuses programs on its own functions, whoever
                      asks
-    syscall backend  works too";
    assert_eq!(shown(&trials(Trial::Works, closed(), Trial::Works)), expected);

    let old = || refused("this kernel has no tracepoint sock_send_length");
    let expected = "\
-    socket backend   this kernel has no tracepoint sock_send_length
yes  fexit backend    works: `dbtap attach` takes it
-    syscall backend  works too";
    assert_eq!(shown(&trials(old(), Trial::Works, Trial::Works)), expected);

    let expected = "\
-    socket backend   this kernel has no tracepoint sock_send_length
-    fexit backend    this kernel refuses programs on its own functions, whoever
                      asks
yes  syscall backend  works: `dbtap attach` takes it; while a capture runs,
                      every system call of every process on this host takes
                      about 0.2 us longer (0.3 us in a target)";
    assert_eq!(shown(&trials(old(), closed(), Trial::Works)), expected);
}

#[test]
fn no_backend_at_all() {
    let blind = "the probes are in place, but they did not see dbtap's own test message";
    let expected = "\
-    socket backend   this kernel has no tracepoint sock_send_length
-    fexit backend    this kernel has no function inet_sendmsg
-    syscall backend  the probes are in place, but they did not see dbtap's own
                      test message
NO   backend          this kernel allows none of dbtap's ways to see socket
                      traffic
->                    use a host with Linux 5.10 or later whose kernel was built
                      with tracepoints and BTF, as those of the distributions
                      are; where this one was, report what the lines above say
                      to the dbtap project";
    let tried = trials(
        refused("this kernel has no tracepoint sock_send_length"),
        refused("this kernel has no function inet_sendmsg"),
        refused(blind),
    );
    assert_eq!(shown(&tried), expected);

    let lacking = || {
        Trial::Unknown(
            "dbtap lacks CAP_PERFMON, without which the kernel takes no tracing programs".to_owned(),
        )
    };
    let expected = "\
-    socket backend   this kernel has no tracepoint sock_send_length
-    fexit backend    not known: dbtap lacks CAP_PERFMON, without which the
                      kernel takes no tracing programs
-    syscall backend  not known: dbtap lacks CAP_PERFMON, without which the
                      kernel takes no tracing programs
NO   backend          none could be tried to the end
->                    see to what the lines above say, then ask again";
    let tried = trials(refused("this kernel has no tracepoint sock_send_length"), lacking(), lacking());
    assert_eq!(shown(&tried), expected);

    let expected = "\
NO   backend          not tried: dbtap lacks CAP_PERFMON, without which the
                      kernel takes no tracing programs
->                    see to what the lines above say, then ask again";
    assert_eq!(shown(&trials(lacking(), lacking(), lacking())), expected);
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
    let mut checks = of_host(kernel, &all_work());
    checks.extend(of_process(Some(&Ok(facts)), Capabilities(u64::MAX)));
    Diagnosis { pid: Some(4242), checks, connections: groups }
}

#[test]
fn text_of_a_ready_host() {
    let text = render(&diagnosis(&kernel(), facts(sockets(), &["libssl.so.3"])), 80);
    let expected = "\
yes  privileges       root
yes  other users      their processes can be observed
yes  cost of probes   can be measured
-    kernel           Linux 6.8.0-45-generic (x86_64)
yes  kernel types     the kernel describes its own types (BTF)
yes  lockdown         none
yes  memory lock      unlimited
yes  pid namespace    the host's own
yes  socket backend   works: `dbtap attach` takes it
-    fexit backend    works too
-    syscall backend  works too
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
        let checks = of_process(Some(&Ok(facts)), Capabilities(u64::MAX));
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
    let mut checks = of_host(&kernel, &all_work());
    checks.extend(of_process(Some(&refused), Capabilities(0)));
    checks.retain(|check| check.verdict != Verdict::Yes && !check.name.contains("backend"));
    let diagnosis = Diagnosis { pid: Some(4242), checks, connections: vec![] };
    assert!(!diagnosis.is_ready());
    let expected = "\
NO   privileges       user 1000, without CAP_BPF and CAP_PERFMON
->                    run dbtap with sudo, or give it the capabilities that it
                      takes
-    other users      their processes cannot be observed without CAP_SYS_PTRACE
                      and CAP_DAC_READ_SEARCH
-    cost of probes   reports cannot tell it, for that takes CAP_SYS_ADMIN; all
                      else in them is complete
-    kernel           Linux 6.8.0-45-generic (x86_64)
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
    let always = ["privileges", "kernel", "kernel types", "process", "sockets"];
    assert!(always.iter().all(|name| verdicts.contains(name)), "{verdicts:?}");
    assert!(verdicts.iter().any(|name| name.ends_with("backend")), "{verdicts:?}");
    let process = found.checks.iter().find(|check| check.name == "process").unwrap();
    assert!(process.verdict == Verdict::Yes && process.found.contains("(cat), 1 thread, /"), "{process:?}");
    let own = diagnose(Some(std::process::id()));
    assert!(!own.is_ready() && own.checks.iter().any(|check| check.found == "this is dbtap itself"));
    assert!(
        refusals(&diagnose(Some(2)).checks).iter().any(|text| text.starts_with("process: choose another"))
    );
}
