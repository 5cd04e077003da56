//! Connections joined in the middle, and holes.

use super::dialogue::{check, check_joined};

const A: &str = r#"{find: "a", filter: {x: 1}, $db: "d"}"#;
const B: &str = r#"{find: "b", filter: {x: 1}, $db: "d"}"#;
const OK: &str = "{n: 1, ok: 1.0}";

#[test]
fn case_46_joined_between_requests() {
    check_joined(
        &format!("10 > 5 {A}\n20 < 60:5 {OK}\n30 > 6 {B}\n40 < 61:6 {OK}"),
        "10 20 20 rows=1 find d.a {x: ?}
         30 40 40 rows=1 find d.b {x: ?}",
    );
}

#[test]
fn case_67_an_answer_to_a_request_before() {
    check_joined(
        &format!("20 < 60:5 {OK}\n30 > 6 {B}\n40 < 61:6 {OK}\n50 > 7 {B}\n60 < 62:7 {OK}"),
        "30 40 40 rows=1 find d.b {x: ?}
         50 60 60 rows=1 find d.b {x: ?}
         started_before=1",
    );
}

#[test]
fn joined_inside_a_message() {
    check_joined(
        &format!(
            "10 > hex 6162636400 | 6 {A}\n20 < hex 00000000010203 | 60:6 {OK}\n30 > 7 {B}\n40 < 61:7 {OK}"
        ),
        "10 20 20 rows=1 find d.a {x: ?}
         30 40 40 rows=1 find d.b {x: ?}",
    );
}

#[test]
fn joined_where_a_header_is_read_alone() {
    check_joined(
        "10 > hex 24000000 05000000 00000000 dd070000
         11 > hex 00000000 00 0f000000 10 70696e6700 01000000 00
         20 < hex 26000000 09000000 05000000 dd070000
         21 < hex 00000000 00 11000000 01 6f6b00 000000000000f03f 00",
        "10 20 21 rows=0 ping",
    );
}

#[test]
fn a_hole_inside_an_answer_hides_what_it_says() {
    let find =
        r#"20 < 60:1 {cursor: {firstBatch: [{a: 1}, {a: repeat(50)}], id: long(0)}, ok: 0.0, code: 59}"#;
    // `from` bytes are seen, then `length` are not.
    let holed = |hole: &str, expected: &str| {
        check(
            &format!("10 > 1 {A}\n{find} ~{hole}\n30 > 2 {B}\n40 < 61:2 {OK}"),
            &format!("10 20 20 rows={expected}\n30 40 40 rows=1 find d.b {{x: ?}}"),
        );
    };
    let whole = "2 find d.a {x: ?} !59";
    holed("20+0", whole);
    // The flags, the section, the rest.
    holed("18", "0 find d.a {x: ?}");
    holed("20+10", "0 find d.a {x: ?}");
    // Inside a value that nobody reads.
    holed("90+20", whole);
    // The number of documents, but not the error behind them.
    holed("60+20", "0 find d.a {x: ?} !59");
    holed("60", "0 find d.a {x: ?}");
    holed("60+110", "0 find d.a {x: ?}");
}

#[test]
fn a_request_that_is_cut() {
    let find = r#"10 > 1 {find: "a", filter: {x: 1, y: {z: 2, v: repeat(50)}}, sort: {x: 1}, $db: "d"}"#;
    let cut = |at: usize, expected: &str| {
        check(
            &format!("{find} ~{at}\n20 < 60:1 {OK}\n30 > 2 {B}\n40 < 61:2 {OK}"),
            &format!("10 20 20 rows=1 {expected}\n30 40 40 rows=1 find d.b {{x: ?}}"),
        );
    };
    cut(90, "find a {x: ?, y: {z: ?, v: ?}} …");
    cut(72, "find a {x: ?, y: {z: ?}} …");
    cut(64, "find a {x: ?, y: {}} …");
    cut(57, "find a {x: ?} …");
    cut(40, "find a …");
}

#[test]
fn case_61_a_hole_over_requests() {
    check(
        &format!(
            "10 > 1 {A}
             20 < 60:1 {OK}
             30 > ...200
             40 < 61:2 {OK}
             50 > 3 {B}
             60 < 62:3 {OK}"
        ),
        "10 20 20 rows=1 find d.a {x: ?}
         50 60 60 rows=1 find d.b {x: ?}
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn case_61_a_hole_over_answers() {
    check(
        &format!(
            "10 > 1 {A}
             20 < ...300
             30 > 2 {B}
             40 < 62:2 {OK}"
        ),
        "30 40 40 rows=1 find d.b {x: ?}
         unmatched=1
         resyncs=1",
    );
}

#[test]
fn case_44_heartbeats_from_before() {
    use crate::proto::Protocol as _;
    let run = super::dialogue::join("10 < 60:5 +more {isWritablePrimary: true, ok: 1.0}");
    assert!(run.observer.in_sync());
    check_joined(
        "10 < 60:5 +more {isWritablePrimary: true, ok: 1.0}
         20 < 61:60 +more {isWritablePrimary: true, ok: 1.0}",
        "pushed=2",
    );
    // A connection that watches is asked again: nothing else was ever sent on it.
    check_joined(
        r#"10 > 8 {hello: 1, $db: "admin"}
        20 < 60:8 {isWritablePrimary: true, ok: 1.0}"#,
        "pushed=1",
    );
}

#[test]
fn case_42_an_exhaust_cursor_from_before_is_one_request() {
    let batch = "{cursor: {nextBatch: [{a: 1}], id: long(5)}, ok: 1.0}";
    check_joined(
        &format!(
            "20 < 60:5 +more {batch}\n30 < 61:60 +more {batch}\n40 < 62:61 {batch}\n50 > 9 {A}\n60 < 63:9 {OK}"
        ),
        "50 60 60 rows=1 find d.a {x: ?}
         started_before=1",
    );
}
