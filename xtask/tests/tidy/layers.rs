//! The core is pure: what it knows of the outside arrives as data, so that all of it runs without root,
//! without a kernel, and the same way twice.

use super::{assert_none, tree};

/// Where the pure core lives, below `tracer/src/`.
const PURE: [&str; 12] = [
    "event",
    "conn",
    "proto",
    "sql",
    "value",
    "agg",
    "why",
    "report",
    "fnv.rs",
    "random.rs",
    "request.rs",
    "time.rs",
];

/// What the core must not reach: files, sockets, processes, threads, clocks, the kernel.
const FORBIDDEN: [&str; 15] = [
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os::unix::net",
    "std::process",
    "std::thread",
    "std::env",
    "Instant::now",
    "SystemTime",
    "libc::",
    "rustix::",
    "aya::",
    "use aya",
    "signal_hook",
    "tempfile::",
];

#[test]
fn the_core_reaches_nothing_outside() {
    let mut violations = Vec::new();
    let mut checked = 0;
    for file in tree::files(".rs") {
        let below = file.path.strip_prefix("tracer/src/").unwrap_or_default();
        let is_pure = PURE.iter().any(|part| below == *part || below.starts_with(&format!("{part}/")));
        if !is_pure || file.is_test() {
            continue;
        }
        checked += 1;
        for (at, line) in file.product_lines() {
            if let Some(word) = FORBIDDEN.iter().find(|word| line.contains(**word)) {
                violations.push(format!("{}:{at}: {word}", file.path));
            }
        }
    }
    assert!(checked >= PURE.len(), "only {checked} files of the core found: did a module move?");
    assert_none("the pure core reaches no file, clock, process or kernel", &violations);
}

#[test]
fn the_core_exists_as_listed() {
    for part in PURE {
        let path = tree::root().join("tracer/src").join(part);
        assert!(path.exists(), "{part} is listed as pure, but is not there");
    }
}

#[test]
fn the_core_does_not_use_the_layers_around_it() {
    let around = ["crate::source", "crate::host", "crate::cli", "crate::capture", "crate::config"];
    let mut violations = Vec::new();
    for file in tree::files(".rs") {
        let below = file.path.strip_prefix("tracer/src/").unwrap_or_default();
        if file.is_test() || !PURE.iter().any(|part| below.starts_with(part)) {
            continue;
        }
        for (at, line) in file.product_lines() {
            if let Some(word) = around.iter().find(|word| line.contains(**word)) {
                violations.push(format!("{}:{at}: {word}", file.path));
            }
        }
    }
    assert_none("data flows one way: the core does not know who feeds it", &violations);
}
