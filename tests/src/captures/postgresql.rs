//! Recordings of PostgreSQL: psql and pgbench, on both sides of a connection.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::{NOTHING, Protocol, Scenario, Server, Watch};
use crate::postgres::PostgresServer;

/// What is recorded of PostgreSQL.
pub const PROTOCOL: Protocol = Protocol { name: "postgresql", start, scenarios: SCENARIOS };

fn start() -> Result<Box<dyn Server>> {
    let server = PostgresServer::start(&[("logging_collector", "off")])?;
    let prepared = server.command("pgbench").args(["-i", "-q", "-s", "1"]).stderr(Stdio::null()).status()?;
    ensure!(prepared.success(), "pgbench -i failed");
    Ok(Box::new(server))
}

impl Server for PostgresServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    fn client(&self, program: &str, unix: bool) -> Command {
        let mut command = self.command(program);
        if unix {
            command.env("PGHOST", self.socket_dir());
        }
        command
    }
}

/// A session with everything that psql can do to a parser.
const PSQL: &str = "\
create temp table t (a int primary key, b text);
insert into t values (1, 'one'), (2, 'two'), (3, null);
select * from t where a = 2;
select no_such_column from t;
select 1/0;
select 1 as x\\; select 2 as y\\; select 3/0\\; select 4 as z;
begin;
declare c cursor for select generate_series(1, 100);
fetch 10 from c;
fetch 10 from c;
close c;
savepoint s;
insert into t values (1, 'again');
rollback to s;
commit;
copy t from stdin;
4\tfour
5\tfive
\\.
copy t from stdin;
six\tbad
\\.
copy t to stdout;
prepare q (int) as select b from t where a = $1;
execute q (1);
execute q (4);
deallocate q;
execute q (1);
do $$ begin raise notice 'hello'; end $$;
listen c;
notify c, 'hello';
select a, repeat('x', 20000) from t;
set application_name = 'renamed';
;
select pg_sleep(0.05);
";

/// Pipelines: one that works, then one whose third statement fails.
const PIPELINE: &str = "\
\\set a random(1, 1000)
\\startpipeline
select abalance from pgbench_accounts where aid = :a;
update pgbench_branches set bbalance = bbalance + 1 where bid = 1;
select :a + 1;
\\endpipeline
";

const FAILING_PIPELINE: &str = "\
\\startpipeline
select abalance from pgbench_accounts where aid = 1;
select abalance from pgbench_accounts where aid = 2;
select 1 / (abalance - abalance) from pgbench_accounts where aid = 3;
select abalance from pgbench_accounts where aid = 4;
select abalance from pgbench_accounts where aid = 5;
\\endpipeline
";

const PGBENCH: Scenario = Scenario { program: "pgbench", script_option: Some("-f"), ..NOTHING };

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "pgbench-simple",
        arguments: &["-n", "-M", "simple", "-c", "2", "-j", "2", "-t", "15"],
        ..PGBENCH
    },
    Scenario {
        name: "pgbench-extended",
        arguments: &["-n", "-M", "extended", "-c", "2", "-j", "1", "-t", "15"],
        unix: true,
        ..PGBENCH
    },
    Scenario {
        name: "pgbench-prepared",
        arguments: &["-n", "-M", "prepared", "-c", "2", "-j", "2", "-t", "15"],
        ..PGBENCH
    },
    Scenario {
        name: "pgbench-select-prepared",
        arguments: &["-n", "-S", "-M", "prepared", "-c", "1", "-t", "300"],
        ..PGBENCH
    },
    Scenario {
        name: "pgbench-server",
        watch: Watch::Server,
        arguments: &["-n", "-M", "prepared", "-c", "2", "-j", "1", "-t", "10"],
        ..PGBENCH
    },
    Scenario {
        name: "pgbench-pipeline",
        arguments: &["-n", "-M", "prepared", "-c", "2", "-t", "20"],
        script: PIPELINE,
        unix: true,
        ..PGBENCH
    },
    Scenario {
        name: "pgbench-pipeline-error",
        arguments: &["-n", "-M", "extended", "-c", "1", "-t", "3"],
        script: FAILING_PIPELINE,
        ..PGBENCH
    },
    Scenario { name: "psql-session", program: "psql", arguments: &["-X"], script: PSQL, ..NOTHING },
];
