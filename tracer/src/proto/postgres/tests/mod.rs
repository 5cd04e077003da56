//! Dialogues in, requests out.

mod cases;
mod detection;
mod dialogue;
mod joined;
mod messages;
mod opening;
mod properties;
mod values;
