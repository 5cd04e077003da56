//! Why the kernel side could not be set up, in words for the person who started dbtap.
//!
//! What the kernel gives is a number. What it means follows from dbtap's standing with this kernel, asked only after a
//! failure: nothing is refused here that the kernel would have allowed.

use std::io;

use aya::programs::ProgramError;

use super::Backend;
use crate::host::{
    btf::BtfError,
    kernel::{Kernel as Host, LOADING, Lockdown},
};

/// Why the kernel side could not be set up: what is wrong, a semicolon, and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Type information is missing.
    #[error("{0}")]
    Btf(#[from] BtfError),
    /// A tracepoint is missing.
    #[error(
        "this kernel has no tracepoint {0}; choose another backend, or leave the choice to dbtap with --backend auto"
    )]
    NoTracepoint(&'static str),
    /// A kernel function is missing, or the compiler has put it into its callers.
    #[error(
        "programs cannot be attached to a function {0} on this kernel; choose another backend, or leave the choice to dbtap with --backend auto"
    )]
    NoFunction(&'static str),
    /// A kernel function is not the one that is known here.
    #[error(
        "this kernel's function {name} has {found} arguments and not {expected}; choose another backend, and report the kernel version to the dbtap project"
    )]
    OtherFunction {
        /// Its name.
        name: &'static str,
        /// Arguments in this kernel.
        found: u32,
        /// Arguments in the kernels that dbtap knows.
        expected: u32,
    },
    /// It would be dangerous.
    #[error(
        "this kernel can crash when a program is taken off a function that a thread waits in; update it to Linux 5.12 or a later 5.10, or choose another backend"
    )]
    UnsafeFunctions,
    /// The kernel takes no programs on its functions, whoever asks.
    #[error(
        "this kernel refuses programs on its own functions, whoever asks; choose another backend, or leave the choice to dbtap with --backend auto"
    )]
    FunctionsClosed,
    /// Each backend was refused.
    #[error("{}", none_of(.0))]
    NoBackend(Vec<(Backend, String)>),
    /// Capabilities are missing.
    #[error(
        "dbtap lacks {0}, without which the kernel takes no tracing programs; run it as root, for instance with sudo, or give it what it lacks"
    )]
    Capabilities(String),
    /// Root of a container's user namespace is nobody to the kernel.
    #[error(
        "dbtap is in a user namespace of its own, where capabilities count for nothing; run it on the host itself, as root, for instance with sudo"
    )]
    UserNamespace,
    /// kernel_lockdown(7).
    #[error(
        "this kernel is locked down for confidentiality: it lets no program read memory, its own or a process's, and dbtap's programs read the bytes of requests there; boot with lockdown=integrity on the kernel command line, where dbtap works in full"
    )]
    Confidentiality,
    /// `RLIMIT_MEMLOCK` before Linux 5.11.
    #[error(
        "this kernel counts programs as locked memory, and dbtap may lock only {0} KiB; run `ulimit -l unlimited` first, or give it CAP_SYS_RESOURCE"
    )]
    LockedMemory(u64),
    /// Not allowed, though dbtap has what it takes.
    #[error(
        "the kernel refused dbtap ({0}), although it has the capabilities that it takes; run it as root on the host itself, where no container's seccomp filter and no security module forbids bpf(2)"
    )]
    Refused(String),
    /// Anything else.
    #[error("the kernel did not take dbtap's programs: {0}; run `dbtap doctor` for what this host allows")]
    Kernel(String),
    /// The programs are attached and do not see what they must.
    #[error(
        "the probes are in place, but they did not see dbtap's own test message; its numbers could not be trusted: {0}"
    )]
    SelfTest(String),
    /// A `/proc` or memory operation failed.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        error: io::Error,
    },
}

impl LoadError {
    /// What is wrong, without the remedy, in one line.
    pub fn reason(&self) -> String {
        let text = self.to_string();
        text.split_once("; ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
    }

    /// Every backend fails for this reason, so there is no use in trying the next.
    pub fn concerns_all(&self) -> bool {
        matches!(
            self,
            Self::Btf(_)
                | Self::Capabilities(_)
                | Self::UserNamespace
                | Self::Confidentiality
                | Self::LockedMemory(_)
        )
    }

    pub(super) fn kernel(error: impl std::error::Error + 'static) -> Self {
        let mut text = String::new();
        let mut refused = false;
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            refused |= error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
            cause = error.source();
            let words = match error.downcast_ref::<ProgramError>() {
                Some(ProgramError::LoadError { verifier_log, .. }) => of_verifier(&verifier_log.to_string()),
                _ => error.to_string(),
            };
            // Many errors repeat the words of their cause.
            if !text.ends_with(&words) {
                text = if text.is_empty() { words } else { format!("{text}: {words}") };
            }
        }
        if refused { Self::Refused(text) } else { Self::Kernel(text) }
    }

    /// The kernel's refusal to load a program on one of its functions.
    pub(super) fn on_function(self) -> Self {
        match self {
            Self::Refused(_) => Self::FunctionsClosed,
            other => other,
        }
    }

    /// Lockdown takes the helpers that read memory away, and every kernel that has what dbtap needs has these helpers. The
    /// verifier then names `bpf_probe_read`, which no program of dbtap calls: the loader puts it where it finds no newer one.
    /// The state of the lockdown itself may not be readable, as in a container.
    fn misses_memory_reads(&self) -> bool {
        let (Self::Kernel(text) | Self::Refused(text)) = self else { return false };
        text.contains("bpf_probe_read")
            && (text.contains("unknown func") || text.contains("cannot use helper"))
    }

    /// The reason behind what the kernel answered, as far as facts tell it.
    pub(super) fn explained(self, host: &Host) -> Self {
        let refused = matches!(self, Self::Refused(_) | Self::FunctionsClosed);
        let missing = host.capabilities.missing(&LOADING);
        if refused && !host.initial_user_namespace {
            Self::UserNamespace
        } else if refused && !missing.is_empty() {
            Self::Capabilities(missing.join(" and "))
        } else if host.lockdown == Lockdown::Confidentiality && (refused || matches!(self, Self::Kernel(_)))
            || self.misses_memory_reads()
        {
            Self::Confidentiality
        } else if let (Self::Refused(_), true, Some(bytes)) =
            (&self, host.counts_locked_memory(), host.memlock_bytes)
        {
            Self::LockedMemory(bytes >> 10)
        } else {
            self
        }
    }
}

/// The last words of the verifier are its reason; what is before them is how it got there.
fn of_verifier(log: &str) -> String {
    // "processed N insns ..." is its statistics.
    let mut said = log.lines().rev().map(str::trim);
    match said.find(|line| !line.is_empty() && !line.starts_with("processed ")) {
        Some(words) => format!("the verifier says `{}`", words.replace("; ", ", ")),
        None => "a program was not loaded".to_owned(),
    }
}

fn none_of(refusals: &[(Backend, String)]) -> String {
    let mut text = "this kernel allows none of dbtap's ways to see socket traffic:\n".to_owned();
    for (backend, reason) in refusals {
        text.push_str(&format!("  {:<8} {reason}\n", format!("{}:", backend.name())));
    }
    text.push_str("`dbtap doctor` says what can be done on this host");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::kernel::{CAP_BPF, CAP_PERFMON, Capabilities};

    fn host() -> Host {
        Host {
            release: "6.12.0".to_owned(),
            hostname: "db7".to_owned(),
            arch: "x86_64".to_owned(),
            user_id: 0,
            capabilities: Capabilities(u64::MAX),
            initial_user_namespace: true,
            initial_pid_namespace: true,
            memlock_bytes: Some(64 << 10),
            lockdown: Lockdown::None,
            types: Ok(()),
        }
    }

    fn refused() -> LoadError {
        LoadError::kernel(io::Error::from(io::ErrorKind::PermissionDenied))
    }

    #[test]
    fn what_a_refusal_means() {
        let check = |error: LoadError, host: Host, expected: &str| {
            let text = error.explained(&host).to_string();
            assert!(text.starts_with(expected), "{text}");
            assert!(text.contains("; "), "no remedy: {text}");
        };
        let only = |capability: crate::host::kernel::Capability| Host {
            capabilities: Capabilities(1 << capability.bit),
            ..host()
        };
        check(refused(), only(CAP_BPF), "dbtap lacks CAP_PERFMON, without");
        check(refused(), only(CAP_PERFMON), "dbtap lacks CAP_BPF, without");
        let nothing = || Host { capabilities: Capabilities(0), ..host() };
        check(refused(), nothing(), "dbtap lacks CAP_BPF and CAP_PERFMON, without");
        check(refused().on_function(), nothing(), "dbtap lacks CAP_BPF and CAP_PERFMON, without");
        check(refused().on_function(), host(), "this kernel refuses programs on its own functions");
        check(refused(), Host { initial_user_namespace: false, ..host() }, "dbtap is in a user namespace");
        check(refused(), host(), "the kernel refused dbtap (permission denied), although");
        check(
            refused(),
            Host { release: "5.10.0-28-amd64".to_owned(), ..host() },
            "this kernel counts programs as locked memory, and dbtap may lock only 64 KiB",
        );
        // The loader replaces helpers that it believes missing, so the verifier names one that no program of ours calls.
        let helper = || LoadError::Kernel("the verifier says `unknown func bpf_probe_read#4`".to_owned());
        let locked = || Host { lockdown: Lockdown::Confidentiality, ..host() };
        check(
            helper(),
            locked(),
            "this kernel is locked down for confidentiality: it lets no program read memory",
        );
        check(refused(), locked(), "this kernel is locked down for confidentiality");
        check(helper(), host(), "this kernel is locked down for confidentiality");
        let other = || LoadError::Kernel("the verifier says `unknown func bpf_loop#181`".to_owned());
        check(other(), host(), "the kernel did not take");
        check(other(), locked(), "this kernel is locked down for confidentiality");
        check(
            LoadError::NoTracepoint("sock_send_length"),
            locked(),
            "this kernel has no tracepoint sock_send_length",
        );
    }

    #[test]
    fn one_line_for_each_backend() {
        let error = LoadError::NoBackend(vec![
            (Backend::Socket, LoadError::NoTracepoint("sock_send_length").reason()),
            (Backend::Fexit, LoadError::FunctionsClosed.reason()),
            (Backend::Syscall, LoadError::Kernel("no memory".to_owned()).reason()),
        ]);
        let expected = "\
this kernel allows none of dbtap's ways to see socket traffic:
  socket:  this kernel has no tracepoint sock_send_length
  fexit:   this kernel refuses programs on its own functions, whoever asks
  syscall: the kernel did not take dbtap's programs: no memory
`dbtap doctor` says what can be done on this host";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn the_last_words_of_the_verifier() {
        let log = "0: R1=ctx() R10=fp0\n; let a = 1;\n1: (85) call bpf_loop#181\nunknown func bpf_loop#181\nprocessed 4 insns (limit 1000000)\n";
        assert_eq!(of_verifier(log), "the verifier says `unknown func bpf_loop#181`");
        assert_eq!(of_verifier("a; b\n"), "the verifier says `a, b`");
        assert_eq!(of_verifier("\n"), "a program was not loaded");
    }
}
