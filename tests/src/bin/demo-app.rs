//! The demo's payments application. Prints one line, `ready PID`, when its connections are open, and then
//! sends requests until told to stop.

use anyhow::Context as _;
use clap::Parser;
use std::io::Write as _;
use std::time::Duration;
use tests::demo::{
    end,
    workload::{Application, Plan},
};

/// A small payments application with a pool of PostgreSQL connections.
#[derive(Parser)]
struct Arguments {
    /// The server, as a libpq connection string: "host=127.0.0.1 port=5432 user=payments dbname=payments"
    server: String,
    /// Stop after this many seconds; 0: run until told to stop
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// Stop when standard input ends, so that the application cannot outlive its parent
    #[arg(long)]
    end_with_input: bool,
    /// After `ready`, wait for a line on standard input before the first request
    #[arg(long)]
    wait_for_line: bool,
    /// At the end, print what the application itself measured, as one JSON object
    #[arg(long)]
    print_own_statistics: bool,
    #[arg(long, default_value_t = 128)]
    connections: usize,
    /// Connections opened before the first request
    #[arg(long, default_value_t = 16)]
    warm_connections: usize,
    /// Seconds after which a connection is replaced
    #[arg(long, default_value_t = 4)]
    connection_lifetime: u64,
    #[arg(long, default_value_t = 150)]
    lookups_per_second: u32,
    #[arg(long, default_value_t = 12)]
    payments_per_second: u32,
    /// Every n-th payment repeats a key, which is a unique violation; 0: never
    #[arg(long, default_value_t = 25)]
    repeat_key_every: u64,
    #[arg(long, default_value_t = 23)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let plan = Plan {
        connections: arguments.connections,
        warm_connections: arguments.warm_connections,
        connection_lifetime: Duration::from_secs(arguments.connection_lifetime),
        lookups_per_second: arguments.lookups_per_second,
        payments_per_second: arguments.payments_per_second,
        repeat_key_every: arguments.repeat_key_every,
        seed: arguments.seed,
    };
    let application = Application::open(&arguments.server, &plan).await?;
    writeln!(std::io::stdout(), "ready {}", std::process::id())?;
    if arguments.wait_for_line {
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()))
            .await?
            .context("cannot read standard input")?;
    }
    let time_over = async {
        match arguments.seconds {
            0 => std::future::pending().await,
            seconds => tokio::time::sleep(Duration::from_secs(seconds)).await,
        }
    };
    let end = async {
        tokio::select! {
            () = time_over => {}
            _ = end::requested(arguments.end_with_input) => {}
        }
    };
    application.run(&plan, end).await;
    if arguments.print_own_statistics {
        writeln!(std::io::stdout(), "{}", application.statistics())?;
    }
    Ok(())
}
