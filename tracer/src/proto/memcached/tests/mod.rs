//! Dialogues in, requests out.

mod binary;
mod detection;
mod properties;
mod text;

use super::ENTRY;
use crate::proto::text_dialogue::{run, same};

/// A dialogue from the connection's first byte says this.
#[track_caller]
fn check(dialogue: &str, expected: &str) {
    same(&run((ENTRY.start)(true), dialogue).shown(), expected);
}

/// A dialogue joined in the middle says this.
#[track_caller]
fn check_joined(dialogue: &str, expected: &str) {
    same(&run((ENTRY.start)(false), dialogue).shown(), expected);
}

/// The values of the requests of a dialogue.
#[track_caller]
fn check_values(dialogue: &str, expected: &str) {
    same(&run((ENTRY.start)(true), dialogue).values(), expected);
}
