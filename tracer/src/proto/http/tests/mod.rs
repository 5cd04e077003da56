//! Dialogues in, requests out.

mod clickhouse;
mod detection;
mod exchanges;
mod properties;

use super::{CLICKHOUSE, ELASTICSEARCH};
use crate::proto::Entry;
use crate::proto::text_dialogue::{run, same};

/// A dialogue with Elasticsearch from the connection's first byte says this.
#[track_caller]
fn check(dialogue: &str, expected: &str) {
    same(&run((ELASTICSEARCH.start)(true), dialogue).shown(), expected);
}

/// A dialogue joined in the middle says this.
#[track_caller]
fn check_joined(dialogue: &str, expected: &str) {
    same(&run((ELASTICSEARCH.start)(false), dialogue).shown(), expected);
}

/// Text and values of the requests of a dialogue.
#[track_caller]
fn check_values(entry: &Entry, dialogue: &str, expected: &str) {
    same(&run((entry.start)(true), dialogue).values(), expected);
}
