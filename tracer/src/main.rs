//! The command `dbtap`. Parses, validates, runs.
fn main() {}
