//! What this kernel, and this process's standing with it, allow.

use super::btf::{Btf, BtfError, KERNEL_BTF};
use super::process::{self, namespace, status_word};
use rustix::process::{Resource, getrlimit};
use std::path::Path;

/// `CAP_SYS_PTRACE` and the others: bits of a capability set (`include/uapi/linux/capability.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Its number, which is its bit.
    pub bit: u32,
    /// Its name.
    pub name: &'static str,
}

/// Load kernel programs and make their maps (Linux 5.8 and later).
pub const CAP_BPF: Capability = Capability { bit: 39, name: "CAP_BPF" };
/// Attach programs that trace, and let them read kernel memory (Linux 5.8 and later).
pub const CAP_PERFMON: Capability = Capability { bit: 38, name: "CAP_PERFMON" };
/// Look at processes of other users.
pub const CAP_SYS_PTRACE: Capability = Capability { bit: 19, name: "CAP_SYS_PTRACE" };
/// Open folders of other users, as `/proc/PID/fd` is one.
pub const CAP_DAC_READ_SEARCH: Capability = Capability { bit: 2, name: "CAP_DAC_READ_SEARCH" };
/// Raise the limit of locked memory, which Linux before 5.11 applies to kernel programs.
pub const CAP_SYS_RESOURCE: Capability = Capability { bit: 24, name: "CAP_SYS_RESOURCE" };
/// Includes [`CAP_BPF`] and [`CAP_PERFMON`]; needed to measure what the programs cost, and to enter another network namespace.
pub const CAP_SYS_ADMIN: Capability = Capability { bit: 21, name: "CAP_SYS_ADMIN" };

/// Without these, the kernel takes no tracing program.
pub const LOADING: [Capability; 2] = [CAP_BPF, CAP_PERFMON];
/// Without these, the sockets of another user's process cannot be listed.
pub const LOOKING: [Capability; 2] = [CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH];

/// Since this version, memory of kernel programs counts against the control group and not against `RLIMIT_MEMLOCK`.
const WITHOUT_MEMLOCK: (u32, u32) = (5, 11);

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// Is it in the set, or included by one that is?
    pub fn has(self, capability: Capability) -> bool {
        let in_set = |capability: Capability| self.0 >> capability.bit & 1 == 1;
        let by_admin = matches!(capability, CAP_BPF | CAP_PERFMON);
        in_set(capability) || by_admin && in_set(CAP_SYS_ADMIN)
    }

    /// Names of those of `wanted` that it lacks.
    pub fn missing(self, wanted: &[Capability]) -> Vec<&'static str> {
        wanted.iter().filter(|capability| !self.has(**capability)).map(|capability| capability.name).collect()
    }
}

/// How far the kernel shuts itself off even from root (kernel_lockdown(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockdown {
    /// Off, or this kernel does not have it.
    None,
    /// Root cannot change the kernel. Tracing works.
    Integrity,
    /// Root cannot read the kernel's memory either, so programs that trace cannot work.
    Confidentiality,
}

/// The first process's pid and user namespaces have fixed inode numbers (`PROC_PID_INIT_INO` and
/// `PROC_USER_INIT_INO`, `include/linux/proc_ns.h`).
const INITIAL_PID_NAMESPACE: u32 = 0xeffffffc;
const INITIAL_USER_NAMESPACE: u32 = 0xeffffffd;

/// Facts of the kernel and of this process's standing with it.
#[derive(Debug)]
pub struct Kernel {
    /// For instance `6.18.44-generic`.
    pub release: String,
    /// Host name.
    pub hostname: String,
    /// For instance `x86_64`.
    pub arch: String,
    /// Effective user id of dbtap.
    pub user_id: u32,
    /// Effective capabilities of dbtap.
    pub capabilities: Capabilities,
    /// dbtap is in the host's own user namespace; elsewhere its capabilities mean nothing to the kernel.
    pub initial_user_namespace: bool,
    /// dbtap is in the host's own pid namespace; elsewhere `/proc` shows other pids than the kernel's programs see.
    pub initial_pid_namespace: bool,
    /// `RLIMIT_MEMLOCK`; `None`: unlimited.
    pub memlock_bytes: Option<u64>,
    /// Lockdown.
    pub lockdown: Lockdown,
    /// Its types can be read, or why not.
    pub types: Result<(), BtfError>,
}

impl Kernel {
    /// Reads everything; takes some milliseconds, for the types.
    pub fn read() -> Self {
        let name = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        let own = std::process::id();
        let lockdown = std::fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
        Self {
            release: text(name.release()),
            hostname: text(name.nodename()),
            arch: text(name.machine()),
            user_id: rustix::process::geteuid().as_raw(),
            capabilities: Self::own_capabilities(),
            initial_user_namespace: namespace(own, "user").is_ok_and(|inode| inode == INITIAL_USER_NAMESPACE),
            initial_pid_namespace: namespace(own, "pid").is_ok_and(|inode| inode == INITIAL_PID_NAMESPACE),
            memlock_bytes: getrlimit(Resource::Memlock).current,
            lockdown: parse_lockdown(&lockdown),
            types: Btf::load(Path::new(KERNEL_BTF)).map(drop),
        }
    }

    /// Effective capabilities of dbtap.
    pub fn own_capabilities() -> Capabilities {
        let status = process::file(std::process::id(), "status").unwrap_or_default();
        let effective = status_word(&status, "CapEff").and_then(|set| u64::from_str_radix(set, 16).ok());
        Capabilities(effective.unwrap_or(0))
    }

    /// Major and minor version; zeros where the release does not begin with them.
    pub fn version(&self) -> (u32, u32) {
        parse_version(&self.release)
    }

    /// Memory of kernel programs counts against [`Self::memlock_bytes`].
    pub fn counts_locked_memory(&self) -> bool {
        self.version() < WITHOUT_MEMLOCK
    }

    /// [`Self::counts_locked_memory`] of the running kernel, without reading the rest.
    pub fn release_counts_locked_memory() -> bool {
        parse_version(&rustix::system::uname().release().to_string_lossy()) < WITHOUT_MEMLOCK
    }
}

fn parse_version(release: &str) -> (u32, u32) {
    let mut numbers =
        release.split(|letter: char| !letter.is_ascii_digit()).map(|word| word.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// `none [integrity] confidentiality`: the level in force is in brackets.
fn parse_lockdown(text: &str) -> Lockdown {
    match text.split_once('[').and_then(|(_, rest)| rest.split_once(']')) {
        Some(("integrity", _)) => Lockdown::Integrity,
        Some(("confidentiality", _)) => Lockdown::Confidentiality,
        _ => Lockdown::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let check =
            |release: &str, expected: (u32, u32)| assert_eq!(parse_version(release), expected, "{release}");
        check("6.18.44-fc-v595", (6, 18));
        check("6.3", (6, 3));
        check("5.14.0-427.el9.x86_64", (5, 14));
        check("6.1-rc7+", (6, 1));
        check("", (0, 0));
        check("next", (0, 0));
        check("99999999999.1", (0, 1));
    }

    #[test]
    fn lockdown_levels() {
        assert_eq!(parse_lockdown("none [integrity] confidentiality\n"), Lockdown::Integrity);
        assert_eq!(parse_lockdown("none integrity [confidentiality]\n"), Lockdown::Confidentiality);
        assert_eq!(parse_lockdown("[none] integrity confidentiality\n"), Lockdown::None);
        assert_eq!(parse_lockdown(""), Lockdown::None);
    }

    #[test]
    fn capabilities() {
        let only = |capability: Capability| Capabilities(1 << capability.bit);
        assert!(only(CAP_BPF).has(CAP_BPF) && !only(CAP_BPF).has(CAP_PERFMON));
        assert!(only(CAP_SYS_ADMIN).has(CAP_BPF) && only(CAP_SYS_ADMIN).has(CAP_PERFMON));
        assert!(!only(CAP_SYS_ADMIN).has(CAP_SYS_PTRACE));
        assert_eq!(only(CAP_BPF).missing(&LOADING), ["CAP_PERFMON"]);
        assert_eq!(only(CAP_SYS_ADMIN).missing(&LOOKING), ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]);
        assert!(!Capabilities(0).has(CAP_BPF) && Capabilities(u64::MAX).has(CAP_BPF));
    }

    #[test]
    fn this_kernel() {
        let kernel = Kernel::read();
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(kernel.release, release.trim());
        assert_eq!(kernel.arch, std::env::consts::ARCH);
        assert_eq!(kernel.user_id == 0, kernel.capabilities.has(CAP_BPF), "{kernel:?}");
        assert!(kernel.types.is_ok(), "{:?}", kernel.types);
    }
}
