//! Connections: each socket of a target, from its bytes in order to its requests.
//!
//! Never asks the system for anything: facts come as events, and time comes with the data.

mod connection;
mod detecting;
mod number_map;
mod table;

pub use connection::{Connection, Counted, State};
pub use table::{Filter, Outcome, PeerFilter, Table};
