//! What every source file looks like: a head that says what it is, a readable size, reasons for exceptions.

use super::{assert_none, tree};

/// Longer than this needs an entry in [`LONG_FILES`].
const MOST_LINES: usize = 600;

/// A kernel program is read whole by whoever has to trust it.
const MOST_KERNEL_LINES: usize = 200;

/// Files that may be longer: path, most lines, why.
const LONG_FILES: [(&str, usize, &str); 1] = [(
    "tests/tests/normalize_vs_pg_stat_statements.rs",
    660,
    "most of it is the list of compared statements, one a line, which says nothing more when cut in two",
)];

/// Everything of the kernel side but the records, which user space shares.
fn is_kernel(path: &str) -> bool {
    path.starts_with("tracer-ebpf/src/") && path != "tracer-ebpf/src/lib.rs"
}

#[test]
fn every_source_file_says_what_it_is() {
    let no_head = |file: &tree::File| !file.text.lines().any(|line| line.starts_with("//! "));
    let violations: Vec<String> =
        tree::files(".rs").into_iter().filter(no_head).map(|file| file.path).collect();
    assert_none("a source file starts with a `//!` head that says what it does", &violations);
}

#[test]
fn no_file_is_too_long() {
    let mut violations = Vec::new();
    for file in tree::files(".rs") {
        let is_kernel = is_kernel(&file.path);
        let most = if is_kernel { MOST_KERNEL_LINES } else { MOST_LINES };
        let exception = LONG_FILES.iter().find(|(path, ..)| *path == file.path);
        let most = exception.map_or(most, |(_, most, _)| *most);
        let lines = file.text.lines().count();
        if lines > most {
            violations.push(format!("{}: {lines} lines, at most {most}", file.path));
        }
    }
    assert_none("files do one thing and can be read at once", &violations);
}

#[test]
fn every_exception_from_the_size_rule_is_still_needed() {
    let mut violations = Vec::new();
    let files = tree::files(".rs");
    for (path, most, reason) in LONG_FILES {
        let most_without = if is_kernel(path) { MOST_KERNEL_LINES } else { MOST_LINES };
        match files.iter().find(|file| file.path == path) {
            None => violations.push(format!("{path}: no such file")),
            Some(file) if file.text.lines().count() <= most_without => {
                violations.push(format!("{path}: short enough now"));
            }
            Some(_) if most <= most_without || reason.is_empty() => {
                violations.push(format!("{path}: the entry says nothing"));
            }
            Some(_) => {}
        }
    }
    assert_none("the table of long files is exact", &violations);
}

#[test]
fn a_silenced_lint_has_a_reason() {
    let mut violations = Vec::new();
    for file in tree::files(".rs") {
        for (start, _) in file.text.match_indices("#") {
            let attribute = &file.text[start..];
            let silences = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
            // Text about attributes, such as this list, stands in quotes.
            let quoted = file.text[..start].ends_with('"') || file.text[..start].ends_with('`');
            if quoted || !silences.iter().any(|silence| attribute.starts_with(silence)) {
                continue;
            }
            let end = attribute.find(")]").unwrap_or(attribute.len());
            if !attribute[..end].contains("reason") {
                let line = file.text[..start].lines().count().max(1);
                violations.push(format!("{}:{line}: {}", file.path, attribute.lines().next().unwrap()));
            }
        }
    }
    assert_none("an #[allow] or #[expect] says why: `reason = \"...\"`", &violations);
}

#[test]
fn nothing_is_left_for_later() {
    // Written in pieces, or this file would break its own rule.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let mut violations = Vec::new();
    for ending in [".rs", ".sh", ".sql", ".py", ".c", ".toml", ".md"] {
        let files = match ending {
            ".py" | ".c" | ".md" => tree::files_if_any(ending),
            _ => tree::files(ending),
        };
        for file in files {
            for (at, line) in file.text.lines().enumerate() {
                let mut words = line.split(|letter: char| !letter.is_alphanumeric());
                if words.any(|word| marks.contains(&word)) {
                    violations.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
                }
            }
        }
    }
    assert_none("what is missing is said in an issue or in the limitations, not in the code", &violations);
}
