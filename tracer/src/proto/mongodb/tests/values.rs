//! Values by position.

use super::dialogue::{run, same};

#[track_caller]
fn check(command: &str, expected: &str) {
    let run = run(&format!("1 > 7 {command}\n2 < 9:7 {{ok: 1.0}}"));
    same(&run.values(), expected);
}

#[test]
fn values_of_all_types() {
    check(
        r#"{find: "u", filter: {a: 1, b: long(5000000000), c: 1.5, d: "text", e: true, f: null}, $db: "d"}"#,
        "find d.u {a: ?, b: ?, c: ?, d: ?, e: ?, f: ?} | 1, 5000000000, 1.5, text, true, NULL",
    );
    check(
        r#"{find: "u", filter: {a: oid(507f1f77bcf86cd799439011), b: uuid(550e8400e29b41d4a716446655440000), c: bytes(0102), d: date(1700000000000), e: timestamp(1700000000), f: regex(^ab), g: max()}, $db: "d"}"#,
        r"find d.u {a: ?, b: ?, c: ?, d: ?, e: ?, f: ?, g: ?} | \x507f1f77bcf86cd799439011, 550e8400-e29b-41d4-a716-446655440000, \x0102, 2023-11-14 22:13:20, 2023-11-14 22:13:20, ^ab, ?",
    );
    // 12.5 and -7, as decimal128.
    check(
        r#"{find: "u", filter: {a: decimal(7d000000000000000000000000003e30), b: decimal(070000000000000000000000000040b0)}, $db: "d"}"#,
        "find d.u {a: ?, b: ?} | 12.5, -7",
    );
}

#[test]
fn lists() {
    check(
        r#"{find: "u", filter: {$or: [{a: 1, b: 2}, {a: 3, b: 4}], c: [5], d: []}, $db: "d"}"#,
        "find d.u {$or: [{a: ?, b: ?}], c: [?], d: []} | (1, 3), (2, 4), 5",
    );
    check(
        r#"{find: "u", filter: {a: [1, 2, [3, 4], {b: 5}, {b: 6}, 7, 8]}, $db: "d"}"#,
        "find d.u {a: [?, [?], {b: ?}, ?]} | (1, 2), (3, 4), (5, 6), (7, 8)",
    );
    check(r#"{insert: "u", $db: "d"} documents {a: 1} {a: 2} {a: 3}"#, "insert d.u [?] | (3 elements)");
}

#[test]
fn names_are_values_too() {
    check(
        r#"{find: "u", filter: {"scores.12345": 7, "x.1.y.2": 8}, $db: "d"}"#,
        "find d.u {scores.?: ?, x.?.y.?: ?} | 12345, 7, 1, 2, 8",
    );
}

#[test]
fn secrets_have_no_features() {
    check(
        r#"{find: "u", filter: {password: "hunter2", user_token: {$eq: "abc"}, name: "x"}, $db: "d"}"#,
        "find d.u {password: ?, user_token: {$eq: ?}, name: ?} | ?, ?, x",
    );
}
