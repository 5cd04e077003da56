//! Dialogues in, requests out.

mod cases;
mod detection;
mod dialogue;
mod joined;
mod login;
mod properties;
mod statements;
