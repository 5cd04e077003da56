//! The ways to see what goes over a socket, by name. How each is done is known to `bpf` only.

/// One way. In [`Self::ALL`], the better one comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Tracepoints for every completed send and receive.
    Socket,
    /// The kernel's own functions that send and receive.
    Fexit,
    /// Entry and exit of system calls.
    Syscall,
}

impl Backend {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Socket, Self::Fexit, Self::Syscall];

    /// As on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Fexit => "fexit",
            Self::Syscall => "syscall",
        }
    }

    /// Does every system call of every process on the host pay for it?
    pub fn is_paid_by_all(self) -> bool {
        self == Self::Syscall
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }
}
