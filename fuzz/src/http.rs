//! What is said in HTTP/1.1, by programs that use Elasticsearch, OpenSearch, ClickHouse, or something else.

use tracer::proto::Side;

use super::Target;
use super::observer::{self, Language};
use super::seeds::{Dialogue, dialogues};

const fn language(protocol: &'static str) -> Language {
    Language { protocol, message, unframe: |_| None, client: client_messages, server: server_messages }
}

const ELASTICSEARCH: Language = language("elasticsearch");
const OPENSEARCH: Language = language("opensearch");
const CLICKHOUSE: Language = language("clickhouse");
const HTTP: Language = language("http");

const fn target(name: &'static str, language: &'static Language, run: fn(&[u8]), client: bool) -> Target {
    let seeds = if client { client_seeds } else { server_seeds };
    Target { name, protocol: Some(language.protocol), run, seeds }
}

/// elasticsearch, with a free client.
pub const ELASTICSEARCH_CLIENT: Target = target(
    "elasticsearch_client",
    &ELASTICSEARCH,
    |data| observer::run(&ELASTICSEARCH, Side::Client, data),
    true,
);
/// elasticsearch, with a free server.
pub const ELASTICSEARCH_SERVER: Target = target(
    "elasticsearch_server",
    &ELASTICSEARCH,
    |data| observer::run(&ELASTICSEARCH, Side::Server, data),
    false,
);
/// opensearch, with a free client.
pub const OPENSEARCH_CLIENT: Target =
    target("opensearch_client", &OPENSEARCH, |data| observer::run(&OPENSEARCH, Side::Client, data), true);
/// opensearch, with a free server.
pub const OPENSEARCH_SERVER: Target =
    target("opensearch_server", &OPENSEARCH, |data| observer::run(&OPENSEARCH, Side::Server, data), false);
/// clickhouse, with a free client.
pub const CLICKHOUSE_CLIENT: Target =
    target("clickhouse_client", &CLICKHOUSE, |data| observer::run(&CLICKHOUSE, Side::Client, data), true);
/// clickhouse, with a free server.
pub const CLICKHOUSE_SERVER: Target =
    target("clickhouse_server", &CLICKHOUSE, |data| observer::run(&CLICKHOUSE, Side::Server, data), false);
/// http, with a free client.
pub const HTTP_CLIENT: Target =
    target("http_client", &HTTP, |data| observer::run(&HTTP, Side::Client, data), true);
/// http, with a free server.
pub const HTTP_SERVER: Target =
    target("http_server", &HTTP, |data| observer::run(&HTTP, Side::Server, data), false);

/// A chunk of a body in chunks.
fn message(_: u8, body: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat()
}

fn all(messages: &[&str]) -> Vec<Vec<u8>> {
    messages.iter().map(|message| message.as_bytes().to_vec()).collect()
}

fn client_messages() -> Vec<Vec<u8>> {
    all(&[
        "GET /logs-2026/_search?size=5 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic abc\r\n\r\n",
        "POST /_bulk HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "PUT /i/_doc/7 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "PUT /i HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        "HEAD / HTTP/1.1\r\n\r\n",
        "POST /?database=d&query=INSERT+INTO+t+FORMAT+CSV HTTP/1.1\r\nContent-Length: 3\r\n\r\n1,2",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
        "SELECT 42",
        "CONNECT a:443 HTTP/1.1\r\n\r\n",
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n123456789",
    ])
}

fn server_messages() -> Vec<Vec<u8>> {
    all(&[
        "HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-ClickHouse-Summary: {\"result_rows\":\"7\"}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    ])
}

const DIALOGUES: &[Dialogue] = &[
    &[(&[0], &[0]), (&[1], &[1]), (&[2], &[2]), (&[5], &[11]), (&[0, 0], &[5, 0])],
    &[(&[3, 4], &[3, 4]), (&[7], &[7]), (&[8], &[6]), (&[6], &[6]), (&[11], &[1])],
    &[(&[0], &[8])],
    &[(&[9], &[9])],
    &[(&[10], &[10])],
];

fn client_seeds() -> Vec<Vec<u8>> {
    dialogues(&HTTP, Side::Client, DIALOGUES)
}

fn server_seeds() -> Vec<Vec<u8>> {
    dialogues(&HTTP, Side::Server, DIALOGUES)
}
