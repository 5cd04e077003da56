//! What a machine's console tells: how each step ended, the verdict, and whether the kernel died.
//!
//! The lines are written by `tests/src/vm/run.rs` and `tests/src/bin/vm-init.rs`.

use super::qemu::End;

/// What the kernel says when it is broken, in the words of its own messages.
const BROKEN: [&str; 6] =
    ["Kernel panic", "Oops:", "BUG: ", "general protection fault", "double fault", "Internal error:"];

/// What a console told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Release of the kernel.
    pub kernel: String,
    /// Ends of steps, as the machine printed them: good or failed, name, closing line.
    pub steps: Vec<String>,
    /// Tests that passed, of all programs.
    pub passed: u64,
    /// Why the machine did not pass; empty when it passed.
    pub failures: Vec<String>,
}

/// Reads a console that will say nothing more. With `all`, every program must have run a test.
pub fn read(console: &str, end: End, planned: usize, all: bool) -> Told {
    let mut told = Told::default();
    let mut verdict = None;
    for line in console.lines().map(str::trim_end) {
        if let Some(rest) = line.strip_prefix("vm: ") {
            match rest.split_once(": ") {
                Some(("kernel", release)) => told.kernel = release.to_owned(),
                Some(("good", step)) => {
                    let passed = passed(step);
                    if all && passed == 0 {
                        told.failures.push(format!("no test in it: {step}"));
                    }
                    told.passed += passed;
                    told.steps.push(step.to_owned());
                }
                Some(("failed", step)) => {
                    told.steps.push(format!("FAILED {step}"));
                    told.failures.push(step.to_owned());
                }
                Some(("end", said)) => verdict = Some(said.to_owned()),
                _ => {}
            }
        } else if !line.starts_with("vm| ") && BROKEN.iter().any(|words| line.contains(words)) {
            told.failures.push(format!("the kernel is broken: {line}"));
        }
    }
    match verdict {
        Some(said) if said == format!("passed {planned}") => {}
        Some(said) if told.failures.is_empty() => told.failures.push(format!("its verdict is: {said}")),
        Some(_) => {}
        None if end == End::TooLong => told.failures.push("killed: it took too long".to_owned()),
        None => told.failures.push("it went off without a verdict".to_owned()),
    }
    told
}

/// The number in libtest's closing line: `kernel_calls: test result: ok. 9 passed; 0 failed; ...`. Any other program is one
/// test.
fn passed(step: &str) -> u64 {
    match step.split_once("test result: ok. ") {
        Some((_, rest)) => rest.split(" passed;").next().and_then(|number| number.parse().ok()).unwrap_or(0),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(console: &str, end: End, expected: &[&str]) {
        assert_eq!(read(console, end, 2, true).failures, expected, "{console}");
    }

    const GOOD: &str = "vm: kernel: 6.1\nvm: good: kernel_a: test result: ok. 7 passed; 0 failed; 0 ignored (1.0 s)\r\n\
                        vm: good: kernel_b: test result: ok. 12 passed; 0 failed (1.0 s)\n";

    #[test]
    fn a_good_machine_says_so_itself() {
        let told = read(&format!("{GOOD}\nvm: end: passed 2\n"), End::Ended, 2, true);
        assert_eq!((told.kernel.as_str(), told.passed, told.steps.len()), ("6.1", 19, 2));
        assert_eq!(told.failures, [""; 0]);
    }

    #[test]
    fn without_a_verdict_nothing_is_good() {
        check(GOOD, End::Ended, &["it went off without a verdict"]);
        check(GOOD, End::TooLong, &["killed: it took too long"]);
        check("", End::Ended, &["it went off without a verdict"]);
        check("vm: end: passed 1\n", End::Ended, &["its verdict is: passed 1"]);
        check("vm: end: error: no plan\n", End::Ended, &["its verdict is: error: no plan"]);
        let panic = "[    2.1] Kernel panic - not syncing: Fatal exception";
        check(
            &format!("{GOOD}{panic}\n"),
            End::Ended,
            &[&format!("the kernel is broken: {panic}"), "it went off without a verdict"],
        );
    }

    #[test]
    fn a_program_without_tests_is_told() {
        let none = "vm: good: a: test result: ok. 0 passed; 0 failed (0.1 s)\nvm: good: b: fine (0.1 s)\nvm: end: passed 2\n";
        check(none, End::Ended, &["no test in it: a: test result: ok. 0 passed; 0 failed (0.1 s)"]);
        assert_eq!(read(none, End::Ended, 2, false).failures, [""; 0]);
    }

    #[test]
    fn a_failed_step_is_told() {
        let failed = "vm| thread 'x' panicked: BUG: no\nvm: failed: kernel_a: exit code 101 (2.0 s)\nvm: end: failed 1 of 2\n";
        check(failed, End::Ended, &["kernel_a: exit code 101 (2.0 s)"]);
    }

    #[test]
    fn a_verdict_does_not_hide_a_broken_kernel() {
        check(
            &format!("{GOOD}BUG: unable to handle page fault\nvm: end: passed 2\n"),
            End::Ended,
            &["the kernel is broken: BUG: unable to handle page fault"],
        );
    }
}
