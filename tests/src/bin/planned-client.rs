//! tokio-postgres as a client that sends the requests of a plan: `planned-client PLAN`. The plan, and what is said on
//! stdin and stdout, are those of `drivers/planned_client.py`; parameters are always binary.
//!
//! A lane is a connection and a task, so that no connection belongs to a thread.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Statement};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1).context("no plan")?;
    let plan: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    ensure!(plan["style"] == "binary", "tokio-postgres knows binary parameters only");
    let prepared_before = plan["prepared_before"] == true;
    let mut lanes = try_join_all(array(&plan["lanes"])?.iter().map(Lane::open)).await?;
    for (lane, requests) in lanes.iter_mut().zip(array(&plan["phases"][0])?) {
        if prepared_before {
            lane.statement(text(&requests[0]["sql"])?).await?;
        }
    }
    say("ready")?;
    for phase in array(&plan["phases"])? {
        wait()?;
        let numbered = lanes.iter_mut().zip(array(phase)?).enumerate();
        let sent =
            try_join_all(numbered.map(|(number, (lane, requests))| lane.run(number, requests))).await?;
        say(&Value::from(sent.concat()).to_string())?;
    }
    wait()
}

struct Lane<'a> {
    plan: &'a Value,
    client: Client,
    statements: HashMap<&'a str, Statement>,
}

impl<'a> Lane<'a> {
    async fn open(plan: &'a Value) -> Result<Self> {
        Ok(Self { plan, client: connect(plan).await?, statements: HashMap::new() })
    }

    async fn statement(&mut self, sql: &'a str) -> Result<Statement> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    async fn run(&mut self, number: usize, requests: &'a Value) -> Result<Vec<Value>> {
        let mut sent = Vec::new();
        for (at, request) in array(requests)?.iter().enumerate() {
            let pause_ms = request["pause_ms"].as_u64().context("no pause")?;
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            if request["reconnect"] == true {
                self.statements.clear();
                self.client = connect(self.plan).await?;
            }
            let statement = self.statement(text(&request["sql"])?).await?;
            let typed = array(&request["parameters"])?.iter().zip(statement.params());
            let parameters = typed.map(|(value, kind)| parameter(value, kind)).collect::<Result<Vec<_>>>()?;
            let borrowed: Vec<&(dyn ToSql + Sync)> =
                parameters.iter().map(|boxed| -> &(dyn ToSql + Sync) { &**boxed }).collect();
            let begin = Instant::now();
            let rows = self.client.query(&statement, &borrowed).await?;
            let ns = u64::try_from(begin.elapsed().as_nanos())?;
            let answer: Option<bool> = rows.first().map(|row| row.try_get(0)).transpose()?;
            sent.push(json!([number, at, ns, answer]));
        }
        Ok(sent)
    }
}

async fn connect(lane: &Value) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(text(&lane["conninfo"])?, NoTls).await?;
    tokio::spawn(connection);
    if let Some(setup) = lane["setup"].as_str() {
        client.batch_execute(setup).await?;
    }
    Ok(client)
}

/// A value as the statement's type wants it.
fn parameter(value: &Value, kind: &Type) -> Result<Box<dyn ToSql + Sync + Send>> {
    Ok(match *kind {
        Type::INT8 => Box::new(value.as_i64()),
        Type::TEXT => Box::new(value.as_str().map(str::to_owned)),
        Type::BOOL => Box::new(value.as_bool()),
        Type::INT8_ARRAY => Box::new(array(value)?.iter().filter_map(Value::as_i64).collect::<Vec<_>>()),
        _ => bail!("no parameters of type {kind}"),
    })
}

fn array(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().with_context(|| format!("no list: {value}"))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("no text: {value}"))
}

fn say(line: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// For a line; the end of stdin ends the program.
fn wait() -> Result<()> {
    if std::io::stdin().lock().read_line(&mut String::new())? == 0 {
        std::process::exit(0);
    }
    Ok(())
}
