//! What a machine is to run. Its first process (`tests/src/vm/plan.rs`) reads this as JSON.

use super::guest::Program;
use super::machines::{Machine, Outcome};
use serde_json::json;

/// No step takes so long, also in an emulated machine.
const LIMIT_SECONDS: u64 = 180;

/// One program to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// What a person calls it.
    pub name: String,
    /// Path in the machine.
    pub program: String,
    pub arguments: Vec<String>,
    /// Which backend a test program of the kernel side takes.
    pub backend: &'static str,
}

/// What a person wants to run; all where a list is empty.
#[derive(Debug, Default, clap::Args)]
pub struct Wanted {
    /// Only these backends: socket, fexit, syscall
    #[arg(long)]
    pub backend: Vec<String>,
    /// Only tests whose names contain one of these words
    #[arg(last = true)]
    pub filter: Vec<String>,
}

/// The steps of a machine.
pub fn of(machine: &Machine, programs: &[Program], wanted: &Wanted) -> Vec<Step> {
    let mut steps = Vec::new();
    for (backend, outcome) in machine.backends() {
        if !wanted.backend.is_empty() && !wanted.backend.iter().any(|name| name == backend) {
            continue;
        }
        let mut step = |name: &str, program: &str, arguments: Vec<String>| {
            let (name, program) = (format!("{backend}: {name}"), format!("/bin/{program}"));
            steps.push(Step { name, program, arguments, backend });
        };
        // A test program picks its tests itself, by the words that it gets.
        let matches =
            |name: &str| wanted.filter.is_empty() || wanted.filter.iter().any(|word| name.contains(word));
        let only = || vec!["--backend".to_owned(), backend.to_owned()];
        match outcome {
            Outcome::Works => {
                for program in programs.iter().filter(|program| program.name.starts_with("kernel_")) {
                    step(&program.name, &program.name, wanted.filter.clone());
                }
                if matches("capture") {
                    step("capture", "vm-capture", only());
                }
            }
            Outcome::Refused(words) if matches("refusal") => {
                step("refusal", "vm-refusal", [vec![words.to_owned()], only()].concat());
            }
            Outcome::Refused(_) => {}
        }
    }
    steps
}

/// As the machine's first process reads it.
pub fn to_json(steps: &[Step]) -> String {
    let steps = steps.iter().map(|step| {
        json!({
            "name": step.name,
            "program": step.program,
            "arguments": step.arguments,
            "environment": {
                "DBTAP_BINARY": "/bin/dbtap",
                "DBTAP_TEST_BACKEND": step.backend,
            },
            "limit_seconds": LIMIT_SECONDS,
        })
    });
    steps.collect::<serde_json::Value>().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::machines;

    fn check(machine: &str, wanted: &Wanted, expected: &[&str]) {
        let machine = machines::named(&[machine.to_owned()]).unwrap()[0];
        let programs = ["dbtap", "kernel_a", "kernel_b"]
            .map(|name| Program { name: name.to_owned(), path: name.into() });
        let steps = of(&machine, &programs, wanted);
        let shown: Vec<String> =
            steps.iter().map(|step| format!("{}: {}", step.name, step.arguments.join(" "))).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_works_is_tested_and_what_does_not_is_refused() {
        let all = Wanted::default();
        let refused = "socket: refusal: this kernel has no tracepoint sock_send_length --backend socket";
        let fexit = ["fexit: kernel_a: ", "fexit: kernel_b: ", "fexit: capture: --backend fexit"];
        let syscall = ["syscall: kernel_a: ", "syscall: kernel_b: ", "syscall: capture: --backend syscall"];
        check("6.1", &all, &[&[refused], &fexit[..], &syscall[..]].concat());
        check("6.1", &Wanted { backend: vec!["socket".into()], ..all }, &[refused]);
    }

    #[test]
    fn words_pick_tests() {
        let wanted = |word: &str| Wanted { backend: vec!["fexit".into()], filter: vec![word.into()] };
        check("6.12", &wanted("some_test"), &["fexit: kernel_a: some_test", "fexit: kernel_b: some_test"]);
        let capture = "fexit: capture: --backend fexit";
        check("6.12", &wanted("capt"), &["fexit: kernel_a: capt", "fexit: kernel_b: capt", capture]);
    }
}
