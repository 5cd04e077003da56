//! What each backend consists of: its kernel object, and where the programs in it are attached.

use crate::{host::btf::Btf, source::Backend};

/// A program of a kernel object and where it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hook {
    /// Its name in the object.
    pub program: &'static str,
    /// What it is attached to.
    pub at: At,
    /// False: where the kernel has no such function, there is nothing to see either.
    pub needed: bool,
}

/// What a program is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// A tracepoint with BTF.
    Tracepoint(&'static str),
    /// A kernel function with so many arguments, where it begins.
    Entry(&'static str, u32),
    /// A kernel function with so many arguments, where it returns. Its result follows the arguments.
    Exit(&'static str, u32),
}

impl At {
    /// Name and number of arguments of the kernel function, where it is one.
    pub(super) fn function(self) -> Option<(&'static str, u32)> {
        match self {
            Self::Tracepoint(_) => None,
            Self::Entry(name, arguments) | Self::Exit(name, arguments) => Some((name, arguments)),
        }
    }
}

const fn hook(program: &'static str, at: At) -> Hook {
    Hook { program, at, needed: true }
}

const fn where_there(program: &'static str, at: At) -> Hook {
    Hook { program, at, needed: false }
}

/// Attached first by every backend: the target table is kept true before traffic is seen.
const PROCESSES_AND_ENDS: [Hook; 4] = [
    hook("fork", At::Tracepoint("sched_process_fork")),
    hook("exec", At::Tracepoint("sched_process_exec")),
    hook("exit", At::Tracepoint("sched_process_exit")),
    hook("tcp_state", At::Tracepoint("inet_sock_set_state")),
];

const SOCKET: &[Hook] =
    &[hook("send", At::Tracepoint("sock_send_length")), hook("receive", At::Tracepoint("sock_recv_length"))];

/// The states of sockets are in a table, which closed sockets must leave.
const RELEASES: &[Hook] =
    &[hook("inet_release", At::Entry("inet_release", 1)), hook("unix_release", At::Entry("unix_release", 1))];

const FEXIT: &[Hook] = &[
    hook("inet_send", At::Exit("inet_sendmsg", 3)),
    // Not there in a kernel without IPv6.
    where_there("inet6_send", At::Exit("inet6_sendmsg", 3)),
    hook("unix_send", At::Exit("unix_stream_sendmsg", 3)),
    hook("inet_receive", At::Exit("inet_recvmsg", 4)),
    where_there("inet6_receive", At::Exit("inet6_recvmsg", 4)),
    hook("unix_receive", At::Exit("unix_stream_recvmsg", 4)),
    // Until Linux 6.4.
    where_there("inet_send_page", At::Exit("inet_sendpage", 5)),
    where_there("unix_send_page", At::Exit("unix_stream_sendpage", 5)),
    where_there("tcp_splice", At::Exit("tcp_splice_read", 5)),
    where_there("unix_splice", At::Exit("unix_stream_splice_read", 5)),
];

const SYSCALL: &[Hook] =
    &[hook("sys_enter", At::Tracepoint("sys_enter")), hook("sys_exit", At::Tracepoint("sys_exit"))];

/// Built by this crate's build script.
static SOCKET_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/dbtap-socket.o"));
static FEXIT_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/dbtap-fexit.o"));
static FEXIT_TABLE_OBJECT: &[u8] =
    aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/dbtap-fexit-table.o"));
static SYSCALL_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/dbtap-syscall.o"));

/// What a backend consists of on the running kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    /// The kernel object.
    pub object: &'static [u8],
    /// In the order of attaching, behind [`PROCESSES_AND_ENDS`].
    own: [&'static [Hook]; 2],
}

impl Parts {
    /// Those of a backend.
    pub(super) fn of(backend: Backend, btf: &Btf) -> Self {
        // Linux 5.17; socket storage for programs that trace is older (5.12).
        let has_loop = || btf.enumerator("bpf_func_id", "BPF_FUNC_loop").is_ok_and(|value| value.is_some());
        let (object, own) = match backend {
            Backend::Socket => (SOCKET_OBJECT, [SOCKET, &[]]),
            Backend::Fexit if has_loop() => (FEXIT_OBJECT, [FEXIT, &[]]),
            Backend::Fexit => (FEXIT_TABLE_OBJECT, [RELEASES, FEXIT]),
            Backend::Syscall => (SYSCALL_OBJECT, [SYSCALL, &[]]),
        };
        Self { object, own }
    }

    /// In the order of attaching.
    pub(super) fn hooks(self) -> impl Iterator<Item = Hook> {
        PROCESSES_AND_ENDS.into_iter().chain(self.own.into_iter().flatten().copied())
    }
}
