//! Names say what a thing is. These words say nothing.

use super::{assert_none, tree};

/// Words that no type and no file is named with.
const EMPTY_WORDS: [&str; 8] = ["manager", "helper", "helpers", "util", "utils", "common", "misc", "stuff"];

#[test]
fn no_file_has_an_empty_name() {
    let mut violations = Vec::new();
    for file in tree::files(".rs") {
        let mut words = file.path.split(['/', '_', '-', '.']);
        if words.any(|word| EMPTY_WORDS.contains(&word)) {
            violations.push(file.path);
        }
    }
    assert_none("files are named after what they hold", &violations);
}

#[test]
fn no_type_has_an_empty_name() {
    let mut violations = Vec::new();
    for file in tree::files(".rs") {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(name) = defined_type(line)
                && words(name).iter().any(|word| EMPTY_WORDS.contains(&word.as_str()))
            {
                violations.push(format!("{}:{}: {name}", file.path, at + 1));
            }
        }
    }
    assert_none("types are named after what they are", &violations);
}

/// The name that a line defines a type or module under.
fn defined_type(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    let keywords = ["struct ", "enum ", "trait ", "type ", "union ", "mod "];
    let rest = keywords.iter().find_map(|keyword| line.strip_prefix(keyword))?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The words of a CamelCase or snake_case name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter.is_uppercase() || letter == '_' {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().unwrap().extend(letter.to_lowercase());
        }
    }
    words
}

#[test]
fn names_are_split_into_words() {
    let check = |name: &str, expected: &[&str]| {
        let words: Vec<String> = words(name).into_iter().filter(|word| !word.is_empty()).collect();
        assert_eq!(words, expected, "{name}");
    };
    check("ConnectionManager", &["connection", "manager"]);
    check("string_utils", &["string", "utils"]);
    check("Commonality", &["commonality"]);
    assert_eq!(defined_type("    pub(crate) struct Thing<T> {"), Some("Thing"));
    assert_eq!(defined_type("let structure = 1;"), None);
}
