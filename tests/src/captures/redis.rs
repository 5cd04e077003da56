//! Recordings of Redis' protocol: redis-cli, redis-benchmark and redis-py.

use std::process::Command;

use anyhow::Result;

use super::{NOTHING, PYTHON_SCRIPT, Protocol, Scenario, Server, Watch};
use crate::redis::RedisServer;

/// What is recorded of Redis.
pub const PROTOCOL: Protocol = Protocol { name: "redis", start, scenarios: SCENARIOS };

fn start() -> Result<Box<dyn Server>> {
    let server = RedisServer::start(&[])?;
    server.cli(["ACL", "SETUSER", "someone", "on", ">not-a-secret", "~*", "&*", "+@all"])?;
    Ok(Box::new(server))
}

impl Server for RedisServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    fn client(&self, program: &str, unix: bool) -> Command {
        if program.starts_with("redis-") {
            return if unix { self.command_unix(program) } else { self.command(program) };
        }
        let mut command = Command::new(program);
        if unix {
            command.env("DB_SOCKET", self.socket());
        } else {
            command.env("DB_HOST", "127.0.0.1").env("DB_PORT", self.port().to_string());
        }
        command
    }
}

/// A session with everything that is request and answer.
const SESSION: &str = "\
flushall
set user:1000:name \"Ann Example\"
get user:1000:name
get no:such:key
mset user:1001:name b user:1002:name c
mget user:1000:name user:1001:name user:9999:name
incr counter
incr user:1000:name
lpush list:1 a b c
lrange list:1 0 -1
lpop user:1000:name
hset hash:f00dfeedf00dfeedf00dfeedf00dfeed field value other 2
hgetall hash:f00dfeedf00dfeedf00dfeedf00dfeed
zadd scores 1 one 2.5 two
zrange scores 0 -1 withscores
sadd set:1 a b
smembers set:1
nosuchcommand x y
get
multi
set user:1000:name in-transaction
incr counter
lpop user:1000:name
exec
multi
set a b
discard
multi
nosuchcommand
exec
watch counter
unwatch
eval \"return {1, redis.call('get', KEYS[1]), {ARGV[1]}}\" 1 user:1000:name argument
eval \"return redis.error_reply('MINE of a script')\" 0
script load \"return 42\"
evalsha 1fa00e76656cc152ad327c13fe365858fd7be306 0
evalsha ffffffffffffffffffffffffffffffffffffffff 0
auth someone not-a-secret
auth someone wrong-password
acl setuser other on >another-secret ~*
config set requirepass \"\"
config get maxmemory
object encoding counter
client setname me
client list
debug sleep 0.02
blpop list:1 1
blpop no:such:list 0.05
scan 0 match user:* count 100
info server
xadd stream:1 * field value
xrange stream:1 - +
dbsize
select 3
ping
echo hello
wait 0 10
";

/// Typed lines without RESP, a pipeline with its answers in one piece, keys of any bytes, and a large value.
const REDIS_PY: &str = r#"
import os, redis, socket, threading, time
place = dict(host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]))
r = redis.Redis(**place, username="someone", password="not-a-secret", db=1)
for n in range(30):
    r.set("session:%d" % n, "value %d" % n, ex=60)
    r.get("session:%d" % n)
pipe = r.pipeline(transaction=False)
for n in range(200):
    pipe.hset("cart:%d" % n, "item", n)
    pipe.hget("cart:%d" % n, "item")
pipe.execute()
with r.pipeline() as pipe:
    pipe.incr("visits")
    pipe.lpush("visits", 1)
    pipe.execute(raise_on_error=False)
r.set(b"binary\x00\r\n$5\r\nkey", b"\r\n+OK\r\n" * 2000)
r.get(b"binary\x00\r\n$5\r\nkey")
script = r.register_script("return redis.call('incrby', KEYS[1], ARGV[1])")
for n in range(5):
    script(keys=["sum"], args=[n])
try:
    r.lpop("sum")
except redis.ResponseError:
    pass
p = r.pubsub()
p.subscribe("news", "weather")
p.psubscribe("chat:*")
for n in range(5):
    r.publish("news", "hello %d" % n)
    r.publish("chat:%d" % n, "hi")
deadline = time.time() + 1
seen = 0
while seen < 13 and time.time() < deadline:
    seen += p.get_message(timeout=0.2) is not None
p.unsubscribe()
p.punsubscribe()
p.close()
later = threading.Timer(0.05, lambda: redis.Redis(**place, db=1).rpush("jobs", "one"))
later.start()
r.blpop("jobs", timeout=2)
later.join()
s = socket.create_connection((place["host"], place["port"]))
for line in (b"PING\r\n", b"SET inline:1 value\r\n", b"GET inline:1\r\n", b"NOSUCH\r\n", b"EXISTS inline:1 inline:2\r\n"):
    s.sendall(line)
    s.recv(1000)
s.close()
"#;

const BENCHMARK: Scenario = Scenario { program: "redis-benchmark", ..NOTHING };

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "redis-cli-session", program: "redis-cli", script: SESSION, ..NOTHING },
    Scenario {
        name: "redis-cli-resp3",
        program: "redis-cli",
        arguments: &["-3"],
        unix: true,
        script: SESSION,
        ..NOTHING
    },
    Scenario {
        name: "redis-benchmark",
        arguments: &[
            "-q",
            "-n",
            "24",
            "-c",
            "3",
            "-r",
            "1000",
            "-t",
            "ping_inline,ping_mbulk,set,get,lpush,hset,mset",
        ],
        ..BENCHMARK
    },
    Scenario {
        name: "redis-benchmark-pipeline",
        arguments: &["-q", "-n", "512", "-c", "2", "-P", "16", "-r", "1000", "-t", "set,get"],
        ..BENCHMARK
    },
    Scenario {
        name: "redis-server",
        watch: Watch::Server,
        arguments: &["-q", "-n", "60", "-c", "2", "-P", "4", "-t", "set,get,lpush,hset"],
        ..BENCHMARK
    },
    Scenario { name: "redis-py", script: REDIS_PY, ..PYTHON_SCRIPT },
];
