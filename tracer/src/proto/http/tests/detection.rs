//! What is HTTP, whose, and what is not.

use super::super::{CLICKHOUSE, ELASTICSEARCH, HTTP, OPENSEARCH};
use crate::proto::text_dialogue::{bytes, transfers};
use crate::proto::{Detection, Piece, Side};
use proptest::prelude::*;

/// The name of the only entry that is sure; `maybe`; `no`.
fn verdict(pieces: &[Piece<'_>], side: Side) -> &'static str {
    let mut found = Vec::new();
    let mut maybe = false;
    for entry in [ELASTICSEARCH, OPENSEARCH, CLICKHOUSE, HTTP] {
        match (entry.detect)(pieces) {
            Detection::Yes(said) => {
                assert_eq!(said, side);
                found.push(entry.name);
            }
            Detection::Maybe => maybe = true,
            Detection::No => {}
        }
    }
    assert!(found.len() <= 1 && (!maybe || found.is_empty()), "{found:?}");
    found.first().copied().unwrap_or(if maybe { "maybe" } else { "no" })
}

/// The same dialogue, seen by its client and by its server.
#[track_caller]
fn check(dialogue: &str, expected: &str) {
    let transfers = transfers(dialogue);
    for side in [Side::Client, Side::Server] {
        let pieces: Vec<_> = transfers
            .iter()
            .map(|transfer| Piece {
                sent: transfer.side == side,
                bytes: &transfer.bytes,
                skipped: transfer.skipped,
            })
            .collect();
        assert_eq!(verdict(&pieces, side), expected, "{dialogue}");
    }
}

#[test]
fn the_answer_says_whose_it_is() {
    check("1 > GET / HTTP/1.1~~\n2 < HTTP/1.1 200 OK~X-elastic-product: Elasticsearch~~", "elasticsearch");
    check("1 < HTTP/1.1 404 No~x-elastic-product: Elasticsearch~content-length: 5", "elasticsearch");
    check("1 > POST / HTTP/1.1~~\n2 < HTTP/1.1 200 OK~X-ClickHouse-Query-Id: a~~", "clickhouse");
    check("1 > GET /a HTTP/1.1~~\n2 < HTTP/1.1 200 OK~X-OpenSearch-Version: OpenSearch/2.19~~", "opensearch");
    check("1 > GET /a HTTP/1.1~~\n2 < HTTP/1.1 200 OK~Content-Type: text/html~~<html>", "http");
    check(
        "1 > PUT /a HTTP/1.1~~\n2 < HTTP/1.1 100 Continue~~\n3 > x\n4 < HTTP/1.1 200 OK~X-ClickHouse-Format: TSV~~",
        "clickhouse",
    );
    check(
        "1 > GET /a HTTP/1.1~~\n2 < HTTP/1.1 200 OK~Server: x~\n3 < X-elastic-product: Elasticsearch~~",
        "elasticsearch",
    );
    // Joined inside a body.
    check(
        "1 < {100}\n2 < {100}\n3 > GET /_search HTTP/1.1~~\n4 < HTTP/1.1 200 OK~X-elastic-product: Elasticsearch~~",
        "elasticsearch",
    );
}

#[test]
fn the_common_interface() {
    let json = "2 < HTTP/1.1 200 OK~content-type: application/json; charset=UTF-8~~";
    for path in ["/_search", "/i/_doc/1", "/_bulk", "/i,j/_msearch?x", "/_cluster/health"] {
        check(&format!("1 > GET {path} HTTP/1.1~~\n{json}{{}}"), "elasticsearch");
        check(&format!("1 > GET {path} HTTP/1.1~User-Agent: opensearch-py/2.4~~\n{json}{{}}"), "opensearch");
    }
    check(
        &format!("1 > GET /i HTTP/1.1~~\n{json}{{\"acknowledged\":true,\"shards_acknowledged\":true}}"),
        "elasticsearch",
    );
    check(
        &format!("1 > GET / HTTP/1.1~~\n{json}{{\"version\":{{\"distribution\" : \"opensearch\"}}}}"),
        "opensearch",
    );
    check(&format!("1 > HEAD /i HTTP/1.1~User-Agent: opensearch-py/2.4~~\n{json}"), "opensearch");
    check(&format!("1 > HEAD /i HTTP/1.1~~\n{json}"), "maybe");
    check(&vec![format!("1 > HEAD /i HTTP/1.1~~\n{json}"); 4].join("\n"), "maybe");
    check(
        &format!("1 > HEAD /i HTTP/1.1~~\n{json}\n3 > GET /i/_count HTTP/1.1~~\n{json}{{}}"),
        "elasticsearch",
    );
    check(&format!("1 > DELETE /i HTTP/1.1~~\n{json}{{\"acknowledged\":true}}"), "elasticsearch");
}

#[test]
fn answers_that_could_be_anyones() {
    let json = "2 < HTTP/1.1 200 OK~content-type: application/json; charset=UTF-8~~";
    // CouchDB, and a program of one's own: the next answer tells.
    for (request, body) in [
        ("GET /db/_all_docs", "{}"),
        ("GET /db/_design/x/_search", "{}"),
        ("GET /_node/_local/_stats", "{}"),
        ("GET /users", "[]"),
        ("POST /hook", "{\"acknowledged\":true}"),
        ("DELETE /users/1", "{\"acknowledged\":true,\"deletedCount\":1}"),
    ] {
        let exchange = format!("1 > {request} HTTP/1.1~~\n{json}{body}");
        check(&exchange, "maybe");
        check(&format!("{exchange}\n{exchange}"), "http");
    }
    let counted = format!("1 > GET /users HTTP/1.1~~\n{json}[]\n3 > GET /i/_count HTTP/1.1~~\n{json}{{}}");
    check(&counted, "elasticsearch");
    let couchdb = "2 < HTTP/1.1 200 OK~Server: CouchDB/3.3~Content-Type: application/json~~";
    check(&format!("1 > GET /_node/_local/_stats HTTP/1.1~~\n{couchdb}{{}}"), "http");
    check(&format!("1 > GET /_cluster HTTP/1.1~~\n{couchdb}{{}}"), "http");
    // FHIR, and a proxy that answers for a database.
    let fhir = "1 > POST /fhir/Patient/_search HTTP/1.1~~\n2 < HTTP/1.1 200 OK~Content-Type: application/fhir+json~~{}";
    check(fhir, "maybe");
    check(&[fhir; 16].join("\n"), "http");
    for request in ["GET /i/_search HTTP/1.1~~", "POST /i HTTP/1.1~User-Agent: opensearch-py~~"] {
        let refused = format!("1 > {request}\n2 < HTTP/1.1 502 No~Content-Type: text/html~~");
        check(&refused, "maybe");
        check(&vec![refused.clone(); 16].join("\n"), "http");
        let found = format!("{refused}\n3 > {request}\n{json}{{}}");
        check(&found, if request.contains("opensearch") { "opensearch" } else { "elasticsearch" });
    }
}

#[test]
fn too_little_to_tell() {
    check("1 > GET /_search HTTP/1.1~~", "maybe");
    check("1 > GET /a HTTP/1.1~~\n2 < HTTP/1.1 200 OK~Server: x", "maybe");
    check("1 > GET /a HTTP/1.1~~\n2 < HTTP/1.1 200 OK~Ser...300", "maybe");
    // Without its request it could be an OpenSearch.
    check("1 < HTTP/1.1 200 OK~Content-Length: 0~~", "maybe");
    check("1 > GET /a HTTP/1.1~~\n2 < HTTP/1.1 100 Continue~~", "maybe");
}

#[test]
fn other_protocols() {
    for text in [
        "*1~$4~PING~",
        "get a~",
        "SSH-2.0-OpenSSH_9.2~",
        "PRI * HTTP/2.0~~SM~~",
        "OPTIONS rtsp://x RTSP/1.0~",
        "INVITE sip:a@b SIP/2.0~",
        "RTSP/1.0 200 OK~",
        "GET key~",
        "\\x16\\x03\\x01\\x02\\x00\\x01",
    ] {
        let text = bytes(text);
        let piece = Piece { sent: true, bytes: &text, skipped: 0 };
        assert_eq!(verdict(&[piece; 8], Side::Client), "no");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no(pieces in prop::collection::vec(
        (any::<bool>(), prop::collection::vec(any::<u8>(), 40..200)), 8..12,
    )) {
        let pieces: Vec<_> =
            pieces.iter().map(|(sent, bytes)| Piece { sent: *sent, bytes, skipped: 0 }).collect();
        prop_assert_eq!(verdict(&pieces, Side::Client), "no");
    }
}
