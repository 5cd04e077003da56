//! What follows from the facts, check by check. Pure.

use super::Verdict::{No, Note, Yes};
use super::{Check, ProcessFacts};
use crate::host::kernel::{CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, Kernel, Lockdown, SOCKET_TRACEPOINTS};
use crate::host::process::ProcessError;
use crate::host::socket::State;

/// The first kernel with the socket tracepoints.
const KERNEL_NEEDED: (u32, u32) = (6, 3);

/// Since this kernel, memory of kernel programs counts against the control group and not against `RLIMIT_MEMLOCK`.
const KERNEL_WITHOUT_MEMLOCK: (u32, u32) = (5, 11);

/// Enough for the maps and programs on a kernel that counts them.
const MEMLOCK_NEEDED_BYTES: u64 = 64 << 20;

fn yes(name: &'static str, found: impl Into<String>) -> Check {
    Check { name, verdict: Yes, found: found.into(), remedy: None }
}

fn note(name: &'static str, found: impl Into<String>) -> Check {
    Check { name, verdict: Note, found: found.into(), remedy: None }
}

fn no(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
    Check { name, verdict: No, found: found.into(), remedy: Some(remedy.into()) }
}

/// The checks of the host.
pub fn of_host(kernel: &Kernel) -> Vec<Check> {
    vec![
        privileges(kernel),
        version(kernel),
        type_information(kernel),
        tracepoints(kernel),
        lockdown(kernel),
        memory_lock(kernel),
        pid_namespace(kernel),
    ]
}

fn privileges(kernel: &Kernel) -> Check {
    let name = "privileges";
    let who = match kernel.user_id {
        0 => "root".to_owned(),
        id => format!("user {id}"),
    };
    if !kernel.initial_user_namespace {
        let found = format!("{who}, but in a user namespace of its own, where that counts for nothing");
        return no(name, found, "run dbtap on the host itself, as root");
    }
    let needed = [CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE];
    let missing: Vec<&str> =
        needed.iter().filter(|one| !kernel.capabilities.has(**one)).map(|one| one.name).collect();
    match (missing.is_empty(), kernel.user_id) {
        (true, 0) => yes(name, who),
        (true, _) => yes(name, format!("{who}, with the capabilities that it takes")),
        (false, 0) => no(
            name,
            format!("root, but without {}", missing.join(", ")),
            "run dbtap on the host itself, or in a container started with these capabilities (or --privileged)",
        ),
        (false, _) => no(name, format!("{who}, without {}", missing.join(", ")), "run dbtap with sudo"),
    }
}

fn has_tracepoints(kernel: &Kernel) -> bool {
    kernel.missing_tracepoints.as_ref().is_ok_and(Vec::is_empty)
}

fn version(kernel: &Kernel) -> Check {
    let (major, minor) = KERNEL_NEEDED;
    let found = format!("Linux {} ({})", kernel.release, kernel.arch);
    // Distributions bring new tracepoints to old kernels, so having them outweighs the number.
    if kernel.version() >= KERNEL_NEEDED || has_tracepoints(kernel) {
        yes("kernel", found)
    } else {
        no("kernel", found, format!("use a host with Linux {major}.{minor} or later"))
    }
}

fn type_information(kernel: &Kernel) -> Check {
    let name = "kernel types";
    match &kernel.missing_tracepoints {
        Ok(_) => yes(name, "the kernel describes its own types (BTF)"),
        Err(error) => {
            let error = error.to_string();
            let (found, remedy) = error.split_once("; ").unwrap_or((&error, "use another kernel"));
            no(name, found, remedy)
        }
    }
}

fn tracepoints(kernel: &Kernel) -> Check {
    let name = "tracepoints";
    match &kernel.missing_tracepoints {
        Ok(missing) if missing.is_empty() => yes(name, SOCKET_TRACEPOINTS.join(", ")),
        Ok(missing) => {
            let (major, minor) = KERNEL_NEEDED;
            let remedy = format!("they came with Linux {major}.{minor}: use a host with a later kernel");
            no(name, format!("this kernel lacks {}", missing.join(", ")), remedy)
        }
        Err(_) => {
            let found = format!("unknown without the kernel's types: {}", SOCKET_TRACEPOINTS.join(", "));
            no(name, found, "first see to the check before this one")
        }
    }
}

fn lockdown(kernel: &Kernel) -> Check {
    let name = "lockdown";
    match kernel.lockdown {
        Lockdown::None => yes(name, "none"),
        Lockdown::Integrity => yes(name, "integrity, which allows tracing"),
        Lockdown::Confidentiality => no(
            name,
            "confidentiality: the kernel lets nobody read its memory, programs that trace included",
            "boot with lockdown=integrity or lockdown=none on the kernel command line",
        ),
    }
}

fn memory_lock(kernel: &Kernel) -> Check {
    let name = "memory lock";
    match kernel.memlock_bytes {
        None => yes(name, "unlimited"),
        Some(bytes) if kernel.version() >= KERNEL_WITHOUT_MEMLOCK => {
            yes(name, format!("{} KiB, which this kernel does not apply to kernel programs", bytes >> 10))
        }
        Some(bytes) if bytes >= MEMLOCK_NEEDED_BYTES => yes(name, format!("{} KiB", bytes >> 10)),
        Some(bytes) => {
            let remedy = format!(
                "`ulimit -l {}` (or unlimited) in the shell that starts dbtap",
                MEMLOCK_NEEDED_BYTES >> 10
            );
            no(name, format!("only {} KiB may be locked", bytes >> 10), remedy)
        }
    }
}

fn pid_namespace(kernel: &Kernel) -> Check {
    if kernel.initial_pid_namespace {
        yes("pid namespace", "the host's own")
    } else {
        no(
            "pid namespace",
            "not the host's own: process ids here differ from those that the kernel reports",
            "run dbtap on the host itself, or in a container with the host's pid namespace (--pid=host)",
        )
    }
}

/// The checks of a process; `None`: the pid is dbtap's own.
pub fn of_process(facts: Option<&Result<ProcessFacts, ProcessError>>) -> Vec<Check> {
    let facts = match facts {
        None => {
            let remedy = "choose the process whose database requests are slow";
            return vec![no("process", "this is dbtap itself", remedy)];
        }
        Some(Err(error)) => return vec![refused("process", error)],
        Some(Ok(facts)) => facts,
    };
    vec![process(facts), container(facts), readable(facts), encryption(facts)]
}

/// The sentence of an error has what was found, a semicolon, and the remedy.
fn refused(name: &'static str, error: &ProcessError) -> Check {
    let sentence = error.to_string();
    let (found, remedy) = sentence.split_once("; ").unwrap_or((&sentence, "choose another process"));
    no(name, found, remedy)
}

fn process(facts: &ProcessFacts) -> Check {
    let process = &facts.process;
    let threads = match process.threads {
        1 => "1 thread".to_owned(),
        count => format!("{count} threads"),
    };
    let program = match &process.exe {
        Some(exe) if exe.deleted => format!("{} (deleted since)", exe.path.display()),
        Some(exe) => exe.path.display().to_string(),
        None => "program file not visible".to_owned(),
    };
    yes("process", format!("{} ({}), {threads}, {program}", process.pid, process.comm))
}

fn container(facts: &ProcessFacts) -> Check {
    match facts.process.container_id() {
        // What `docker ps` shows of an id.
        Some(id) => note("container", id.get(..12).unwrap_or(id)),
        None => note("container", "none"),
    }
}

fn readable(facts: &ProcessFacts) -> Check {
    let name = "sockets";
    match &facts.sockets {
        Err(error) => refused(name, error),
        Ok(open) => {
            let of = |state: State| open.sockets.iter().filter(|socket| socket.state == state).count();
            let (connected, listening) = (of(State::Established), of(State::Listening));
            yes(name, format!("readable: {connected} connected, {listening} listening"))
        }
    }
}

fn encryption(facts: &ProcessFacts) -> Check {
    let hint = match &facts.tls_libraries {
        Err(_) => "which libraries it has loaded may not be looked at".to_owned(),
        Ok(none) if none.is_empty() => {
            "no TLS library is loaded as a shared file, though one may be built in".to_owned()
        }
        Ok(some) => {
            let names: Vec<&str> = some.iter().map(String::as_str).collect();
            format!("the process has loaded {}, which does not say that it uses it", names.join(", "))
        }
    };
    note(
        "encryption",
        format!("which connections use TLS cannot be told without looking at their bytes; {hint}"),
    )
}
