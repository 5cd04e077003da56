//! The protocol's traps, one by one, on connections seen from their start.

use super::dialogue::{check, run};

const FIND: &str = r#"{find: "u", filter: {a: 1}, $db: "d"}"#;

#[test]
fn a_request_and_its_answer() {
    check(
        &format!(
            r#"10 > 1 {FIND}
            20 < 50:1 {{cursor: {{firstBatch: [{{a: 1}}, {{a: 2}}], id: long(0), ns: "d.u"}}, ok: 1.0}} cut
            30 > 2 {FIND}
            40 < 51:2 {{cursor: {{firstBatch: [], id: long(0)}}, ok: 1.0}}"#
        ),
        "10 20 20 rows=2 find d.u {a: ?}
         30 40 40 rows=0 find d.u {a: ?}",
    );
}

#[test]
fn answers_belong_to_the_request_that_they_name() {
    check(
        r#"10 > 1 {find: "a", $db: "d"} | 2 {find: "b", $db: "d"} | 3 {find: "c", $db: "d"}
        20 < 50:2 {ok: 1.0}
        30 < 51:3 {ok: 1.0} | 52:1 {ok: 1.0}"#,
        "10 20 20 rows=0 find d.b
         10 30 30 rows=0 find d.c
         10 30 30 rows=0 find d.a",
    );
}

#[test]
fn sizes_are_those_of_the_messages() {
    let run = run(r#"10 > 1 +sum {ping: 1, $db: "admin"}
        20 < 50:1 {ok: 1.0}"#);
    let request = &run.out.finished[0];
    let (request_bytes, answer_bytes) = (request.request_bytes, request.answer_bytes);
    assert_eq!((request_bytes, answer_bytes), (16 + 5 + 4 + 5 + 10 + 15, 16 + 5 + 5 + 12));
}

#[test]
fn case_42_unacknowledged_writes_are_no_requests() {
    check(
        r#"10 > 1 +more {insert: "u", $db: "d"} documents {a: 1}
        20 > 2 {ping: 1, $db: "d"}
        30 < 50:2 {ok: 1.0}"#,
        "20 30 30 rows=0 ping d
         pushed=1",
    );
}

#[test]
fn case_42_an_exhaust_cursor_is_one_request() {
    let batch = "{cursor: {nextBatch: [{a: 1}, {a: 2}], id: long(5)}, ok: 1.0}";
    check(
        &format!(
            r#"10 > 1 +exhaust {{getMore: long(5), collection: "u", $db: "d"}}
            20 < 50:1 +more {batch}
            30 < 51:50 +more {batch}
            40 < 52:51 {batch}
            50 > 2 {{ping: 1, $db: "admin"}}
            60 < 53:2 {{ok: 1.0}}"#
        ),
        "10 20 40 rows=6 getMore d.u
         50 60 60 rows=0 ping",
    );
}

#[test]
fn case_43_compressed_messages() {
    for compressor in ["noop", "snappy", "zlib", "zstd"] {
        check(
            &format!(
                r#"10 > {compressor} 1 {FIND}
                20 < {compressor} 50:1 {{cursor: {{firstBatch: [{{a: 1}}, {{a: 2}}], id: long(0)}}, ok: 1.0}}
                30 > {compressor} 2 {{insert: "u", $db: "d"}} documents {{a: 1}}
                40 < {compressor} 51:2 {{ok: 0.0, codeName: "NotWritablePrimary", code: 10107}}
                50 > {compressor} 3 +more {{insert: "u", $db: "d"}} documents {{a: 1}}"#
            ),
            "10 20 20 rows=2 find d.u {a: ?}
             30 40 40 rows=0 insert d.u [?] !NotWritablePrimary
             pushed=1",
        );
    }
    // Longer than what is made of it: no half of the rows.
    for compressor in ["snappy", "zlib", "zstd"] {
        check(
            &format!(
                r#"10 > {compressor} 1 {{find: "u", filter: {{a: 1, b: repeat(2000000)}}, $db: "d"}}
                20 < 50:1 {{ok: 1.0}}"#
            ),
            "10 20 20 rows=0 find u {a: ?, b: ?} …",
        );
        check(
            &format!(
                r#"10 > 1 {FIND}
                20 < {compressor} 50:1 {{cursor: {{firstBatch: [{{a: 1}}, {{a: repeat(2000000)}}, {{a: 2}}], id: long(0)}}, ok: 1.0}}"#
            ),
            "10 20 20 rows=0 find d.u {a: ?}",
        );
    }
}

#[test]
fn case_43_what_cannot_be_decompressed_has_no_name() {
    check(
        "10 > hex 20000000 01000000 00000000 dc070000 dd070000 64000000 01 00000000000000
         20 < 50:1 {ok: 1.0}",
        "10 20 20 rows=0 (compressed)
         unnamed=1",
    );
}

#[test]
fn case_44_heartbeats_are_no_requests() {
    // The handshake of a connection that watches, then hellos that wait.
    check(
        r#"10 > 1 {hello: 1, client: {driver: {name: "x"}}, $db: "admin"}
        20 < 50:1 {isWritablePrimary: true, topologyVersion: {counter: 1}, ok: 1.0}
        30 > 2 +exhaust {hello: 1, topologyVersion: {counter: 1}, maxAwaitTimeMS: 10000, $db: "admin"}
        10040 < 51:2 +more {isWritablePrimary: true, ok: 1.0}
        20040 < 52:51 +more {isWritablePrimary: true, ok: 1.0}"#,
        "10 20 20 rows=0 hello
         pushed=2",
    );
    // An old server is asked again and again.
    check(
        r#"10 > 1 query admin.$cmd {isMaster: 1, client: {driver: {name: "x"}}}
        20 < 50:1 reply {ismaster: true, ok: 1.0}
        30 > 2 query admin.$cmd {isMaster: 1}
        40 < 51:2 reply {ismaster: true, ok: 1.0}
        50 > 3 query admin.$cmd {isMaster: 1}"#,
        "10 20 20 rows=0 isMaster
         pushed=1",
    );
    // A program asks; in a session, what watches never does.
    check(
        r#"10 > 1 {hello: 1, client: {driver: {name: "x"}}, $db: "admin"}
        20 < 50:1 {isWritablePrimary: true, ok: 1.0}
        30 > 2 {hello: 1, lsid: {id: 7}, $db: "app"}
        40 < 51:2 {isWritablePrimary: true, ok: 1.0}
        50 > 3 {hello: 1, $db: "app"}
        60 < 52:3 {isWritablePrimary: true, ok: 1.0}"#,
        "10 20 20 rows=0 hello
         30 40 40 rows=0 hello
         50 60 60 rows=0 hello",
    );
    check(
        r#"10 > 1 {ping: 1, $db: "admin"}
        20 < 50:1 {ok: 1.0}
        30 > 2 {hello: 1, $db: "admin"}
        40 < 51:2 {ok: 1.0}"#,
        "10 20 20 rows=0 ping
         30 40 40 rows=0 hello",
    );
}

#[test]
fn legacy_messages() {
    check(
        r#"10 > 1 query d.u {a: 1}
        20 < 50:1 reply {a: 1}{a: 2}
        30 > 2 opcode 2002
        40 > 3 opcode 2005
        50 < 51:3 reply {a: 1}
        60 > 4 query d.$cmd {count: "u", query: {a: 1}}
        70 < 52:4 reply {n: 7, ok: 1.0}"#,
        "10 20 20 rows=1 (OP_QUERY)
         40 50 50 rows=1 (OP_GET_MORE)
         60 70 70 rows=1 count d.u {a: ?}
         pushed=1",
    );
}

#[track_caller]
fn answered(answer: &str, expected: &str) {
    check(
        &format!(r#"1 > 7 {{update: "u", $db: "d"}}{}2 < 9:7 {answer}"#, "\n"),
        &format!("1 2 2 rows={expected}"),
    );
}

#[test]
fn errors_and_rows() {
    answered("{n: 3, nModified: 2, ok: 1.0}", "3 update d.u");
    answered("{n: long(3), ok: 1}", "3 update d.u");
    answered(
        r#"{ok: 0.0, errmsg: "no", code: 59, codeName: "CommandNotFound"}"#,
        "0 update d.u !CommandNotFound",
    );
    answered(r#"{errmsg: "no", code: 59, ok: 0}"#, "0 update d.u !59");
    answered("{ok: false}", "0 update d.u !0");
    answered(
        r#"{n: 1, writeErrors: [{index: 1, code: 11000, errmsg: "dup", keyValue: {code: 5}}, {code: 7}], ok: 1.0}"#,
        "1 update d.u !11000",
    );
    answered(
        r#"{n: 1, writeConcernError: {code: 64, codeName: "WriteConcernTimeout", errInfo: {}}, ok: 1.0}"#,
        "1 update d.u !WriteConcernTimeout",
    );
    answered(r#"{lastErrorObject: {n: 1, updatedExisting: true}, value: {n: 50}, ok: 1.0}"#, "1 update d.u");
    answered(r#"{values: ["a", "b", "c"], ok: 1.0}"#, "3 update d.u");
    answered("{values: [1, 2, {a: 1}, [1]], ok: 1.0}", "4 update d.u");
    answered("{nInserted: 2, nMatched: 3, nModified: 1, nUpserted: 0, nDeleted: 1, ok: 1.0}", "6 update d.u");
    // bulkWrite of 8.0: the batch has the results of single writes.
    let bulk = |batch: &str, rest: &str, expected: &str| {
        let cursor = format!(r#"{{id: long(0), firstBatch: [{batch}], ns: "admin.$cmd.bulkWrite"}}"#);
        answered(&format!("{{cursor: {cursor}, {rest}, ok: 1.0}}"), expected);
    };
    bulk(
        r#"{ok: 1.0, idx: 0, n: 1}, {ok: 0.0, idx: 1, code: 11000, errmsg: "x", n: 0}, {ok: 0.0, idx: 2, code: 7}"#,
        "nErrors: 2, nInserted: 5",
        "5 update d.u !11000",
    );
    bulk("", "nErrors: 1, nInserted: 0, nMatched: 2", "2 update d.u !0");
    bulk("{ok: 1.0, idx: 0, n: 1}", "nErrors: 0, nInserted: 1", "1 update d.u");
    bulk("{code: 7, a: repeat(400)}, {ok: 1.0, b: regex(x)}, {_id: 1}", "n: 9", "3 update d.u");
    // The code name of a document is no error.
    answered(r#"{cursor: {firstBatch: [{ok: 0, code: 5}], id: long(0)}, ok: 1.0}"#, "1 update d.u");
}

#[test]
fn the_user_is_known_and_nothing_else() {
    let run = run(
        r#"1 > 1 {hello: 1, client: {}, speculativeAuthenticate: {saslStart: 1, mechanism: "SCRAM-SHA-256", payload: payload(n,,n=bo=2Cb,r=nonce)}, $db: "admin"}"#,
    );
    use crate::proto::Protocol as _;
    assert_eq!(run.observer.session().user.as_deref(), Some("bo,b"));
    let plain = super::dialogue::run(
        r#"1 > 1 {saslStart: 1, mechanism: "PLAIN", payload: payload(n,,n=bob,r=hunter), $db: "admin"}"#,
    );
    assert_eq!(plain.observer.session().user, None);
}

#[test]
fn in_flight_and_closed() {
    check(
        &format!("10 > 1 {FIND}\n20 > 2 {FIND}"),
        "in flight 10 find d.u {a: ?}
         in flight 20 find d.u {a: ?}",
    );
    let mut run = run(&format!("10 > 1 {FIND}\n20 < hex 40000000 09000000 01000000 dd070000 00000000"));
    use crate::proto::Protocol as _;
    assert_eq!(run.observer.open_requests(), 1);
    run.observer.close(crate::time::Nanos(30), &mut run.out);
    super::dialogue::same(&run.shown(), "10 20 30 rows=0 find d.u {a: ?} !closed");
    assert_eq!(run.observer.open_requests(), 0);
}

#[test]
fn an_answer_may_be_recorded_before_its_request() {
    check(
        &format!(
            "10 < 50:1 {{ok: 1.0}}
             11 > 1 {FIND}
             20 > 2 {FIND}
             30 < 51:2 {{ok: 1.0}}"
        ),
        "11 10 10 rows=0 find d.u {a: ?}
         20 30 30 rows=0 find d.u {a: ?}",
    );
}
