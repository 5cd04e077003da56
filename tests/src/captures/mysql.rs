//! Recordings of MySQL's protocol: MariaDB with its own client, sysbench, PyMySQL and mysqlclient.

use std::process::Command;

use anyhow::Result;

use super::{NOTHING, PYTHON_SCRIPT, Protocol, Scenario, Server, Watch};
use crate::daemon::output;
use crate::mariadb::MariadbServer;

/// What is recorded of MySQL.
pub const PROTOCOL: Protocol = Protocol { name: "mysql", start, scenarios: SCENARIOS };

/// Small enough that a recording of it can be kept.
const SYSBENCH_TABLE: [&str; 3] = ["oltp_read_write", "--tables=1", "--table-size=200"];

fn start() -> Result<Box<dyn Server>> {
    let server = MariadbServer::start(&[])?;
    server.sql(
        "CREATE DATABASE app; CREATE USER someone IDENTIFIED BY 'not-a-secret'; GRANT ALL ON app.* TO someone; \
         CREATE PROCEDURE app.several() BEGIN SELECT 1; SELECT 2, 3; SELECT a FROM app.t; END;",
    )?;
    output(server.client("sysbench", false).args(SYSBENCH_TABLE).arg("prepare"))?;
    Ok(Box::new(server))
}

impl Server for MariadbServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    fn client(&self, program: &str, unix: bool) -> Command {
        if program.starts_with("mariadb") {
            return if unix { self.command_unix(program) } else { self.command(program) };
        }
        let (port, socket) = (self.port().to_string(), self.socket());
        let mut command = Command::new(program);
        if program == "sysbench" {
            command.args(["--mysql-user=root", "--mysql-db=app"]);
            if unix {
                command.arg(format!("--mysql-socket={}", socket.display()));
            } else {
                command.args(["--mysql-host=127.0.0.1", &format!("--mysql-port={port}")]);
            }
        } else if unix {
            command.env("DB_SOCKET", socket);
        } else {
            command.env("DB_HOST", "127.0.0.1").env("DB_PORT", port);
        }
        command
    }
}

/// A session with everything that the command-line client can do to a parser.
const SESSION: &str = "\
drop table if exists t;
create table t (a int primary key auto_increment, b varchar(100), c longtext);
insert into t (b) values ('one'), ('it\\'s two'), (null);
select * from t where a = 2;
select \"double quoted\", `b` from t where b = 'it''s two' # a comment
;
select no_such_column from t;
select 1 / 0;
select * from no_such_table;
selec 1;
update t set b = 'changed' where a >= 2;
delete from t where a = 3;
insert into t (a, b) values (1, 'again');
delimiter //
select 1 as x; select 2 as y; select * from no_such_table; select 4 as z//
select 1 as x; update t set b = 'both' where a = 1; select 3 as z//
delimiter ;
begin;
insert into t (b) values ('rolled back');
rollback;
call app.several();
call app.no_such_procedure();
prepare p from 'select b from t where a = ?';
set @a = 1;
execute p using @a;
execute p using @a;
deallocate prepare p;
execute p using @a;
show warnings;
show tables;
use information_schema;
use app;
set names utf8mb4;
select sleep(0.05);
select repeat('x', 20000), a from t;
select * from sbtest1 where id between 1 and 50;
explain select * from t;
set password for someone = password('hunter2');
set password for someone = password('not-a-secret');
/*!50000 select 1 */;
/* only a comment */;
";

/// What PyMySQL sends: text commands, one result read as it comes, a ping, a change of the database.
const PYMYSQL: &str = r#"
import os, pymysql
place = dict(host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]))
c = pymysql.connect(**place, user="someone", password="not-a-secret", database="app", autocommit=True)
k = c.cursor()
k.execute("create temporary table p (a int primary key, b varchar(50), d datetime)")
k.executemany("insert into p values (%s, %s, now())", [(n, "row %d" % n) for n in range(20)])
for n in range(15):
    k.execute("select a, b, d from p where a = %s", (n,))
    k.fetchall()
for sql in ("select * from no_such_table", "selec 1", "insert into p values (1, 'again', null)"):
    try:
        k.execute(sql)
    except pymysql.MySQLError:
        pass
s = c.cursor(pymysql.cursors.SSCursor)
s.execute("select id, c from sbtest1 where id < %s", (40,))
for row in s:
    pass
s.close()
c.ping()
c.select_db("app")
c.begin()
k.execute("update p set b = %s where a > %s", ("new", 10))
c.rollback()
k.execute("select %s, %s, %s", ("x" * 3000, None, 2.5))
c.close()
"#;

/// What mysqlclient (`MySQLdb`, on libmariadb) sends, with multi-statements and a change of the user.
const MYSQLDB: &str = r#"
import os, MySQLdb, MySQLdb.cursors
from MySQLdb.constants import CLIENT
place = dict(unix_socket=os.environ["DB_SOCKET"])
c = MySQLdb.connect(**place, user="someone", passwd="not-a-secret", db="app", client_flag=CLIENT.MULTI_STATEMENTS)
k = c.cursor()
for n in range(10):
    k.execute("select id, k from sbtest1 where id = %s", (n,))
    k.fetchall()
k.executemany("insert into sbtest1 (k, c, pad) values (%s, %s, %s)", [(n, "c", "pad") for n in range(10)])
c.rollback()
k.execute("select 1; select 2, 3; set @x = 5; select @x")
while k.nextset():
    pass
s = c.cursor(MySQLdb.cursors.SSCursor)
s.execute("select id from sbtest1 limit 30")
s.fetchall()
s.close()
c.ping()
c.change_user("someone", "not-a-secret", "app")
k = c.cursor()
k.execute("select database(), user()")
try:
    k.execute("select * from no_such_table")
except MySQLdb.Error:
    pass
c.close()
"#;

const SYSBENCH: Scenario = Scenario { program: "sysbench", ..NOTHING };

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "mariadb-session",
        program: "mariadb",
        arguments: &["--force", "app"],
        script: SESSION,
        ..NOTHING
    },
    Scenario {
        name: "mariadb-compressed",
        program: "mariadb",
        arguments: &["--force", "--compress", "app"],
        script: SESSION,
        ..NOTHING
    },
    Scenario {
        name: "mariadb-server",
        watch: Watch::Server,
        unix: true,
        program: "mariadb",
        arguments: &["--force", "app"],
        script: SESSION,
        ..NOTHING
    },
    Scenario {
        name: "sysbench-prepared",
        arguments: &[
            "oltp_read_write",
            "--tables=1",
            "--table-size=200",
            "--range-size=5",
            "--threads=2",
            "--time=0",
            "--events=6",
            "run",
        ],
        ..SYSBENCH
    },
    Scenario {
        name: "sysbench-text",
        unix: true,
        arguments: &[
            "oltp_read_write",
            "--tables=1",
            "--table-size=200",
            "--range-size=5",
            "--threads=1",
            "--time=0",
            "--events=6",
            "--db-ps-mode=disable",
            "run",
        ],
        ..SYSBENCH
    },
    Scenario { name: "pymysql", script: PYMYSQL, ..PYTHON_SCRIPT },
    Scenario { name: "mysqldb", unix: true, script: MYSQLDB, ..PYTHON_SCRIPT },
];
