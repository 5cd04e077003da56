//! A small server that speaks MongoDB's wire protocol from memory, for official drivers to talk to: no MongoDB is to be
//! had from the package registries of a build machine.
//!
//! It answers what drivers need (hello with heartbeats that wait, compression, sessions), reads and writes documents, counts
//! its commands as `serverStatus` does, and fails in MongoDB's words. It is no database: there are no indexes, no
//! transactions and no users. `program` starts the server that runs in a process of its own, `independent`
//! another one.

mod commands;
mod filter;
mod independent;
mod program;
mod serve;
mod store;
mod wire;

pub use independent::IndependentServer;
pub use program::MongoServer;
pub use serve::serve;
