//! Dialogues in, requests out.

mod cases;
mod dialogue;
