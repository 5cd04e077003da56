//! Requests and answers in all their forms.

use super::{ELASTICSEARCH, check, check_joined, check_values};
use crate::proto::text_dialogue::run;
use crate::time::Nanos;

#[test]
fn requests_are_named_by_their_path() {
    for (line, text) in [
        ("GET /logs-2026.11.23/_search", "GET /logs-?.?.?/_search"),
        ("POST /_bulk?refresh=true&pipeline=secret", "POST /_bulk?refresh&pipeline"),
        ("PUT /users/_doc/bob", "PUT /users/_doc/?"),
        ("GET /users/_doc/550e8400-e29b-41d4-a716-446655440000", "GET /users/_doc/?"),
        ("GET /a%2Fb/%31%32/_search", "GET /a/b/?/_search"),
        ("GET /", "GET /"),
        ("GET /x?q=a%26b=c&n0=1", "GET /x?q&n?"),
        ("DELETE /idx42?x", "DELETE /idx??x"),
        ("GET http://user:secret@host/a/7?b=1", "GET /a/??b"),
        ("OPTIONS *", "OPTIONS *"),
    ] {
        let mut run = run((ELASTICSEARCH.start)(true), &format!("1 > {line} HTTP/1.1~~"));
        assert_eq!(run.shown(), format!("in flight 1 {text}"));
    }
    check_values(
        &ELASTICSEARCH,
        "1 > GET /u/_doc/bob/12 HTTP/1.1~~\n2 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "GET /u/_doc/?/? | bob, 12",
    );
}

#[test]
fn bodies_end_where_they_say() {
    check(
        "1 > POST /i/_search HTTP/1.1~Host: x~Content-Length: 10~~
         2 > {10}
         3 < HTTP/1.1 200 OK~Content-Length: 300~~{200}
         4 < {100}
         5 > GET /i/_count HTTP/1.1~~
         6 < HTTP/1.1 404 Not Found~content-length: 2~~xx",
        "1 3 4 67/340 rows=0 POST /i/_search
         5 6 6 26/47 rows=0 GET /i/_count 404",
    );
    // Chunks with an extension and a trailer.
    check(
        "1 > PUT /i HTTP/1.1~Transfer-Encoding: chunked~~5~ddddd~1;a=b~d~0~~
         2 < HTTP/1.1 200 OK~Transfer-Encoding: gzip, chunked~~a~{10}~
         3 < 0~X-Trailer: y~~
         4 > GET /j HTTP/1.1~~
         5 < HTTP/1.1 503 Busy~Content-Length: 0~~",
        "1 2 3 72/87 rows=0 PUT /i
         4 5 5 19/40 rows=0 GET /j 503",
    );
    // No body: HEAD, 204, 304. An interim answer belongs to its request.
    check(
        "1 > HEAD /i HTTP/1.1~~
         2 < HTTP/1.1 200 OK~Content-Length: 99~~
         3 > DELETE /i HTTP/1.1~~
         4 < HTTP/1.1 204 No Content~~
         5 > PUT /i HTTP/1.1~Content-Length: 3~Expect: 100-continue~~
         6 < HTTP/1.1 100 Continue~~
         7 > ddd
         8 < HTTP/1.1 201 Created~Content-Length: 1~~d",
        "1 2 2 20/39 rows=0 HEAD /i
         3 4 4 22/27 rows=0 DELETE /i
         5 6 8 63/69 rows=0 PUT /i",
    );
}

#[test]
fn an_answer_may_end_with_the_connection() {
    let mut run =
        run((ELASTICSEARCH.start)(true), "1 > GET /i HTTP/1.0~~\n2 < HTTP/1.1 200 OK~~abc\n3 < def");
    run.observer.close(Nanos(9), &mut run.out);
    assert_eq!(run.shown(), "1 2 3 19/25 rows=0 GET /i");
    let mut run = super::run((ELASTICSEARCH.start)(true), "1 > GET /i HTTP/1.1~~");
    run.observer.close(Nanos(9), &mut run.out);
    assert_eq!(run.shown(), "1 9 9 19/0 rows=0 GET /i closed");
}

#[test]
fn a_stream_is_no_request() {
    check(
        "1 > GET /ws HTTP/1.1~Upgrade: websocket~~
         2 < HTTP/1.1 101 Switching Protocols~Upgrade: websocket~~
         3 > GET /x HTTP/1.1~~",
        "1 2 2 40/56 rows=0 GET /ws
         streaming=1",
    );
    check(
        "1 > CONNECT user:pass@host:443 HTTP/1.1~~
         2 < HTTP/1.1 200 OK~~
         3 > \\x16\\x03\\x01",
        "1 2 2 39/19 rows=0 CONNECT *
         streaming=1",
    );
}

#[test]
fn pipelines_keep_their_order() {
    check(
        "1 > GET /a HTTP/1.1~~GET /b HTTP/1.1~~
         2 < HTTP/1.1 200 OK~Content-Length: 1~~a
         3 < HTTP/1.1 500 No~Content-Length: 1~~b",
        "1 2 2 19/39 rows=0 GET /a
         1 3 3 19/39 rows=0 GET /b 500",
    );
}

#[test]
fn holes() {
    // Inside bodies.
    check(
        "1 > POST /_bulk HTTP/1.1~Content-Length: 100000~~...100000
         2 < HTTP/1.1 200 OK~Content-Length: 5000~~abc...4997
         3 > GET /a HTTP/1.1~~
         4 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "1 2 2 100048/5041 rows=0 POST /_bulk
         3 4 4 19/38 rows=0 GET /a",
    );
    // Over chunks: the last ones show the end.
    check(
        "1 > GET /a HTTP/1.1~~
         2 < HTTP/1.1 200 OK~Transfer-Encoding: chunked~~64~abc...300
         3 < dd~0~~
         4 > GET /b HTTP/1.1~~
         5 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "1 2 3 19/363 rows=0 GET /a
         4 5 5 19/38 rows=0 GET /b",
    );
    // With a trailer the client's next request tells it.
    check(
        "1 > GET /a HTTP/1.1~~
         2 < HTTP/1.1 200 OK~Transfer-Encoding: chunked~~64~abc...300
         3 < 0~X: y~~
         4 > GET /b HTTP/1.1~~
         5 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "1 2 3 19/365 rows=0 GET /a
         4 5 5 19/38 rows=0 GET /b",
    );
    check(
        "1 > PUT /a HTTP/1.1~Transfer-Encoding: chunked~~64~abc...300
         2 < HTTP/1.1 200 OK~Content-Length: 0~~
         3 > GET /b HTTP/1.1~~
         4 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "1 2 2 354/38 rows=0 PUT /a
         3 4 4 19/38 rows=0 GET /b
         resyncs=1",
    );
    // Over a head.
    check(
        "1 > GET /a HT...20
         2 < HTTP/1.1 200 OK~Content-Length: 0~~
         3 > GET /b HTTP/1.1~~
         4 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "3 4 4 19/38 rows=0 GET /b
         unmatched=1
         resyncs=1",
    );
    check(
        "1 > GET /a HTTP/1.1~~
         2 < ...38
         3 > GET /b HTTP/1.1~~
         4 < HTTP/1.1 200 OK~Content-Length: 0~~
         5 > GET /c HTTP/1.1~~
         6 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "3 4 4 19/38 rows=0 GET /b
         5 6 6 19/38 rows=0 GET /c
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn joined_in_the_middle() {
    check_joined(
        "1 < {50}
         2 > GET /a HTTP/1.1~~
         3 < HTTP/1.1 200 OK~Content-Length: 0~~
         4 > GET /b HTTP/1.1~~
         5 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "2 3 3 19/38 rows=0 GET /a
         4 5 5 19/38 rows=0 GET /b",
    );
    // The answer to a HEAD from before.
    check_joined(
        "1 < HTTP/1.1 200 OK~Content-Length: 99~~
         2 > GET /a HTTP/1.1~~
         3 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "2 3 3 19/38 rows=0 GET /a
         started_before=1",
    );
    // A pipeline: the first answer is to a request from before.
    check_joined(
        "1 > GET /b HTTP/1.1~~
         2 < HTTP/1.1 404 No~Content-Length: 1~~a
         3 < HTTP/1.1 200 OK~Content-Length: 2~~bb
         4 > GET /c HTTP/1.1~~
         5 < HTTP/1.1 200 OK~Content-Length: 0~~",
        "1 3 3 19/40 rows=0 GET /b
         4 5 5 19/38 rows=0 GET /c
         started_before=1",
    );
}

#[test]
fn no_secret_is_kept() {
    let head = "1 > GET /a HTTP/1.1~Authorization: Basic c2VjcmV0~Cookie: c2VjcmV0~X-Long: y cut";
    let mut run = run((ELASTICSEARCH.start)(true), head);
    let shown = run.shown();
    let shown = format!("{:?} {:?} {shown}", run.out, run.texts);
    assert!(!shown.contains("c2Vj"), "{shown}");
    // Neither whole nor in parts does the head keep it.
    for cut in 0..40 {
        let mut parts = super::super::head::Head::default();
        let moment = crate::proto::Moment {
            at: Nanos(1),
            task: crate::request::Task::default(),
            ends_transfer: false,
            load: None,
        };
        let text = b"GET / HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n";
        let mut input = &text[..20 + cut.min(25)];
        parts.next(moment, &mut input, |_| true);
        assert!(parts.kept().len() <= b"Authorization:".len(), "{cut}");
    }
}
