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
}

/// The steps of a machine. `filter` are words as libtest takes them: of a test's name, any of them.
pub fn of(machine: &Machine, programs: &[Program], filter: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    let wanted = |name: &str| filter.is_empty() || filter.iter().any(|word| name.contains(word));
    match machine.socket {
        Outcome::Works => {
            for program in programs.iter().filter(|program| program.name.starts_with("kernel_")) {
                steps.push(Step {
                    name: program.name.clone(),
                    program: format!("/bin/{}", program.name),
                    arguments: filter.to_vec(),
                });
            }
            if wanted("capture") {
                steps.push(Step {
                    name: "capture".into(),
                    program: "/bin/vm-capture".into(),
                    arguments: vec![],
                });
            }
        }
        Outcome::Refused(words) if wanted("refusal") => steps.push(Step {
            name: "refusal".into(),
            program: "/bin/vm-refusal".into(),
            arguments: vec![words.into()],
        }),
        Outcome::Refused(_) => {}
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
            "environment": {"DBTAP_BINARY": "/bin/dbtap", "RUST_BACKTRACE": "1"},
            "limit_seconds": LIMIT_SECONDS,
        })
    });
    steps.collect::<serde_json::Value>().to_string()
}
