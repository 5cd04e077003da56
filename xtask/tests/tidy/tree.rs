//! The repository's files, as the rules see them.

use std::path::{Path, PathBuf};

/// Folders that hold no source of ours.
const SKIPPED: [&str; 6] = ["target", ".git", ".tools", "corpus", "artifacts", "__pycache__"];

/// One text file.
pub struct File {
    /// Path from the repository's root, with `/`.
    pub path: String,
    pub text: String,
}

impl File {
    /// The lines that are code of the product: no comments, nothing from the file's own `mod tests` on.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        lines
            .take_while(|(_, line)| *line != "#[cfg(test)]")
            .filter(|(_, line)| !line.starts_with("//") && !line.is_empty())
    }

    /// Whether the whole file is a test.
    pub fn is_test(&self) -> bool {
        let path = format!("/{}", self.path);
        path.ends_with("/tests.rs") || path.contains("/tests/")
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files whose name ends so, sorted by path.
pub fn files(ending: &str) -> Vec<File> {
    let found = files_if_any(ending);
    assert!(!found.is_empty(), "no file ends in {ending}: the rule would check nothing");
    found
}

/// As [`files`], for kinds of files that the repository may be without.
pub fn files_if_any(ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(&root(), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, ending, found);
        } else if name.ends_with(ending) {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push(File { path, text });
        }
    }
}
