//! What follows from the facts, check by check. Pure.

use super::Verdict::{No, Note, Yes};
use super::backends;
use super::{Check, ProcessFacts};
use crate::host::kernel::{
    CAP_SYS_ADMIN, CAP_SYS_RESOURCE, Capabilities, Kernel, LOADING, LOOKING, Lockdown,
};
use crate::host::process::ProcessError;
use crate::host::socket::State;
use crate::source::{Backend, Trial};

/// Enough for the maps and programs on a kernel that counts them.
const MEMLOCK_NEEDED_BYTES: u64 = 64 << 20;

pub(super) fn yes(name: &'static str, found: impl Into<String>) -> Check {
    Check { name, verdict: Yes, found: found.into(), remedy: None }
}

pub(super) fn note(name: &'static str, found: impl Into<String>) -> Check {
    Check { name, verdict: Note, found: found.into(), remedy: None }
}

pub(super) fn no(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
    Check { name, verdict: No, found: found.into(), remedy: Some(remedy.into()) }
}

/// The checks of the host. `trials`: what came of each backend, best first.
pub fn of_host(kernel: &Kernel, trials: &[(Backend, Trial)]) -> Vec<Check> {
    let mut checks = vec![
        privileges(kernel),
        other_processes(kernel),
        cost(kernel),
        version(kernel),
        type_information(kernel),
        lockdown(kernel),
        memory_lock(kernel),
        pid_namespace(kernel),
    ];
    checks.extend(backends::of(trials));
    checks
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
    let missing = kernel.capabilities.missing(&LOADING);
    match (missing.is_empty(), kernel.user_id) {
        (true, 0) => yes(name, who),
        (true, _) => yes(name, format!("{who}, with CAP_BPF and CAP_PERFMON")),
        (false, 0) => no(
            name,
            format!("root, but without {}", missing.join(" and ")),
            "run dbtap on the host itself, or in a container started with these capabilities (or --privileged)",
        ),
        (false, _) => no(
            name,
            format!("{who}, without {}", missing.join(" and ")),
            "run dbtap with sudo, or give it the capabilities that it takes",
        ),
    }
}

fn other_processes(kernel: &Kernel) -> Check {
    let name = "other users";
    match kernel.capabilities.missing(&LOOKING).as_slice() {
        [] => yes(name, "their processes can be observed"),
        missing => {
            note(name, format!("their processes cannot be observed without {}", missing.join(" and ")))
        }
    }
}

fn cost(kernel: &Kernel) -> Check {
    let name = "cost of probes";
    if kernel.capabilities.has(CAP_SYS_ADMIN) {
        yes(name, "can be measured")
    } else {
        note(name, "reports cannot tell it, for that takes CAP_SYS_ADMIN; all else in them is complete")
    }
}

fn version(kernel: &Kernel) -> Check {
    note("kernel", format!("Linux {} ({})", kernel.release, kernel.arch))
}

fn type_information(kernel: &Kernel) -> Check {
    let name = "kernel types";
    match &kernel.types {
        Ok(()) => yes(name, "the kernel describes its own types (BTF)"),
        Err(error) => {
            let error = error.to_string();
            let (found, remedy) = error.split_once("; ").unwrap_or((&error, "use another kernel"));
            no(name, found, remedy)
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
            "confidentiality: the kernel lets no program read memory, its own or a process's, and dbtap's programs read the bytes of requests there",
            "boot with lockdown=integrity on the kernel command line, where dbtap works in full",
        ),
    }
}

fn memory_lock(kernel: &Kernel) -> Check {
    let name = "memory lock";
    match kernel.memlock_bytes {
        None => yes(name, "unlimited"),
        Some(bytes) if !kernel.counts_locked_memory() => {
            yes(name, format!("{} KiB, which this kernel does not apply to kernel programs", bytes >> 10))
        }
        Some(bytes) if bytes >= MEMLOCK_NEEDED_BYTES => yes(name, format!("{} KiB", bytes >> 10)),
        Some(bytes) if kernel.capabilities.has(CAP_SYS_RESOURCE) => {
            yes(name, format!("{} KiB, which dbtap raises for itself", bytes >> 10))
        }
        Some(bytes) => {
            let remedy = format!(
                "`ulimit -l {}` (or unlimited) in the shell that starts dbtap, or give it CAP_SYS_RESOURCE",
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
pub fn of_process(
    facts: Option<&Result<ProcessFacts, ProcessError>>,
    capabilities: Capabilities,
) -> Vec<Check> {
    let facts = match facts {
        None => {
            let remedy = "choose the process whose database requests are slow";
            return vec![no("process", "this is dbtap itself", remedy)];
        }
        Some(Err(error)) => return vec![refused("process", error)],
        Some(Ok(facts)) => facts,
    };
    vec![process(facts), container(facts), readable(facts, capabilities), encryption(facts)]
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

fn readable(facts: &ProcessFacts, capabilities: Capabilities) -> Check {
    let name = "sockets";
    let missing = capabilities.missing(&LOOKING);
    match &facts.sockets {
        Err(ProcessError::Permission(_)) if !missing.is_empty() => no(
            name,
            format!("cannot be listed without {}", missing.join(" and ")),
            "run dbtap with sudo, or give it the capabilities that it takes",
        ),
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
