//! Connections: each socket of a target, from its bytes in order to its requests.
//!
//! Never asks the system for anything: facts come as events, and time comes with the data.

mod connection;
mod detecting;
mod history;
mod number_map;
mod servers;
mod table;
#[cfg(test)]
mod tests;

pub use connection::{Connection, Counted, State};
pub use history::{Before, History};
pub use servers::Servers;
pub use table::{Filter, Outcome, PeerFilter, Table};
