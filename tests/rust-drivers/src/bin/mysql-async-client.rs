//! mysql_async as a client of the end-to-end tests: `mysql-async-client MODE [SQL]`.
//!
//! The server is in `DB_HOST` and `DB_PORT`, the session in `DB_USER`, `DB_PASSWORD` and `DB_NAME`; `DB_OPTIONS` may hold
//! `compress` and `tcp`. Modes that a test talks to wait for a line of stdin before each step and end it with a line on
//! stdout. A test knows every statement of a mode and how often it is sent: whoever changes one changes both.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use futures::future::try_join_all;
use mysql_async::prelude::Queryable;
use mysql_async::{
    ChangeUserOpts, Compression, Conn, Error, IsolationLevel, OptsBuilder, Pool, PoolConstraints, PoolOpts,
    TxOpts, params,
};
use rust_drivers::{nanos, say, variable, wait};
use serde_json::json;

/// Connections of a pool.
const POOLED: usize = 4;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().context("no mode")?;
    match mode.as_str() {
        "all" => all().await,
        "pooled" => pooled(false).await,
        "pooled-reset" => pooled(true).await,
        "timed" => timed().await,
        "hangs" => hangs(&arguments.next().context("no SQL")?).await,
        "gives-up" => gives_up(&arguments.next().context("no SQL")?).await,
        other => bail!("no mode {other}"),
    }
}

fn options() -> Result<OptsBuilder> {
    let options = std::env::var("DB_OPTIONS").unwrap_or_default();
    let compression = options.contains("compress").then(Compression::default);
    Ok(OptsBuilder::default()
        .ip_or_hostname(variable("DB_HOST")?)
        .tcp_port(variable("DB_PORT")?.parse()?)
        .user(Some(variable("DB_USER")?))
        .pass(Some(variable("DB_PASSWORD")?))
        .db_name(Some(variable("DB_NAME")?))
        // The driver's default: it asks over TCP where the socket is, and connects again.
        .prefer_socket(!options.contains("tcp"))
        .compression(compression))
}

fn pool(reset: bool) -> Result<Pool> {
    let constraints = PoolConstraints::new(POOLED, POOLED).context("no constraints")?;
    let pooled = PoolOpts::default().with_constraints(constraints).with_reset_connection(reset);
    Ok(Pool::new(options()?.pool_opts(pooled)))
}

/// The code of the error that a statement must end with.
fn code<T>(result: mysql_async::Result<T>) -> Result<u16> {
    match result {
        Err(Error::Server(error)) => Ok(error.code),
        Err(other) => bail!("no error of the server: {other}"),
        Ok(_) => bail!("no error"),
    }
}

/// Every way of the driver to send something.
async fn all() -> Result<()> {
    let mut conn = Conn::new(options()?).await?;
    texts(&mut conn).await?;
    prepared(&mut conn).await?;
    transactions(&mut conn).await?;
    dropped(&mut conn).await?;
    conn.ping().await?;
    ensure!(conn.reset().await?);
    conn.exec_first::<(u32, String), _, _>("SELECT a, b FROM t WHERE a = ?", (7,)).await?;
    let again = ChangeUserOpts::default();
    conn.change_user(again).await?;
    conn.exec_first::<(u32, String), _, _>("SELECT a, b FROM t WHERE a = ?", (7,)).await?;
    conn.disconnect().await?;
    Ok(())
}

async fn texts(conn: &mut Conn) -> Result<()> {
    for n in 1..=20 {
        let row: Option<String> = conn.query_first(format!("SELECT b FROM t WHERE a = {n}")).await?;
        ensure!(row.is_some());
    }
    ensure!(conn.query::<u32, _>("SELECT a FROM t").await?.len() == 1000);
    ensure!(code(conn.query_drop("SELECT * FROM no_such_table").await)? == 1146);
    // Several statements in one message, all results read.
    let mut result = conn.query_iter("SELECT 1 AS x; SELECT 2, 3; UPDATE t SET b = 'm' WHERE a = 1").await?;
    ensure!(result.collect::<u32>().await? == [1]);
    ensure!(result.collect::<(u32, u32)>().await? == [(2, 3)]);
    ensure!(result.affected_rows() == 1);
    drop(result);
    let mut result = conn.query_iter("CALL several()").await?;
    ensure!(result.collect::<u32>().await?.len() == 5);
    ensure!(result.collect::<(u32, u32)>().await? == [(2, 3)]);
    drop(result);
    conn.set_infile_handler(async {
        let lines = (2001..2051).map(|n| Ok(format!("{n}\thunter2 {n}\n").into()));
        Ok(futures::stream::iter(lines.collect::<Vec<_>>()).boxed())
    });
    conn.query_drop("LOAD DATA LOCAL INFILE 'hunter2-file' INTO TABLE t").await?;
    ensure!(conn.affected_rows() == 50);
    Ok(())
}

async fn prepared(conn: &mut Conn) -> Result<()> {
    // Prepared once, found in the driver's cache 99 times; MariaDB sends the columns only with the first result.
    for n in 1..=100_u32 {
        let row: Option<(u32, String)> = conn.exec_first("SELECT a, b FROM t WHERE a = ?", (n,)).await?;
        ensure!(row.is_some());
    }
    // More statements than the cache holds: the oldest is closed for each new one.
    for round in 1..=2_u32 {
        for n in 0..40 {
            let sql = format!("SELECT a AS c{n} FROM t WHERE a = ?");
            ensure!(conn.exec_first::<u32, _, _>(sql, (round,)).await? == Some(round));
        }
    }
    let rows = (3001..3051_u32).map(|n| (n, format!("hunter2 {n}")));
    conn.exec_batch("INSERT INTO t (a, b) VALUES (?, ?)", rows).await?;
    // A batch whose second row is there already.
    let doubled = [(3100_u32, "hunter2"), (3001, "hunter2")];
    ensure!(
        code(conn.exec_batch("INSERT INTO t (b, a) VALUES (?, ?)", doubled.map(|(a, b)| (b, a))).await)?
            == 1062
    );
    ensure!(code(conn.exec_drop("INSERT INTO t (a) VALUES (?)", (1_u32,)).await)? == 1062);
    ensure!(code(conn.exec_drop("SELECT * FROM no_such_table WHERE a = ?", (1_u32,)).await)? == 1146);
    let statement = conn.prep("SELECT b FROM t WHERE a = :number").await?;
    let named: Option<String> = conn.exec_first(&statement, params! { "number" => 9_u32 }).await?;
    ensure!(named.is_some());
    conn.close(statement).await?;
    // Beyond one packet: sent ahead, in pieces.
    let long = vec![b'h'; 17 << 20];
    ensure!(conn.exec_first::<u64, _, _>("SELECT LENGTH(?)", (long,)).await? == Some(17 << 20));
    Ok(())
}

async fn transactions(conn: &mut Conn) -> Result<()> {
    let mut options = TxOpts::default();
    options.with_isolation_level(IsolationLevel::RepeatableRead);
    let mut transaction = conn.start_transaction(options.clone()).await?;
    transaction.exec_drop("UPDATE t SET b = ? WHERE a = ?", ("hunter2", 1_u32)).await?;
    transaction.exec_drop("UPDATE t SET b = ? WHERE a = ?", ("hunter2", 2_u32)).await?;
    transaction.commit().await?;
    let mut transaction = conn.start_transaction(TxOpts::default()).await?;
    transaction.exec_drop("UPDATE t SET b = ? WHERE a = ?", ("hunter2-new", 3_u32)).await?;
    transaction.rollback().await?;
    // Neither: the driver rolls back before whatever comes next.
    let mut transaction = conn.start_transaction(TxOpts::default()).await?;
    transaction.exec_drop("UPDATE t SET b = ? WHERE a = ?", ("hunter2-new", 4_u32)).await?;
    drop(transaction);
    conn.query_drop("SELECT 'hunter2-after'").await?;
    Ok(())
}

/// Results of which only the beginning is wanted: the driver reads the rest before whatever comes next.
async fn dropped(conn: &mut Conn) -> Result<()> {
    for _ in 0..5 {
        let mut result = conn.exec_iter("SELECT a FROM t WHERE a <= ?", (500_u32,)).await?;
        ensure!(result.next().await?.is_some());
        drop(result);
        let result = conn.query_iter("SELECT b FROM t; SELECT a + 1 FROM t; SELECT 'hunter2-last'").await?;
        drop(result);
    }
    conn.query_drop("SELECT 'hunter2-end', 2").await?;
    Ok(())
}

/// Warm before the capture: each connection has its statement prepared. Then many tasks share them.
async fn pooled(reset: bool) -> Result<()> {
    let pool = pool(reset)?;
    let mut warm = all_of(&pool).await?;
    for conn in &mut warm {
        conn.exec_first::<String, _, _>("SELECT b FROM t WHERE a = ?", (1_u32,)).await?;
    }
    drop(warm);
    let warm = all_of(&pool).await?;
    say("ready")?;
    wait()?;
    drop(warm);
    let tasks = (0..8_u32).map(|task| {
        let pool = pool.clone();
        tokio::spawn(async move {
            for n in 1..=50_u32 {
                let mut conn = pool.get_conn().await?;
                let known: Option<String> =
                    conn.exec_first("SELECT b FROM t WHERE a = ?", (task * 50 + n,)).await?;
                ensure!(known.is_some());
                let sum: Option<u32> = conn.exec_first("SELECT a + ? FROM t WHERE a = ?", (n, n)).await?;
                ensure!(sum == Some(2 * n));
            }
            Ok(())
        })
    });
    for task in try_join_all(tasks).await? {
        task?;
    }
    let idle = all_of(&pool).await?;
    say("done")?;
    wait()?;
    drop(idle);
    pool.disconnect().await?;
    Ok(())
}

/// All connections of a pool: none is under way back to it then.
async fn all_of(pool: &Pool) -> Result<Vec<Conn>> {
    Ok(try_join_all((0..POOLED).map(|_| pool.get_conn())).await?)
}

/// Times each call with a monotonic clock.
async fn timed() -> Result<()> {
    let mut conn = Conn::new(options()?).await?;
    say("ready")?;
    wait()?;
    let mut measured = serde_json::Map::new();
    for (sql, count) in [
        ("SELECT b FROM t WHERE a = ?", 300),
        ("SELECT SLEEP(0.3) FROM t WHERE a = ?", 3),
        ("SELECT REPEAT('x', 1000) FROM t WHERE a >= ?", 20),
    ] {
        let statement = conn.prep(sql).await?;
        let mut times = Vec::new();
        for _ in 0..count {
            let begin = Instant::now();
            conn.exec_drop(&statement, (1_u32,)).await?;
            times.push(nanos(begin.elapsed())?);
        }
        measured.insert(sql.to_owned(), times.into());
    }
    say(&serde_json::Value::from(measured).to_string())?;
    wait()
}

/// One statement that takes its time, or is killed: tells for how long, and the code of its error.
async fn hangs(sql: &str) -> Result<()> {
    let mut conn = Conn::new(options()?).await?;
    say("ready")?;
    wait()?;
    let begin = Instant::now();
    let failed = match conn.exec_drop(sql, ()).await {
        Ok(()) => None,
        Err(Error::Server(error)) => Some(i64::from(error.code)),
        Err(_) => Some(0),
    };
    say(&json!({ "ns": nanos(begin.elapsed())?, "failed": failed }).to_string())?;
    wait()
}

/// A client that has a limit of its own: it drops the statement and, with it, the connection.
async fn gives_up(sql: &str) -> Result<()> {
    let pool = pool(true)?;
    let conn = pool.get_conn().await?;
    say("ready")?;
    wait()?;
    let begin = Instant::now();
    let statement = async move {
        let mut conn = conn;
        conn.query_drop(sql).await
    };
    let in_time = tokio::time::timeout(Duration::from_millis(300), statement).await;
    ensure!(in_time.is_err(), "it ended in time");
    let waited = nanos(begin.elapsed())?;
    // The pool closes it; until then it is not over.
    pool.disconnect().await?;
    say(&json!({ "ns": waited, "failed": 0 }).to_string())?;
    wait()
}
