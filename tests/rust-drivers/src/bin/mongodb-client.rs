//! The official MongoDB driver for Rust as a client of the end-to-end tests: `mongodb-client MODE`.
//!
//! The server is in `MONGODB_URI`. A line of stdin starts each step, and each step ends with a line on stdout. A test knows
//! every command of a mode and how often it is sent: whoever changes one changes both.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::TryStreamExt as _;
use futures::future::try_join_all;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{ClientOptions, IndexOptions};
use mongodb::{Client, Collection, Database, IndexModel};
use rust_drivers::{nanos, say, variable, wait};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let mode = std::env::args().nth(1).context("no mode")?;
    let mut options = ClientOptions::parse(variable("MONGODB_URI")?).await?;
    options.heartbeat_freq = Some(Duration::from_millis(500));
    let client = Client::with_options(options)?;
    let database = client.database("shop");
    match mode.as_str() {
        "counted" => counted(&client, &database).await,
        "timed" => timed(&database).await,
        "waiting" => waiting(&database).await,
        other => bail!("no mode {other}"),
    }
}

/// What the server counted of each command, and how many of them failed.
async fn counters(client: &Client) -> Result<Document> {
    let status = client.database("admin").run_command(doc! { "serverStatus": 1 }).await?;
    Ok(status.get_document("metrics")?.get_document("commands")?.clone())
}

async fn fill(users: &Collection<Document>) -> Result<()> {
    users.drop().await?;
    let documents = (0..400).map(|n| doc! { "_id": n, "name": format!("name {n}"), "age": n % 90 });
    users.insert_many(documents).await?;
    Ok(())
}

/// The code of the error that a call must end with.
fn code<T>(result: Result<T, Error>) -> Result<i32> {
    let Err(error) = result else { bail!("no error") };
    match *error.kind {
        ErrorKind::Command(command) => Ok(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Ok(write.code),
        other => bail!("no error of the server: {other}"),
    }
}

/// Does a known number of each command, from several tasks, and tells what the server counted of them.
async fn counted(client: &Client, database: &Database) -> Result<()> {
    let users = database.collection::<Document>("users");
    fill(&users).await?;
    let before = counters(client).await?;
    say("ready")?;
    wait()?;
    try_join_all((0..50).map(|n| {
        let users = users.clone();
        async move { users.find_one(doc! { "_id": n }).await }
    }))
    .await?;
    for _ in 0..5 {
        let all: Vec<Document> = users.find(doc! { "age": { "$gte": 0 } }).await?.try_collect().await?;
        ensure!(all.len() == 400);
    }
    // Only the beginning is wanted: the driver gives the cursor back.
    let mut some = users.find(doc! {}).batch_size(10).await?;
    ensure!(some.advance().await?);
    drop(some);
    for n in 0..20 {
        users.update_one(doc! { "_id": n }, doc! { "$set": { "name": "hunter2" } }).await?;
    }
    for n in 0..10 {
        users.insert_one(doc! { "_id": 5000 + n, "password": "hunter2" }).await?;
    }
    for n in 0..3 {
        ensure!(code(users.insert_one(doc! { "_id": n }).await)? == 11000);
        ensure!(code(database.run_command(doc! { "nosuchcommand": "hunter2" }).await)? == 59);
    }
    ensure!(users.delete_many(doc! { "_id": { "$gte": 5000 } }).await?.deleted_count == 10);
    ensure!(users.count_documents(doc! { "age": 7 }).await? == 5);
    ensure!(!users.distinct("age", doc! {}).await?.is_empty());
    users.find_one_and_update(doc! { "_id": 1 }, doc! { "$set": { "age": 90 } }).await?;
    let index = IndexModel::builder().keys(doc! { "age": 1 }).options(IndexOptions::default()).build();
    users.create_index(index).await?;
    // Long enough for a few heartbeats.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    say("done")?;
    wait()?;
    let mut counted = serde_json::Map::new();
    for (name, after) in &counters(client).await? {
        let after = numbers(after.as_document().context("no counts")?)?;
        let before = before.get_document(name).map_or(Ok([0, 0]), numbers)?;
        counted.insert(name.clone(), [after[0] - before[0], after[1] - before[1]].as_slice().into());
    }
    say(&serde_json::Value::from(counted).to_string())?;
    wait()
}

/// How many there were of a command, and how many of them failed.
fn numbers(counts: &Document) -> Result<[i64; 2]> {
    let number = |name: &str| {
        let value = counts.get(name).context("no count")?;
        value.as_i64().or(value.as_i32().map(i64::from)).context("no number")
    };
    Ok([number("total")?, number("failed")?])
}

/// Times each call with a monotonic clock.
async fn timed(database: &Database) -> Result<()> {
    let users = database.collection::<Document>("users");
    fill(&users).await?;
    say("ready")?;
    wait()?;
    let mut measured = serde_json::Map::new();
    let mut times = Vec::new();
    for _ in 0..300 {
        let begin = Instant::now();
        users.find_one(doc! { "_id": 7 }).await?;
        times.push(nanos(begin.elapsed())?);
    }
    measured.insert("find shop.users {_id: ?} limit ?".to_owned(), times.split_off(0).into());
    for _ in 0..20 {
        let begin = Instant::now();
        let all: Vec<Document> = users.find(doc! {}).batch_size(1000).limit(400).await?.try_collect().await?;
        times.push(nanos(begin.elapsed())?);
        ensure!(all.len() == 400);
    }
    measured.insert("find shop.users {} limit ?".to_owned(), times.split_off(0).into());
    for _ in 0..3 {
        let begin = Instant::now();
        database.run_command(doc! { "sleep": 1, "millis": 300 }).await?;
        times.push(nanos(begin.elapsed())?);
    }
    measured.insert("sleep shop".to_owned(), times.into());
    say(&serde_json::Value::from(measured).to_string())?;
    wait()
}

/// A request that is not answered while the test looks.
async fn waiting(database: &Database) -> Result<()> {
    database.run_command(doc! { "ping": 1 }).await?;
    say("ready")?;
    wait()?;
    say("sent")?;
    database.run_command(doc! { "sleep": 1, "millis": 3000 }).await?;
    say("done")?;
    wait()
}
