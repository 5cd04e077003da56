//! What the first process is to run, as a JSON file.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

/// Where the plan lies in the machine.
pub const PATH: &str = "/plan.json";

/// One program to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// What the console calls it.
    pub name: String,
    /// Path of the program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment, beside `PATH`.
    pub environment: BTreeMap<String, String>,
    /// When it is killed.
    pub limit: Duration,
}

/// Reads a plan: a list of objects with `name`, `program`, `arguments`, `environment`, `limit_seconds`.
///
/// # Errors
/// When it is not such a list.
pub fn read(text: &str) -> Result<Vec<Step>> {
    let steps: Value = serde_json::from_str(text).context("the plan is no JSON")?;
    steps.as_array().context("the plan is no list")?.iter().map(step).collect()
}

fn step(step: &Value) -> Result<Step> {
    let word = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    let words = step["arguments"].as_array().context("no list of arguments")?;
    let environment = step["environment"].as_object().context("no environment")?;
    Ok(Step {
        name: word(&step["name"])?,
        program: word(&step["program"])?,
        arguments: words.iter().map(word).collect::<Result<_>>()?,
        environment: environment
            .iter()
            .map(|(name, value)| Ok((name.clone(), word(value)?)))
            .collect::<Result<_>>()?,
        limit: Duration::from_secs(step["limit_seconds"].as_u64().context("no limit")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_a_list_of_programs() {
        let text = r#"[{"name": "n", "program": "/bin/p", "arguments": ["a", "b"],
                        "environment": {"E": "v"}, "limit_seconds": 9}]"#;
        let expected = Step {
            name: "n".into(),
            program: "/bin/p".into(),
            arguments: vec!["a".into(), "b".into()],
            environment: [("E".to_owned(), "v".to_owned())].into(),
            limit: Duration::from_secs(9),
        };
        assert_eq!(read(text).unwrap(), [expected]);
        for bad in ["", "{}", "[1]", r#"[{"name": "n"}]"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
