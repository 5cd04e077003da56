//! Every kind of command and answer: redis-cli with RESP2 and RESP3, and redis-py.

use std::process::Command;

use tests::dbtap::Dbtap;
use tests::redis::RedisServer;
use tests::whole::{Gaps, complete, lines, watch};
use tracer::report::model::Role;

use crate::expected::{Expected, check, check_with, client};
use crate::shared;

const SCRIPT: &str = r#"set user:1000:name "Ann Example"
get user:1000:name
get user:1001:name
mset user:1001:name b user:1002:name c
mget user:1000:name user:1001:name user:9999:name
incr counter
incrbyfloat counter 0.5
incr user:1000:name
lpush list:1 a b c
lrange list:1 0 -1
hset hash:1 field value other 2
hgetall hash:1
zadd scores 1 one 2.5 two
zrange scores 0 -1 withscores
zscore scores two
sadd set:1 a b
smembers set:1
sismember set:1 a
setbit bits 7 1
geoadd places 13.361389 38.115556 Palermo
geopos places Palermo nowhere
get
multi
set user:1000:name in-transaction
incr counter:2
lpop user:1000:name
exec
multi
get
exec
watch counter:2
unwatch
eval "return {1, redis.status_reply('FINE'), {ARGV[1]}, false, 3.9}" 1 user:1000:name argument
eval "return redis.error_reply('MINE of a script')" 0
script load "return 42"
evalsha 1fa00e76656cc152ad327c13fe365858fd7be306 0
evalsha ffffffffffffffffffffffffffffffffffffffff 0
config get maxmemory
config set maxmemory 200mb
object encoding counter
object freq counter
client setname me
client getname
client list
client no-evict on
debug sleep 0.02
blpop list:1 1
blpop no:such:list 0.1
scan 0 match user:* count 100
info server
command count
xadd stream:1 * field value
xrange stream:1 - +
xread count 10 streams stream:1 0
dbsize
select 3
set in-three 1
select 0
type list:1
exists a b c user:1000:name
ping
echo hello
time
memory usage counter
wait 0 10
restore bad 0 garbage
latency doctor
"#;

fn redis_cli(server: &RedisServer, options: &[&str], unix: bool, script: &str) -> Command {
    let folder = server.folder().join(format!("script{}{unix}", options.len()));
    std::fs::write(&folder, script).unwrap();
    let base = if unix { server.command_unix("redis-cli") } else { server.command("redis-cli") };
    let mut client = Command::new("sh");
    client.args(["-c", "file=$1; shift; exec \"$@\" < \"$file\"", "sh"]).arg(folder);
    client.arg(base.get_program()).args(base.get_args()).args(options);
    client
}

#[test]
fn a_script_of_everything_counts_as_the_server_counts() {
    let _shared = shared();
    for (options, unix) in [(&[][..], false), (&["-3"][..], true), (&["-3"][..], false), (&[][..], true)] {
        println!("redis-cli {options:?}, over the Unix socket: {unix}");
        let server = RedisServer::start(&[]).unwrap();
        server.forget().unwrap();
        let (ended, output) = watch(&redis_cli(&server, options, unix, SCRIPT)).unwrap();
        output.success().unwrap();
        let report = check(&ended, &Expected::of_server(&server));
        let [connection] = &*report.connections else { panic!("{:?}", report.connections) };
        assert_eq!((connection.role, connection.protocol.as_deref()), (Some(Role::Client), Some("redis")));
        let socket = server.socket().display().to_string();
        let place = if unix { socket } else { format!("127.0.0.1:{}", server.port()) };
        assert_eq!(connection.peer, place);
        assert_eq!(connection.requests, report.coverage.requests);
        let waits: Vec<_> =
            report.statements.iter().filter(|s| s.waits_by_design).map(|s| s.text.as_str()).collect();
        assert!(waits.iter().any(|text| text.to_lowercase().starts_with("blpop")), "case 37: {waits:?}");
        assert!(!waits.iter().any(|text| text.to_lowercase().starts_with("debug")));
    }
}

#[test]
fn redis_py_counts_as_the_server_counts() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) = watch(&client(&server, "normal")).unwrap();
    output.success().unwrap();
    // A command that the server does not know is counted as an error only.
    let expected = Expected::of_server(&server).and("nosuchcommand", 1);
    let report = ended.report().unwrap();
    println!("{:#?}", lines(&report));
    // How a command that nobody knows is shown is the report's business: it stands in place of its name.
    let unknown = report
        .statements
        .iter()
        .find(|s| s.errors.iter().any(|e| e.code == "ERR") && s.count == 1 && !s.text.starts_with("GET"));
    let unknown = unknown.unwrap().text.split(' ').next().unwrap().to_lowercase();
    check(&ended, &expected.and("nosuchcommand", -1).and(&unknown, 1));
    let page = report.statements.iter().find(|s| s.text == "GET page:?").unwrap();
    assert!(page.answer_bytes > 15 * 20_000, "{page:?}");
}

/// Cases 35 and 39: thousands in one piece; QUEUED is no answer.
#[test]
fn pipelines_and_transactions_count_as_the_server_counts() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) = watch(&client(&server, "pipelines")).unwrap();
    output.success().unwrap();
    // The last EXEC was given up because of a watched key: what it had queued never ran.
    let report = check_with(&ended, &Expected::of_server(&server), Gaps { skipped: 1, ..Gaps::default() });
    let of = |word: &str| -> u64 {
        report.statements.iter().filter(|s| s.text.split(' ').next() == Some(word)).map(|s| s.count).sum()
    };
    assert_eq!((of("HSET"), of("HGET"), of("EXEC"), of("MULTI")), (3_000, 3_000, 52, 52));
}

#[test]
fn scripts_count_once_whatever_they_call() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) = watch(&client(&server, "scripts")).unwrap();
    output.success().unwrap();
    let expected = Expected::of_server(&server);
    // The server counts what a script calls; the client did not ask for it.
    assert_eq!(expected.count("incrby"), 30);
    check(&ended, &expected.and("incrby", -30));
}

/// Case 38.
#[test]
fn subscriptions_and_monitor_are_no_requests() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) = watch(&client(&server, "published")).unwrap();
    output.success().unwrap();
    let report = ended.report().unwrap();
    println!("{:#?} {:?}", lines(&report), report.coverage);
    let publish: u64 =
        report.statements.iter().filter(|s| s.text.starts_with("PUBLISH")).map(|s| s.count).sum();
    assert_eq!((publish, report.coverage.pushed), (201, 200));
    complete(&ended, Gaps { pushed: 200, ..Gaps::default() }).unwrap();
    let (ended, output) = watch(&client(&server, "monitored")).unwrap();
    output.success().unwrap();
    let report = ended.report().unwrap();
    println!("{:#?} {:?}", lines(&report), report.coverage);
    let set: u64 = report.statements.iter().filter(|s| s.text.starts_with("SET")).map(|s| s.count).sum();
    assert_eq!(set, 50);
    // The monitor also hears of the commands by which the client goes.
    assert!((50..55).contains(&report.coverage.pushed), "{:?}", report.coverage);
    complete(&ended, Gaps { pushed: report.coverage.pushed, ..Gaps::default() }).unwrap();
}

/// Case 37.
#[test]
fn commands_that_wait_by_design_are_a_class_of_their_own() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let (ended, output) = watch(&client(&server, "blocking")).unwrap();
    output.success().unwrap();
    let report = check_with(&ended, &Expected::of_server(&server), Gaps::default());
    for statement in &report.statements {
        let name = statement.text.split(' ').next().unwrap();
        assert_eq!(statement.waits_by_design, ["BLPOP", "XREAD", "WAIT"].contains(&name), "{statement:?}");
    }
    let popped: Vec<_> = report.statements.iter().filter(|s| s.text.starts_with("BLPOP")).collect();
    let slowest = popped.iter().map(|s| s.latency.max_ns).max().unwrap();
    assert!((1_000_000_000..1_500_000_000).contains(&slowest), "{popped:?}");
}

#[test]
fn the_servers_side_counts_the_same() {
    let _shared = shared();
    let server = RedisServer::start(&[]).unwrap();
    server.forget().unwrap();
    let dbtap = Dbtap::attach(server.pid().unwrap()).unwrap().start().unwrap();
    let mut pipelines = client(&server, "pipelines");
    tests::daemon::output(&mut pipelines).unwrap();
    tests::daemon::output(&mut redis_cli(&server, &["-3"], false, SCRIPT)).unwrap();
    let ended = dbtap.interrupt().unwrap();
    let report = check_with(&ended, &Expected::of_server(&server), Gaps { skipped: 1, ..Gaps::default() });
    let own = format!("127.0.0.1:{}", server.port());
    for connection in report.connections.iter().filter(|connection| connection.protocol.is_some()) {
        assert_eq!((connection.role, &*connection.local), (Some(Role::Server), &*own), "{connection:?}");
    }
    for statement in &report.statements {
        assert_eq!(statement.peer, own, "the server's address: {statement:?}");
    }
}
