//! Checks that dbtap refuses to attach, with a sentence that has the words of the first argument in it. The other arguments
//! are passed on to `dbtap attach`.

use anyhow::Context as _;
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let words = arguments.next().context("say which words dbtap must say")?;
    let sentence = tests::vm::refusal::check(&words, &arguments.collect::<Vec<_>>())?;
    Ok(writeln!(std::io::stdout(), "{sentence}")?)
}
