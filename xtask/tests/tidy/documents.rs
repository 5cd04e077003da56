//! Documents lead somewhere: what they link to is there, and the change log has the heading that a release needs.

use super::{assert_none, tree};

/// Files that a reader expects at the root.
const EXPECTED: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

#[test]
fn the_expected_files_are_there() {
    let missing: Vec<String> =
        EXPECTED.iter().filter(|name| !tree::root().join(name).is_file()).map(ToString::to_string).collect();
    assert_none("the repository has these files", &missing);
}

#[test]
fn links_in_documents_lead_to_files() {
    let mut violations = Vec::new();
    for file in tree::files_if_any(".md") {
        let folder = tree::root().join(&file.path).parent().unwrap().to_owned();
        for target in links(&file.text) {
            if !folder.join(target).exists() {
                violations.push(format!("{}: {target}", file.path));
            }
        }
    }
    assert_none("links in documents lead to files", &violations);
}

#[test]
fn documents_that_are_named_are_there() {
    let mut violations = Vec::new();
    for file in tree::files_if_any(".md") {
        for name in names(&file.text) {
            if !tree::root().join(name).exists() {
                violations.push(format!("{}: `{name}`", file.path));
            }
        }
    }
    assert_none("documents that a text names, by their path from the root, are there", &violations);
}

#[test]
fn the_change_log_has_a_release_heading() {
    for file in tree::files_if_any(".md").into_iter().filter(|file| file.path == "CHANGELOG.md") {
        let is_release = |line: &str| {
            let heading = line.strip_prefix("## ").unwrap_or_default().trim_start_matches(['[', 'v']);
            heading.starts_with("Unreleased") || heading.starts_with(|letter: char| letter.is_ascii_digit())
        };
        assert!(file.text.lines().any(is_release), "CHANGELOG.md: no `## Unreleased` and no `## VERSION`");
    }
}

/// Targets of Markdown links that stay in the repository, without their `#section`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("](").filter_map(|(at, _)| {
        let target = text[at + 2..].split([')', ' ', '\n']).next()?;
        let target = target.split('#').next()?;
        let leads_outside = target.contains("://") || target.starts_with("mailto:") || target.is_empty();
        (!leads_outside).then_some(target)
    })
}

/// Names of documents of the repository in code style: `docs/limitations.md`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|word| word.ends_with(".md") && !word.contains([' ', '*', '\n']))
}

#[test]
fn names_are_found() {
    let text = "Read `docs/a.md`, not `b.rs`, `*.md` or c.md; then `D.md`.";
    assert_eq!(names(text).collect::<Vec<_>>(), ["docs/a.md", "D.md"]);
}

#[test]
fn links_are_found() {
    let text = "See [a](docs/a.md#part), [b](https://b.example/), [c](#here) and ![d](d.png \"title\").";
    assert_eq!(links(text).collect::<Vec<_>>(), ["docs/a.md", "d.png"]);
}
