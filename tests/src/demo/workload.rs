//! The payments application: a pool of connections and requests that arrive at a fixed rate.
//!
//! Arrivals are open-loop: a slow answer does not hold up the next arrival, so the slow ones keep
//! their share. Statements are prepared once for each connection. A connection that is older than its
//! life time, or that was slow to answer, is replaced, as pools in production do.

use super::statement::{ACCEPT_REQUEST, BEGIN, COMMIT, FILE_REQUEST, HEALTH, LOOKUP, ROLLBACK};
use super::statistics::Statistics;
use super::user_ids::UserIds;
use anyhow::Context as _;
use deadpool_postgres::{Client, Hook, HookError, Manager, Pool, PoolError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::{Error, NoTls};

/// How much traffic there is, and over how many connections.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Most connections open at a time. With too few, slow requests would hold up all others.
    pub connections: usize,
    /// Connections that are open, with their statements prepared, before the first request.
    pub warm_connections: usize,
    /// Age at which a connection is replaced.
    pub connection_lifetime: Duration,
    /// Lookups a second.
    pub lookups_per_second: u32,
    /// Payments a second: a transaction of an INSERT and an UPDATE.
    pub payments_per_second: u32,
    /// Every n-th payment repeats the key of the one before it and fails with a unique violation. 0: never.
    pub repeat_key_every: u64,
    /// Seed of the user ids.
    pub seed: u64,
}

/// A connection that took longer than this for an answer does not go back to the pool.
const DISTRUST: Duration = Duration::from_secs(1);

/// The running application.
#[derive(Clone)]
pub struct Application {
    pool: Pool,
    statistics: Arc<Mutex<Statistics>>,
}

impl Application {
    /// Opens the warm connections and prepares their statements.
    ///
    /// `server` is a connection string as libpq reads it. Errors when the server cannot be reached.
    pub async fn open(server: &str, plan: &Plan) -> anyhow::Result<Self> {
        let config: tokio_postgres::Config = server.parse().context("not a connection string")?;
        let lifetime = plan.connection_lifetime;
        let retire_old =
            Hook::sync_fn(
                move |_, metrics| {
                    if metrics.age() < lifetime { Ok(()) } else { Err(HookError::message("old")) }
                },
            );
        let pool = Pool::builder(Manager::new(config, NoTls))
            .max_size(plan.connections)
            .pre_recycle(retire_old)
            .build()
            .context("cannot make the pool")?;
        let mut warm = Vec::new();
        for _ in 0..plan.warm_connections.min(plan.connections) {
            let client = pool.get().await.context("cannot connect to the server")?;
            for statement in [LOOKUP, FILE_REQUEST, ACCEPT_REQUEST] {
                client.prepare_cached(statement).await.context("cannot prepare the statements")?;
            }
            warm.push(client);
        }
        Ok(Self { pool, statistics: Arc::default() })
    }

    /// Sends requests until `end`, then waits for the answers that are still due.
    pub async fn run(&self, plan: &Plan, end: impl Future<Output = ()>) {
        let mut requests = JoinSet::new();
        let mut user_ids = UserIds::new(plan.seed);
        let mut payments = 0_u64;
        let mut lookup_tick = ticks(plan.lookups_per_second);
        let mut payment_tick = ticks(plan.payments_per_second);
        let mut health_tick = ticks(1);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => break,
                () = tick(&mut lookup_tick) => {
                    let (application, user_id) = (self.clone(), user_ids.next().unwrap_or(0));
                    requests.spawn(async move { application.look_up(user_id).await });
                }
                () = tick(&mut payment_tick) => {
                    payments += 1;
                    let repeats = plan.repeat_key_every != 0 && payments.is_multiple_of(plan.repeat_key_every);
                    let number = if repeats { payments - 1 } else { payments };
                    // The process id keeps the keys of two runs against one server apart.
                    let key = format!("{}-{number}", std::process::id());
                    let (application, user_id) = (self.clone(), user_ids.next().unwrap_or(0));
                    requests.spawn(async move { application.pay(key, user_id).await });
                }
                () = tick(&mut health_tick) => {
                    let application = self.clone();
                    requests.spawn(async move { application.check_health().await });
                }
                // Finished tasks are taken out as they come, so that the set stays small.
                Some(_) = requests.join_next() => {}
            }
        }
        while requests.join_next().await.is_some() {}
    }

    /// What was measured so far.
    pub fn statistics(&self) -> serde_json::Value {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner).to_json()
    }

    async fn look_up(&self, user_id: i64) -> Result<(), PoolError> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(LOOKUP).await?;
        let begin = Instant::now();
        self.timed(LOOKUP, client.query(&statement, &[&user_id])).await?;
        if begin.elapsed() > DISTRUST {
            drop(Client::take(client));
        }
        Ok(())
    }

    async fn pay(&self, key: String, user_id: i64) -> Result<(), PoolError> {
        let client = self.pool.get().await?;
        let file = client.prepare_cached(FILE_REQUEST).await?;
        let accept = client.prepare_cached(ACCEPT_REQUEST).await?;
        let amount = user_id.wrapping_mul(37).rem_euclid(50_000);
        self.timed(BEGIN, client.batch_execute(BEGIN)).await?;
        let filed = self.timed(FILE_REQUEST, client.execute(&file, &[&key, &user_id, &amount])).await;
        if filed.is_err() {
            self.timed(ROLLBACK, client.batch_execute(ROLLBACK)).await?;
            return Ok(());
        }
        self.timed(ACCEPT_REQUEST, client.execute(&accept, &[&key])).await?;
        self.timed(COMMIT, client.batch_execute(COMMIT)).await?;
        Ok(())
    }

    async fn check_health(&self) -> Result<(), PoolError> {
        let client: Client = self.pool.get().await?;
        self.timed(HEALTH, client.simple_query(HEALTH)).await?;
        Ok(())
    }

    async fn timed<T>(
        &self,
        statement: &'static str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let begin = Instant::now();
        let result = call.await;
        let latency = begin.elapsed();
        let error = result.as_ref().err().map(|error| error.code().map_or("none", |code| code.code()));
        let mut statistics = self.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        statistics.add(statement, latency, error.map(str::to_owned));
        drop(statistics);
        result
    }
}

/// An even rhythm; `None` for a rate of 0, which never ticks.
fn ticks(per_second: u32) -> Option<tokio::time::Interval> {
    let period = Duration::from_secs(1).checked_div(per_second)?;
    Some(tokio::time::interval_at(Instant::now() + period, period))
}

async fn tick(interval: &mut Option<tokio::time::Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}
