//! Tests of the protocol as a whole: data in, text out.

mod cases;
mod detection;
mod dialogue;
mod joined;
mod privacy;
mod properties;
