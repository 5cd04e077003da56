//! ClickHouse: SQL in the parameter or in the body.

use super::{CLICKHOUSE, check_values};
use crate::proto::text_dialogue::{bytes, run, same};

const OK: &str = "2 < HTTP/1.1 200 OK~X-ClickHouse-Summary: {\"read_rows\":\"9\",\"written_rows\":\"3\",\"result_rows\":\"7\"}~Content-Length: 0~~";

/// The statement of a request with this query and body.
#[track_caller]
fn check(query: &str, body: &str, expected: &str) {
    let length = bytes(body).len();
    let dialogue = format!("1 > POST /{query} HTTP/1.1~Content-Length: {length}~~{body}\n{OK}");
    check_values(&CLICKHOUSE, &dialogue, expected);
}

#[test]
fn statements() {
    check("", "SELECT a FROM t WHERE id = 42 AND s = 'x'", "SELECT a FROM t WHERE id = ? AND s = ? | 42, x");
    check("?database=d&user=u&password=secret", "select 1;", "select ? | 1");
    check("?query=SELECT%20count()+FROM+t+WHERE+a%3D5", "", "SELECT count() FROM t WHERE a = ? | 5");
    check("?query=INSERT+INTO+t+FORMAT+CSV", "1,2,secret", "INSERT INTO t FORMAT CSV |");
    check(
        "",
        "INSERT INTO t (a) FORMAT JSONEachRow {\"a\":\"secret\"}",
        "INSERT INTO t (a) FORMAT JSONEachRow |",
    );
    check("", "INSERT INTO t VALUES (1,'a'),(2,'b')", "INSERT INTO t VALUES (?, ?) | list of 2, list of 2");
    check("", "INSERT INTO `format` FORMAT TSV\\x00\\xff", "INSERT INTO `format` FORMAT TSV |");
    // ClickHouse's own comments and texts.
    check("", "/* dbt */ INSERT INTO t FORMAT CSV\\x0aalice,geheim", "INSERT INTO t FORMAT CSV |");
    check("", "INSERT INTO t -- don't\\x0aFORMAT CSV\\x0aalice,geheim", "INSERT INTO t FORMAT CSV |");
    check(
        "",
        "INSERT INTO t (a, format) FORMAT CSV\\x0aalice,geheim",
        "INSERT INTO t (a, format) FORMAT CSV |",
    );
    for comment in ["--don't", "//don't", "#!don't", "# don't", "/* a /* b */ don't */", "/*! don't */"] {
        check(
            "",
            &format!("SELECT 1 {comment}\\x0aFROM t WHERE a = 'x y'"),
            "SELECT ? FROM t WHERE a = ? | 1, x y",
        );
    }
    check(
        "",
        "SELECT '--' AS a$$b$$, $$it's$$, $x$ $$ $x$, ‘it's’",
        "SELECT ? AS a$$b$$, ?, ?, ? | --, ?, ?, ?",
    );
    check("", "SELECT $$cut", "SELECT ? |");
    // No text was seen.
    check("?decompress=1", "SELECT 1", "POST /?decompress |");
    check("ping", "", "POST /ping |");
    check("?query_id=abc", "", "POST /?query_id |");
}

#[test]
fn the_session_is_named() {
    let dialogue = format!(
        "1 > GET /?query=SELECT+1&database=d%2F1&password=p HTTP/1.1~X-ClickHouse-User: u~X-ClickHouse-Key: p~~\n{OK}"
    );
    let mut run = run((CLICKHOUSE.start)(true), &dialogue);
    assert_eq!(run.observer.session().database.as_deref(), Some("d/1"));
    assert_eq!(run.observer.session().user.as_deref(), Some("u"));
    same(&run.shown(), "1 2 2 102/116 rows=7 SELECT ?");
}

#[test]
fn a_compressed_or_cut_text_is_not_guessed() {
    let dialogue =
        format!("1 > POST / HTTP/1.1~Content-Encoding: gzip~Content-Length: 5~~\\x1f\\x8babc\n{OK}");
    check_values(&CLICKHOUSE, &dialogue, "POST / |");
    let dialogue = format!("1 > POST / HTTP/1.1~Content-Length: 1000~~SELECT a, b FROM t WHERE ...975\n{OK}");
    check_values(&CLICKHOUSE, &dialogue, "SELECT a, b FROM t WHERE … |");
    // An answer before the end of the request.
    let dialogue = "1 > POST / HTTP/1.1~Content-Length: 10~~SELECT\n2 < HTTP/1.1 401 No~Content-Length: 0~~\n3 > +1+1\n4 > GET /ping HTTP/1.1~~";
    same(
        &run((CLICKHOUSE.start)(true), dialogue).shown(),
        "1 2 2 45/38 rows=0 POST / 401\nin flight 4 GET /ping",
    );
}
