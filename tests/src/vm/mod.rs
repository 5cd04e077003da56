//! What runs in an emulated machine that has nothing but a kernel and these programs: the first process, and the checks
//! that run on a host too.
//!
//! `cargo xtask vm` writes the [`plan`] into the machine's first file system and reads the lines that come out of its
//! console.

pub mod boot;
pub mod capture;
pub mod plan;
pub mod refusal;
pub mod run;
