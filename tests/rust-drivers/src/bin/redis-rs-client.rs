//! redis-rs as a client of the end-to-end tests: `redis-rs-client MODE`.
//!
//! The server is in `REDIS_URL`. Modes that a test talks to wait for a line of stdin before each step and end it with a
//! line on stdout. A test holds what it sees against the server's own counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use futures::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::caching::CacheConfig;
use redis::{
    AsyncCommands as _, AsyncConnectionConfig, Client, Commands as _, Pipeline, RedisResult, Script, cmd,
    pipe,
};
use rust_drivers::{nanos, say, variable, wait};

/// Tasks that share one connection.
const TASKS: u32 = 16;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let mode = std::env::args().nth(1).context("no mode")?;
    let client = Client::open(variable("REDIS_URL")?)?;
    match mode.as_str() {
        "multiplexed" => multiplexed(&client).await,
        "sync" => tokio::task::spawn_blocking(move || sync(&client)).await?,
        "published" => published(&client).await,
        "pushed" => pushed(&client).await,
        "cached" => cached(&client).await,
        "refused" => refused(&client).await,
        "busy" => busy(&client).await,
        "timed" => timed(&client).await,
        "gives-up" => gives_up(&client).await,
        other => bail!("no mode {other}"),
    }
}

/// Without the driver's own limit of half a second.
async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    connect_with(client, AsyncConnectionConfig::new()).await
}

async fn connect_with(client: &Client, config: AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
    client.get_multiplexed_async_connection_with_config(&config.set_response_timeout(None)).await
}

/// The code of the error that a command must end with.
fn code<T>(result: RedisResult<T>) -> Result<String> {
    match result {
        Err(error) => {
            Ok(error.code().with_context(|| format!("no error of the server: {error}"))?.to_owned())
        }
        Ok(_) => bail!("no error"),
    }
}

/// Many tasks, one connection: their commands are one pipeline.
async fn multiplexed(client: &Client) -> Result<()> {
    let shared = connect(client).await?;
    let script = Arc::new(Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])"));
    let tasks = (0..TASKS).map(|task| {
        let (mut shared, script) = (shared.clone(), Arc::clone(&script));
        tokio::spawn(async move {
            for n in 0..100 {
                let key = format!("session:{}", task * 100 + n);
                let () = shared.set_ex(&key, format!("hunter2 {n}"), 60).await?;
                ensure!(shared.get::<_, String>(&key).await? == format!("hunter2 {n}"));
                if n % 25 == 0 {
                    ensure!(code(shared.lpop::<_, ()>(&key, None).await)? == "WRONGTYPE");
                }
                if n % 10 == 0 {
                    let (count, _): (u64, bool) = visit().query_async(&mut shared).await?;
                    ensure!(count > 0);
                    let _: i64 = script.key("sum:1").arg(n).invoke_async(&mut shared).await?;
                }
            }
            Ok(())
        })
    });
    for task in try_join_all(tasks).await? {
        task?;
    }
    let mut many = pipe();
    for n in 0..1000 {
        many.hset(format!("cart:{n}"), "item", n).ignore().hget(format!("cart:{n}"), "item");
    }
    let mut shared = shared;
    ensure!(many.query_async::<Vec<u32>>(&mut shared).await?.len() == 1000);
    // A command inside that cannot be queued: nothing is carried out.
    let mut wrong = pipe();
    wrong.atomic().set("visits", 1).ignore().cmd("GET");
    ensure!(code(wrong.exec_async(&mut shared).await)? == "EXECABORT");
    // One that fails when it is carried out.
    let mut wrong = pipe();
    wrong.atomic().incr("visits", 1).lpush("visits", 1);
    ensure!(wrong.exec_async(&mut shared).await.is_err());
    let large = "hunter2-".repeat(200_000);
    let () = shared.set("page:1", &large).await?;
    ensure!(shared.get::<_, String>("page:1").await? == large);
    Ok(())
}

/// MULTI, two commands, EXEC.
fn visit() -> Pipeline {
    let mut visit = pipe();
    visit.atomic().incr("visits", 1).expire("visits", 60);
    visit
}

/// The blocking connection, with a transaction on a watched key.
fn sync(client: &Client) -> Result<()> {
    let mut connection = client.get_connection()?;
    for n in 0..300 {
        let () = connection.set(format!("session:{n}"), n)?;
        ensure!(connection.get::<_, u32>(format!("session:{n}"))? == n);
    }
    let all: Vec<String> = connection.scan_match("session:*")?.collect::<RedisResult<_>>()?;
    ensure!(all.len() == 300);
    let mut many = pipe();
    for n in 0..500 {
        many.rpush("queue:1", n).ignore();
    }
    many.exec(&mut connection)?;
    for _ in 0..20 {
        let (new,): (u32,) = redis::transaction(&mut connection, &["session:1"], |connection, pipe| {
            let old: u32 = connection.get("session:1")?;
            pipe.set("session:1", old + 1).ignore().get("session:1").query(connection)
        })?;
        ensure!(new > 1);
    }
    let script = Script::new("return {1, 2, {3, 'four'}}");
    for _ in 0..10 {
        let _: redis::Value = script.invoke(&mut connection)?;
    }
    ensure!(code(connection.lpop::<_, ()>("session:1", None))? == "WRONGTYPE");
    let nothing: Option<(String, String)> = connection.blpop("jobs:1", 0.4)?;
    ensure!(nothing.is_none());
    let _: String = cmd("XADD").arg(&["stream:1", "*", "field", "hunter2"]).query(&mut connection)?;
    let () = cmd("SELECT").arg(3).query(&mut connection)?;
    let () = connection.set("in:3", "hunter2")?;
    Ok(())
}

/// A connection that only listens (RESP2), and another that publishes.
async fn published(client: &Client) -> Result<()> {
    let mut listener = client.get_async_pubsub().await?;
    listener.subscribe(&["news", "weather"]).await?;
    listener.psubscribe("chat:*").await?;
    let mut publisher = connect(client).await?;
    for n in 0..100 {
        let heard: u32 = publisher.publish("news", format!("hunter2 {n}")).await?;
        let chatted: u32 = publisher.publish(format!("chat:{n}"), "hunter2").await?;
        ensure!(heard == 1 && chatted == 1);
    }
    let messages: Vec<_> = listener.on_message().take(200).collect().await;
    ensure!(messages.len() == 200);
    let () = listener.ping().await?;
    listener.unsubscribe(&["news", "weather"]).await?;
    listener.punsubscribe("chat:*").await?;
    Ok(())
}

/// A connection that listens and asks (RESP3): messages come as pushes between the answers.
async fn pushed(client: &Client) -> Result<()> {
    let (sender, mut pushes) = tokio::sync::mpsc::unbounded_channel();
    let mut listener = connect_with(client, AsyncConnectionConfig::new().set_push_sender(sender)).await?;
    let mut publisher = connect(client).await?;
    listener.subscribe("news").await?;
    for n in 0..100 {
        let () = publisher.publish("news", format!("hunter2 {n}")).await?;
        let () = listener.set(format!("session:{n}"), n).await?;
        ensure!(listener.get::<_, u32>(format!("session:{n}")).await? == n);
    }
    let mut heard = 0;
    while heard < 100 {
        let push = pushes.recv().await.context("no push")?;
        heard += u32::from(push.kind == redis::PushKind::Message);
    }
    listener.unsubscribe("news").await?;
    Ok(())
}

/// A cache in the driver (CLIENT TRACKING): the server says what changed, between and before answers.
async fn cached(client: &Client) -> Result<()> {
    let mut cached =
        connect_with(client, AsyncConnectionConfig::new().set_cache_config(CacheConfig::default())).await?;
    let mut writer = connect(client).await?;
    for round in 0..20_u32 {
        for n in 0..10 {
            let () = writer.set(format!("cached:{n}"), round).await?;
        }
        // Until the cache has heard of it; then it asks nobody.
        for n in 0..10 {
            while cached.get::<_, u32>(format!("cached:{n}")).await? != round {
                tokio::task::yield_now().await;
            }
            for _ in 0..5 {
                ensure!(cached.get::<_, u32>(format!("cached:{n}")).await? == round);
            }
        }
    }
    let statistics = cached.get_cache_statistics().context("no cache")?;
    ensure!(statistics.hit >= 1000 && statistics.invalidate >= 100, "{statistics:?}");
    Ok(())
}

/// A user without rights, and logins that fail.
async fn refused(client: &Client) -> Result<()> {
    let mut connection = connect(client).await?;
    let () = connection.set("session:1", "hunter2").await?;
    ensure!(code(cmd("FLUSHALL").exec_async(&mut connection).await)? == "NOPERM");
    ensure!(code(connection.get::<_, ()>("secret:1").await)? == "NOPERM");
    let wrong = Client::open(variable("REDIS_URL")?.replace("hunter2-login", "hunter2-wrong"))?;
    for _ in 0..3 {
        ensure!(connect(&wrong).await.is_err());
    }
    Ok(())
}

/// Never idle. From the second line on all tasks ask for other keys, and then it says how often they did.
async fn busy(client: &Client) -> Result<()> {
    let shared = connect(client).await?;
    let (second, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let counted = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (mut shared, second, stop, counted) =
                (shared.clone(), Arc::clone(&second), Arc::clone(&stop), Arc::clone(&counted));
            tokio::spawn(async move {
                for n in 0_u64.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let second = second.load(Ordering::Relaxed);
                    let name = if second { "second" } else { "first" };
                    let _: Option<String> = shared.get(format!("{name}:{n}")).await?;
                    counted.fetch_add(u64::from(second), Ordering::Relaxed);
                }
                RedisResult::Ok(())
            })
        })
        .collect();
    tokio::task::spawn_blocking(|| say("ready").and_then(|()| wait())).await??;
    second.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    for task in try_join_all(tasks).await? {
        task?;
    }
    say(&counted.load(Ordering::Relaxed).to_string())?;
    wait()
}

/// Times each call with a monotonic clock, alone on its connection; then calls behind a slow one.
async fn timed(client: &Client) -> Result<()> {
    let mut connection = connect(client).await?;
    let () = connection.set("large:1", "x".repeat(5_000_000)).await?;
    say("ready")?;
    wait()?;
    let mut measured = serde_json::Map::new();
    for (text, words, count) in [
        ("GET timed:?", &["GET", "timed:1"][..], 500),
        ("DEBUG", &["DEBUG", "SLEEP", "0.3"], 3),
        ("GET large:?", &["GET", "large:1"], 10),
    ] {
        let mut times = Vec::new();
        for _ in 0..count {
            let begin = Instant::now();
            let _: redis::Value = cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await?;
            times.push(nanos(begin.elapsed())?);
        }
        measured.insert(text.to_owned(), times.into());
    }
    let mut slow = connection.clone();
    let slow = tokio::spawn(async move { cmd("DEBUG").arg("SLEEP").arg("0.3").exec_async(&mut slow).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let behind = (0..10).map(|n| {
        let mut connection = connection.clone();
        async move {
            let begin = Instant::now();
            let _: Option<String> = connection.get(format!("behind:{n}")).await?;
            anyhow::Ok(nanos(begin.elapsed())?)
        }
    });
    let times = try_join_all(behind).await?;
    slow.await??;
    measured.insert("GET behind:?".to_owned(), times.into());
    say(&serde_json::Value::from(measured).to_string())?;
    wait()
}

/// A limit of the client's own: the answer comes later and is the driver's to throw away.
async fn gives_up(client: &Client) -> Result<()> {
    let mut connection = connect(client).await?;
    connection.set_response_timeout(Duration::from_millis(200));
    say("ready")?;
    wait()?;
    ensure!(
        cmd("DEBUG").arg("SLEEP").arg("0.5").exec_async(&mut connection).await.is_err_and(|e| e.is_timeout())
    );
    connection.set_response_timeout(Duration::from_secs(10));
    for n in 0..50 {
        let _: Option<String> = connection.get(format!("after:{n}")).await?;
    }
    say("done")?;
    wait()
}
