//! Dialogues in, requests out.

mod cases;
mod detection;
mod dialogue;
mod document;
mod joined;
mod properties;
mod statements;
mod values;
