//! tokio-postgres as a client of the end-to-end tests: `tokio-postgres-client MODE CONNINFO`.
//!
//! Modes that a test talks to wait for a line of stdin before each step and end it with a line on stdout.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::{join_all, try_join_all};
use tokio_postgres::{Client, NoTls};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mode, conninfo) = (arguments.next().context("no mode")?, arguments.next().context("no conninfo")?);
    let (client, connection) = tokio_postgres::connect(&conninfo, NoTls).await?;
    let connection = tokio::spawn(connection);
    match mode.as_str() {
        "prepared" => prepared(&client).await?,
        "pipelined" => pipelined(&client).await?,
        "portals" => portals(client).await?,
        "cancel" => cancel(&client).await?,
        "timed" => timed(&client).await?,
        other => bail!("no mode {other}"),
    }
    // The portals took the client with them; the others drop it here.
    connection.abort();
    Ok(())
}

async fn prepared(client: &Client) -> Result<()> {
    let read = client.prepare("SELECT a, b FROM t WHERE a = $1").await?;
    let write = client.prepare("UPDATE t SET b = $2 WHERE a = $1").await?;
    for n in 0..100_i32 {
        client.query(&read, &[&n]).await?;
        client.execute(&write, &[&n, &"new"]).await?;
    }
    client.batch_execute("BEGIN; SELECT 1; COMMIT").await?;
    let divide = client.prepare("SELECT 1 / $1::int").await?;
    ensure!(client.query(&divide, &[&0_i32]).await.is_err());
    // Closed on the server when dropped.
    drop(read);
    client.simple_query("SELECT 'end'").await?;
    Ok(())
}

async fn pipelined(client: &Client) -> Result<()> {
    let read = client.prepare("SELECT a, b FROM t WHERE a = $1").await?;
    let numbers: Vec<i32> = (0..500).collect();
    let rows = try_join_all(numbers.iter().map(|n| {
        let read = &read;
        async move { client.query(read, &[n]).await }
    }))
    .await?;
    ensure!(rows.len() == 500);
    // Each has a Sync of its own, so a failed one skips none of the others.
    let divide = client.prepare("SELECT 10 / $1::int").await?;
    let divisors: Vec<i32> = (-10..10).collect();
    let results = join_all(divisors.iter().map(|n| {
        let divide = &divide;
        async move { client.query(divide, &[n]).await }
    }))
    .await;
    ensure!(results.iter().filter(|result| result.is_err()).count() == 1);
    Ok(())
}

async fn portals(mut client: Client) -> Result<()> {
    let transaction = client.transaction().await?;
    let all = transaction.bind("SELECT a FROM t WHERE a <= $1 ORDER BY a", &[&95_i32]).await?;
    let other = transaction.bind("SELECT b FROM t WHERE a > $1 ORDER BY a", &[&900_i32]).await?;
    // Interleaved: two portals are open at a time.
    let mut rows = 0;
    loop {
        let some = transaction.query_portal(&all, 10).await?;
        rows += some.len();
        ensure!(transaction.query_portal(&other, 3).await?.len() == 3);
        if some.len() < 10 {
            break;
        }
    }
    ensure!(rows == 95, "{rows} rows");
    drop(other);
    transaction.commit().await?;
    Ok(())
}

async fn cancel(client: &Client) -> Result<()> {
    let token = client.cancel_token();
    let canceller = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        token.cancel_query(NoTls).await
    });
    ensure!(client.simple_query("SELECT pg_sleep(60)").await.is_err());
    canceller.await??;
    client.simple_query("SELECT 'after'").await?;
    Ok(())
}

async fn timed(client: &Client) -> Result<()> {
    let statements = [
        ("SELECT 1", 300),
        ("SELECT a, b FROM t WHERE a = 7", 300),
        ("SELECT pg_sleep(0.02)", 40),
        ("SELECT repeat('x', 1000) FROM generate_series(1, 5000)", 20),
    ];
    say("ready")?;
    wait()?;
    let mut measured = serde_json::Map::new();
    for (sql, count) in statements {
        let prepared = client.prepare(sql).await?;
        let mut times = Vec::new();
        for _ in 0..count {
            let begin = Instant::now();
            client.query(&prepared, &[]).await?;
            times.push(u64::try_from(begin.elapsed().as_nanos())?);
        }
        measured.insert(sql.to_owned(), times.into());
    }
    say(&serde_json::Value::from(measured).to_string())?;
    wait()
}

fn say(line: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// For a line, or for the end of stdin.
fn wait() -> Result<()> {
    std::io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}
