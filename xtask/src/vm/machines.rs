//! The machines that are booted, and what each must be able to do: this table is the expectation. A mechanism that
//! works where it should be refused fails the run, as one that is refused where it should work.

use crate::tools::kernels::Architecture;
use anyhow::Context as _;

/// One machine: a kernel and the parameters that it is booted with.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// What a person calls it.
    pub name: &'static str,
    /// Name of the kernel in [`crate::tools::kernels::KERNELS`].
    pub kernel: &'static str,
    pub architecture: Architecture,
    /// Kernel parameters.
    pub parameters: &'static str,
    /// What each backend does there.
    pub socket: Outcome,
    pub fexit: Outcome,
    pub syscall: Outcome,
}

/// What a backend does on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every test of the kernel side passes, and a capture is exact.
    Works,
    /// dbtap ends with a sentence that has these words in it.
    Refused(&'static str),
}

impl Machine {
    /// Every backend, by the name that `dbtap attach --backend` takes, and what it does there.
    pub fn backends(&self) -> [(&'static str, Outcome); 3] {
        [("socket", self.socket), ("fexit", self.fexit), ("syscall", self.syscall)]
    }
}

use Architecture::Amd64;
use Outcome::{Refused, Works};

/// The socket tracepoints came with Linux 6.3.
const NO_TRACEPOINT: Outcome = Refused("this kernel has no tracepoint sock_send_length");
/// `lockdown=confidentiality` forbids reading user memory from a probe.
const LOCKED_DOWN: Outcome = Refused("lockdown");

/// Every machine, the oldest kernel first.
pub const MACHINES: [Machine; 8] = [
    Machine { name: "5.10", kernel: "5.10", socket: NO_TRACEPOINT, ..PLAIN },
    Machine { name: "6.1", kernel: "6.1", socket: NO_TRACEPOINT, ..PLAIN },
    Machine { name: "6.12", kernel: "6.12", ..PLAIN },
    Machine { name: "6.12-integrity", kernel: "6.12", parameters: "lockdown=integrity", ..PLAIN },
    Machine {
        name: "6.12-confidentiality",
        kernel: "6.12",
        parameters: "lockdown=confidentiality",
        socket: LOCKED_DOWN,
        fexit: LOCKED_DOWN,
        syscall: LOCKED_DOWN,
        ..PLAIN
    },
    Machine { name: "6.18", kernel: "6.18", ..PLAIN },
    Machine { name: "sid", kernel: "sid", ..PLAIN },
    Machine { name: "newest", kernel: "newest", ..PLAIN },
];

/// What most of them have.
const PLAIN: Machine = Machine {
    name: "",
    kernel: "",
    architecture: Amd64,
    parameters: "",
    socket: Works,
    fexit: Works,
    syscall: Works,
};

/// The machines of these names; all where there is no name.
pub fn named(names: &[String]) -> anyhow::Result<Vec<Machine>> {
    if names.is_empty() {
        return Ok(MACHINES.to_vec());
    }
    let find = |name: &String| {
        let all = || MACHINES.map(|machine| machine.name).join(", ");
        let found = MACHINES.iter().find(|machine| machine.name == name);
        found.copied().with_context(|| format!("there is no machine {name}; there are {}", all()))
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::kernels::KERNELS;

    #[test]
    fn every_machine_has_a_name_of_its_own_and_a_kernel() {
        for (at, machine) in MACHINES.iter().enumerate() {
            let same = MACHINES.iter().position(|other| other.name == machine.name);
            assert_eq!(same, Some(at), "{}", machine.name);
            assert!(KERNELS.iter().any(|kernel| kernel.name == machine.kernel), "{}", machine.name);
        }
    }

    #[test]
    fn a_wrong_name_is_told() {
        assert_eq!(named(&[]).unwrap().len(), MACHINES.len());
        assert_eq!(named(&["6.1".into()]).unwrap()[0].kernel, "6.1");
        assert!(
            named(&["6".into()])
                .unwrap_err()
                .to_string()
                .starts_with("there is no machine 6; there are 5.10")
        );
    }
}
