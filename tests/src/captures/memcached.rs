//! Recordings of memcached's protocols: text and meta commands of pymemcache and of plain lines, binary of libmemcached's
//! programs.

use std::process::Command;

use anyhow::Result;

use super::{NOTHING, PYTHON_SCRIPT, Protocol, Scenario, Server, Watch};
use crate::memcached::MemcachedServer;

/// What is recorded of memcached.
pub const PROTOCOL: Protocol = Protocol { name: "memcached", start, scenarios: SCENARIOS };

fn start() -> Result<Box<dyn Server>> {
    Ok(Box::new(MemcachedServer::start(&[])?))
}

impl Server for MemcachedServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    /// Listens on one kind of socket only: `unix` is nothing that a scenario may choose.
    fn client(&self, program: &str, _unix: bool) -> Command {
        let mut command = Command::new(program);
        command.env("DB_HOST", "127.0.0.1").env("DB_PORT", self.port().to_string());
        command.env("MEMCACHED_SERVERS", self.address());
        command
    }
}

const PYMEMCACHE: &str = r#"
import os
from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheError
c = Client((os.environ["DB_HOST"], int(os.environ["DB_PORT"])), no_delay=True, default_noreply=False)
c.flush_all()
for n in range(30):
    c.set("user:%d" % n, "value %d" % n, expire=60)
    c.get("user:%d" % n)
c.get("no:such:key")
c.get_many(["user:%d" % n for n in range(40)])
c.gets("user:1")
value, token = c.gets("user:1")
c.cas("user:1", "swapped", token)
c.cas("user:1", "too late", token)
c.add("user:1", "there already")
c.add("user:100", "new")
c.replace("no:such:key", "x")
c.append("user:1", "behind")
c.prepend("user:1", "before")
c.set("counter", "10")
c.incr("counter", 5)
c.decr("counter", 2)
c.incr("no:such:counter", 1)
try:
    c.incr("user:1", 1)
except MemcacheError:
    pass
c.touch("user:1", 100)
c.delete("user:2")
c.delete("user:2")
c.set("large", "x\r\nEND\r\n" * 1000)
c.get("large")
for n in range(20):
    c.set("quiet:%d" % n, "v", noreply=True)
c.delete("quiet:1", noreply=True)
c.get("quiet:19")
c.set_many({"many:%d" % n: "v" for n in range(10)}, noreply=True)
c.stats()
c.version()
c.quit()
"#;

/// Meta commands, several in one piece, quiet ones with a no-op behind them, and lines that are wrong.
const META: &str = r#"
import os, socket
s = socket.create_connection((os.environ["DB_HOST"], int(os.environ["DB_PORT"])))
f = s.makefile("rb")
def ask(text, lines):
    s.sendall(text)
    for _ in range(lines):
        f.readline()
ask(b"ms meta:1 5 T60\r\nhello\r\n", 1)
ask(b"mg meta:1 v t f\r\n", 2)
ask(b"mg meta:2 v\r\n", 1)
ask(b"mg meta:1 v k O123\r\nmg meta:1 s\r\nmn\r\n", 4)
ask(b"mg meta:2 v q\r\nmg meta:1 v q k\r\nmg meta:3 v q\r\nmn\r\n", 3)
ask(b"ma count N0 J5 v\r\nma count v\r\nmd meta:1 q\r\nmn\r\n", 5)
ask(b"me meta:1\r\nme count\r\n", 2)
ask(b"ms meta:9 S5\r\n", 1)
ask(b"nosuch\r\n", 1)
ask(b"get a b c\r\nget d\r\nset k 0 0 3\r\nabc\r\nget k\r\n", 6)
ask(b"set k 0 0 3 noreply\r\nxyz\r\ngets k\r\n", 3)
ask(b"incr k 1\r\n", 1)
ask(b"gat 30 k\r\n", 3)
ask(b"verbosity 0\r\n", 1)
s.close()
"#;

const BINARY: &str = "\
cd \"$(mktemp -d)\" || exit 1
echo 'the value of one' > one; echo 2 > two; head -c 5000 /dev/zero > three
memccp --binary --servers=\"$MEMCACHED_SERVERS\" one two three
memccat --binary --servers=\"$MEMCACHED_SERVERS\" one two no-such-key
memcexist --binary --servers=\"$MEMCACHED_SERVERS\" one
memcexist --binary --servers=\"$MEMCACHED_SERVERS\" no-such-key
memctouch --binary --servers=\"$MEMCACHED_SERVERS\" --expire=100 one
memcrm --binary --servers=\"$MEMCACHED_SERVERS\" one one
memcping --binary --servers=\"$MEMCACHED_SERVERS\"
memcslap --binary --servers=\"$MEMCACHED_SERVERS\" --concurrency=2 --execute-number=2 --initial-load=3 --test=mget
rm one two three; rmdir \"$PWD\"
";

const TEXT: &str = "\
cd \"$(mktemp -d)\" || exit 1
echo 'the value of one' > one; echo 2 > two; head -c 5000 /dev/zero > three
memccp --servers=\"$MEMCACHED_SERVERS\" one two three
memccat --servers=\"$MEMCACHED_SERVERS\" one two no-such-key
memcexist --servers=\"$MEMCACHED_SERVERS\" one
memctouch --servers=\"$MEMCACHED_SERVERS\" --expire=100 one
memcrm --servers=\"$MEMCACHED_SERVERS\" one one
memcdump --servers=\"$MEMCACHED_SERVERS\"
memcstat --servers=\"$MEMCACHED_SERVERS\"
memcslap --servers=\"$MEMCACHED_SERVERS\" --concurrency=1 --execute-number=2 --initial-load=3 --test=mget
rm one two three; rmdir \"$PWD\"
";

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "pymemcache", script: PYMEMCACHE, ..PYTHON_SCRIPT },
    Scenario { name: "meta", script: META, ..PYTHON_SCRIPT },
    Scenario { name: "libmemcached-binary", program: "sh", script: BINARY, ..NOTHING },
    Scenario { name: "libmemcached-text", program: "sh", script: TEXT, ..NOTHING },
    Scenario { name: "memcached-server", watch: Watch::Server, script: PYMEMCACHE, ..PYTHON_SCRIPT },
];
