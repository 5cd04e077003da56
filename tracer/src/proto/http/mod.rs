//! HTTP/1.1, far enough to recognise it, to pass over what is no database, and to read the requests of Elasticsearch,
//! OpenSearch and ClickHouse. Not HTTP/2, and nothing inside TLS.
//!
//! Sources: RFC 9110 (semantics), RFC 9112 (messages); for the header fields and paths of each product its own manual, named
//! where they stand ([`detect`], [`clickhouse`]).
//!
//! Four registry entries share one implementation, and exclude each other: the first answer that tells whose it is
//! decides ([`detect`]). `http` is everything else; it is named and reports no requests.
//!
//! What counts as what:
//! - A request is one HTTP request with its final answer. It starts with the chunk with the first byte of the request line,
//!   and ends with the chunk with the last byte of the answer's body. Interim answers (1xx) belong to it.
//! - Its statement is the method with the pattern of the path, and the names of the query's parameters
//!   ([`path`]); of ClickHouse the normalised SQL where it was seen.
//! - An answer with a status of 400 or more is an error with this status.
//! - After 101, and after CONNECT, the connection is a stream: no requests from then on.
//!
//! Memory of one connection: `exchange::PENDING` requests, 16 KiB of an unfinished request line, 1 KiB of an unfinished
//! header field that is read, 64 KiB of an unfinished SQL text. Every other header field (Authorization, Cookie) and every
//! other body passes by and is never kept.

mod body;
mod clickhouse;
mod detect;
mod exchange;
mod fields;
mod head;
mod lexer;
mod observer;
mod passed;
mod path;
#[cfg(test)]
mod tests;

use super::Entry;

/// The registry entry of Elasticsearch.
pub const ELASTICSEARCH: Entry = Entry {
    name: "elasticsearch",
    detect: |pieces| detect::detect(pieces, detect::Product::Elasticsearch),
    start: |from_start| Box::new(observer::Observer::new(from_start, detect::Product::Elasticsearch)),
};

/// The registry entry of OpenSearch.
pub const OPENSEARCH: Entry = Entry {
    name: "opensearch",
    detect: |pieces| detect::detect(pieces, detect::Product::Opensearch),
    start: |from_start| Box::new(observer::Observer::new(from_start, detect::Product::Opensearch)),
};

/// The registry entry of ClickHouse over HTTP.
pub const CLICKHOUSE: Entry = Entry {
    name: "clickhouse",
    detect: |pieces| detect::detect(pieces, detect::Product::Clickhouse),
    start: |from_start| Box::new(observer::Observer::new(from_start, detect::Product::Clickhouse)),
};

/// The registry entry of all other HTTP: recognised, and passed over.
pub const HTTP: Entry = Entry {
    name: "http",
    detect: |pieces| detect::detect(pieces, detect::Product::Other),
    start: |_| Box::new(passed::Passed::default()),
};
