//! A small server that speaks MongoDB's wire protocol from memory, for tests with official drivers.
//!
//! Usage: `mongodb-server PORT`. Listens on 127.0.0.1 until it is killed.

use std::net::TcpListener;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let port = std::env::args().nth(1).context("usage: mongodb-server PORT")?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    tests::mongodb::serve(&listener)
}
