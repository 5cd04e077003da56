//! The demo's embedded database server. Prints one line, `listening on ADDRESS`, and serves until told to stop.

use anyhow::Context as _;
use clap::Parser;
use std::io::Write as _;
use std::net::SocketAddr;
use tests::demo::{end, server::Handlers};
use tokio::net::TcpListener;

/// A small PostgreSQL-speaking server that knows the statements of the payments demo.
#[derive(Parser)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Stop when standard input ends, so that the server cannot outlive its parent
    #[arg(long)]
    end_with_input: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address", arguments.listen))?;
    writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;
    let handlers = Handlers::default();
    let serve = async {
        loop {
            // A failed accept (say, too many open files) concerns one client; the others go on.
            if let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(pgwire::tokio::process_socket(socket, None, handlers.clone()));
            }
        }
    };
    tokio::select! {
        () = serve => Ok(()),
        stopped = end::requested(arguments.end_with_input) => stopped,
    }
}
