//! Recordings of HTTP: real clients against a scripted server that answers as each product does
//! (`tests/drivers/http_product.py`), because none of these servers is in Debian.

use std::net::TcpStream;
use std::process::Command;

use anyhow::Result;

use super::{NOTHING, PYTHON, PYTHON_SCRIPT, Protocol, Scenario, Server, Watch};
use crate::daemon::{Daemon, free_port};

/// What is recorded of Elasticsearch.
pub const ELASTICSEARCH: Protocol =
    Protocol { name: "elasticsearch", start: || start("elasticsearch"), scenarios: ELASTICSEARCH_SCENARIOS };
/// What is recorded of OpenSearch.
pub const OPENSEARCH: Protocol =
    Protocol { name: "opensearch", start: || start("opensearch"), scenarios: OPENSEARCH_SCENARIOS };
/// What is recorded of ClickHouse.
pub const CLICKHOUSE: Protocol =
    Protocol { name: "clickhouse", start: || start("clickhouse"), scenarios: CLICKHOUSE_SCENARIOS };
/// What is recorded of other HTTP.
pub const HTTP: Protocol = Protocol { name: "http", start: || start("http"), scenarios: HTTP_SCENARIOS };

/// An unprivileged user of every Debian, with a group of the same name.
const SERVER_USER: &str = "www-data";

struct ScriptedServer {
    daemon: Daemon,
    port: u16,
}

fn start(product: &str) -> Result<Box<dyn Server>> {
    let (mut daemon, port) = (Daemon::new(SERVER_USER)?, free_port()?);
    let mut command = daemon.command(PYTHON)?;
    command.args(["-c", include_str!("../../drivers/http_product.py"), product, &port.to_string()]);
    daemon.launch(command, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    Ok(Box::new(ScriptedServer { daemon, port }))
}

impl Server for ScriptedServer {
    fn pid(&self) -> Result<u32> {
        self.daemon.pid()
    }

    fn client(&self, program: &str, _unix: bool) -> Command {
        let mut command = Command::new(program);
        command.env("DB_HOST", "127.0.0.1").env("DB_PORT", self.port.to_string());
        command
    }
}

/// Elasticsearch's own client for Python, of Debian's package python3-elasticsearch.
const ELASTICSEARCH_PY: &str = r#"
import os
from elasticsearch import Elasticsearch, ElasticsearchException
c = Elasticsearch(["http://user:secret@%s:%s" % (os.environ["DB_HOST"], os.environ["DB_PORT"])], max_retries=0)
c.info()
c.ping()
c.indices.create("logs-2026.11.23")
for n in range(6):
    c.index("logs-2026.11.23", {"user": "secret", "n": n}, id="user-%d" % n)
    c.get("logs-2026.11.23", id="user-%d" % n)
c.bulk("\n".join('{"index":{"_index":"i"}}\n{"a":%d}' % n for n in range(30)) + "\n")
for n in range(6):
    c.search(index="logs-2026.11.%02d" % n, body={"query": {"term": {"user": "secret"}}}, size=5, routing="secret")
c.search(index="slow", q="secret")
for index in ("missing", "busy"):
    try:
        c.search(index=index)
    except ElasticsearchException:
        pass
c.delete("i", id="550e8400-e29b-41d4-a716-446655440000")
"#;

/// curl and Python's own client on one connection each: a pipeline, chunks, HEAD, an interim answer.
const COMMON: &str = r#"
import http.client, os, socket, subprocess
host, port = os.environ["DB_HOST"], int(os.environ["DB_PORT"])
url = "http://%s:%d" % (host, port)
agent = {"User-Agent": "opensearch-py/2.4.2 (Python 3.11)"}
c = http.client.HTTPConnection(host, port)
def ask(method, path, body=None, **fields):
    c.request(method, path, body, {**agent, **fields}, encode_chunked=True)
    return c.getresponse().read()
ask("GET", "/_cluster/health?level=shards")
ask("HEAD", "/i")
for n in range(6):
    ask("PUT", "/users/_doc/%d" % n, '{"a":1}', Authorization="Basic c2VjcmV0", **{"Content-Type": "application/json"})
    ask("GET", "/users/_search?q=name:secret&size=5")
ask("POST", "/_bulk", iter([b'{"index":{}}\n', b'{"a":1}\n']), **{"Transfer-Encoding": "chunked"})
ask("GET", "/missing/_search")
c.close()
# The body waits for an interim answer.
subprocess.run(["curl", "-s", "-A", agent["User-Agent"], "-H", "Expect: 100-continue", "--data-binary", "x" * 2000, url + "/i/_bulk", url + "/i/_search?a=b"], stdout=subprocess.DEVNULL)
s = socket.create_connection((host, port))
request = "GET /i/_doc/%d HTTP/1.1\r\nHost: x\r\nUser-Agent: " + agent["User-Agent"] + "\r\n\r\n"
s.sendall("".join(request % n for n in range(5)).encode())
got = b""
while got.count(b"HTTP/1.1") < 5:
    got += s.recv(65536)
s.close()
"#;

const CLICKHOUSE_HTTP: &str = r#"
import http.client, os, subprocess, urllib.parse
host, port = os.environ["DB_HOST"], int(os.environ["DB_PORT"])
c = http.client.HTTPConnection(host, port)
def ask(sql, body=None, **parameters):
    parameters = {"database": "shop", **parameters}
    if body is not None:
        parameters["query"] = sql
        sql = body
    path = "/?" + urllib.parse.urlencode(parameters)
    c.request("POST", path, sql, {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": "secret"})
    return c.getresponse().read()
for n in range(6):
    ask("SELECT name FROM users WHERE id = %d" % n)
    ask("SELECT count() FROM `events` WHERE day = '2026-11-%02d' -- secret" % n, query_id="q%d" % n)
ask("INSERT INTO users FORMAT CSV", "1,secret\n2,secret\n")
ask("INSERT INTO users (id, name) VALUES (1, 'secret'), (2, 'secret')")
ask("SELECT number FROM numbers(2000)")
ask("SELECT * FROM no_such")
c.close()
url = "http://%s:%d/" % (host, port)
subprocess.run(["curl", "-s", url + "?query=SELECT%201", url + "?query=SELECT+2"], stdout=subprocess.DEVNULL)
subprocess.run(["curl", "-s", "-u", "reader:secret", "--data-binary", "SELECT 3", url], stdout=subprocess.DEVNULL)
"#;

const PLAIN: &str = r#"
curl -s "http://$DB_HOST:$DB_PORT/a" "http://$DB_HOST:$DB_PORT/b?c=d"
curl -s -d x=y "http://$DB_HOST:$DB_PORT/users/1"
"#;

const ELASTICSEARCH_SCENARIOS: &[Scenario] = &[
    Scenario { name: "elasticsearch-py", script: ELASTICSEARCH_PY, ..PYTHON_SCRIPT },
    Scenario { name: "elasticsearch-http", script: COMMON, ..PYTHON_SCRIPT },
    Scenario { name: "elasticsearch-server", watch: Watch::Server, script: COMMON, ..PYTHON_SCRIPT },
];
const OPENSEARCH_SCENARIOS: &[Scenario] =
    &[Scenario { name: "opensearch-http", script: COMMON, ..PYTHON_SCRIPT }];
const CLICKHOUSE_SCENARIOS: &[Scenario] =
    &[Scenario { name: "clickhouse-http", script: CLICKHOUSE_HTTP, ..PYTHON_SCRIPT }];
const HTTP_SCENARIOS: &[Scenario] =
    &[Scenario { name: "http-plain", program: "sh", script: PLAIN, ..NOTHING }];
