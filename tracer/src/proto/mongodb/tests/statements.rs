//! What stands in the text of a statement, and what never does.

use super::dialogue::{run, same};

/// A command says this, after it was answered.
#[track_caller]
fn check(command: &str, expected: &str) {
    let run = run(&format!("1 > 7 {command}\n2 < 9:7 {{ok: 1.0}}"));
    let texts: Vec<&str> =
        run.out.finished.iter().map(|request| &*run.texts.get(request.text).text).collect();
    same(&texts.join("\n"), expected);
    let places = expected.matches('?').count();
    assert_eq!(run.out.values_of(&run.out.finished[0]).len(), places.min(32), "{}", run.values());
}

#[test]
fn reads() {
    check(
        r#"{find: "users", filter: {age: {$gt: 5}, tags: ["a", "b"]}, sort: {name: 1}, $db: "shop"}"#,
        "find shop.users {age: {$gt: ?}, tags: [?]} sort {name: ?}",
    );
    check(
        r#"{find: "users", limit: 1, singleBatch: true, filter: {}, lsid: {id: 7}, $db: "shop"}"#,
        "find shop.users {} limit ?",
    );
    check(
        r#"{aggregate: "users", pipeline: [{$match: {a: 1}}, {$group: {_id: "$a", n: {$sum: 1}}}], cursor: {}, $db: "shop"}"#,
        "aggregate shop.users [{$match: {a: ?}}, {$group: {_id: ?, n: {$sum: ?}}}]",
    );
    check(r#"{aggregate: 1, pipeline: [{$currentOp: {}}], $db: "admin"}"#, "aggregate [{$currentOp: {}}]");
    check(r#"{count: "users", query: {a: 1}, $db: "shop"}"#, "count shop.users {a: ?}");
    check(
        r#"{distinct: "users", key: "address.city", query: {a: null}, $db: "shop"}"#,
        "distinct shop.users address.city {a: ?}",
    );
    check(r#"{getMore: long(99), collection: "users", $db: "shop"}"#, "getMore shop.users");
    check(
        r#"{explain: {find: "users", filter: {a: 1}}, verbosity: "x", $db: "shop"}"#,
        "explain find shop.users {a: ?}",
    );
}

#[test]
fn writes() {
    check(
        r#"{insert: "users", ordered: true, $db: "shop"} documents {_id: 1, name: "x"} {_id: 2}"#,
        "insert shop.users [?]",
    );
    check(r#"{insert: "users", documents: [{_id: 1}], $db: "shop"}"#, "insert shop.users [?]");
    check(
        r#"{update: "users", $db: "shop"} updates {q: {_id: 5}, u: {$set: {name: "x"}}, multi: false} {q: {}, u: {}}"#,
        "update shop.users {q: {_id: ?}, u: {$set: {name: ?}}}",
    );
    check(
        r#"{update: "users", updates: [{q: {a: 1}, u: [{$set: {b: 1}}], upsert: true, multi: true}], $db: "shop"}"#,
        "update shop.users {q: {a: ?}, u: [{$set: {b: ?}}], upsert, multi}",
    );
    check(
        r#"{delete: "users", $db: "shop"} deletes {q: {_id: {$in: [1, 2, 3]}}, limit: 0}"#,
        "delete shop.users {q: {_id: {$in: [?]}}, limit: ?}",
    );
    check(
        r#"{findAndModify: "users", query: {_id: 1}, remove: true, new: false, $db: "shop"}"#,
        "findAndModify shop.users {_id: ?} remove",
    );
}

#[test]
fn other_commands_show_their_name_only() {
    check(r#"{ping: 1, $db: "admin"}"#, "ping");
    check(r#"{listCollections: 1, filter: {name: "x"}, $db: "shop"}"#, "listCollections shop");
    check(r#"{createIndexes: "users", indexes: [{key: {a: 1}}], $db: "shop"}"#, "createIndexes shop.users");
    check(r#"{commitTransaction: 1, $db: "admin"}"#, "commitTransaction");
    check(r#"{someNewCommand: "value", other: "value", $db: "shop"}"#, "someNewCommand shop");
}

#[test]
fn secrets_are_never_shown() {
    check(
        r#"{saslStart: 1, mechanism: "PLAIN", payload: payload(?u?hunter), $db: "$external"}"#,
        "saslStart",
    );
    check(r#"{saslContinue: 1, payload: payload(hunter), $db: "admin"}"#, "saslContinue");
    check(r#"{createUser: "bob", pwd: "hunter", roles: [], $db: "admin"}"#, "createUser");
    check(r#"{updateUser: "bob", pwd: "hunter", $db: "shop"}"#, "updateUser shop");
    check(r#"{authenticate: 1, user: "bob", nonce: "n", key: "hunter", $db: "shop"}"#, "authenticate shop");
    check(r#"{explain: {createUser: "bob", pwd: "hunter"}, $db: "shop"}"#, "explain createUser shop");
}

#[test]
fn arrays_of_equal_items_are_one_item() {
    check(
        r#"{find: "u", filter: {$or: [{a: 1}, {a: 2}, {b: 3}, {a: 4}]}, $db: "d"}"#,
        "find d.u {$or: [{a: ?}, {b: ?}, {a: ?}]}",
    );
    check(
        r#"{find: "u", filter: {a: [], b: [[1, 2], [3]], c: [1, "x", null]}, $db: "d"}"#,
        "find d.u {a: [], b: [[?]], c: [?]}",
    );
}

#[test]
fn names_that_look_like_values() {
    check(
        r#"{update: "u", $db: "d"} updates {q: {}, u: {$set: {"sess.Xk3v9QzT1pLw": 1, "aBcDeFgHiJkLmNoPqR.n": 1, "tokens.QWxhZGRpbjpvcGVuIHNlc2FtZQ": 1}}}"#,
        "update d.u {q: {}, u: {$set: {sess.?: ?, ?.n: ?, tokens.?: ?}}}",
    );
    check(
        r#"{find: "u", filter: {getUserProfileByEmailAddress: 1, user_v2_settings: 1, customerBillingAddress2: 1}, $db: "d"}"#,
        "find d.u {getUserProfileByEmailAddress: ?, user_v2_settings: ?, customerBillingAddress2: ?}",
    );
    check(
        r#"{find: "u", filter: {"a.0.b": 1, "scores.12345": 1, "507f1f77bcf86cd799439011": 1, line2: 1, md5: 1}, $db: "d"}"#,
        "find d.u {a.?.b: ?, scores.?: ?, ?: ?, line2: ?, md5: ?}",
    );
    check(
        r#"{find: "u", filter: {"bob@example.org": 1, "user-550e8400-e29b-41d4-a716-446655440000": 1, größe: 1}, $db: "d"}"#,
        "find d.u {?: ?, ?: ?, größe: ?}",
    );
    check(
        r#"{find: "u", filter: {"a b": 1, "": 1, "10.0.0.1": 2}, $db: "d"}"#,
        "find d.u {?: ?, ?: ?, ?.?.?.?: ?}",
    );
}

#[test]
fn a_text_is_bounded() {
    let deep = format!("{}1{}", "{a: ".repeat(40), "}".repeat(40));
    check(
        &format!(r#"{{find: "u", filter: {deep}, $db: "d"}}"#),
        &format!("find d.u {}{{…}}{}", "{a: ".repeat(12), "}".repeat(12)),
    );
    let wide: Vec<String> = (0..100).map(|n| format!("f{}: 1", "x".repeat(n % 7 + 1))).collect();
    let shown: Vec<String> = (0..64).map(|n| format!("f{}: ?", "x".repeat(n % 7 + 1))).collect();
    check(
        &format!(r#"{{find: "u", filter: {{{}}}, $db: "d"}}"#, wide.join(", ")),
        &format!("find d.u {{{}, …}}", shown.join(", ")),
    );
}

#[test]
fn a_cut_message_ends_with_a_mark() {
    check(r#"{find: "u", filter: {a: 1, b: repeat(70000)}, $db: "d"}"#, "find u {a: ?, b: ?} …");
    check(
        r#"{update: "u", $db: "d"} updates {q: {_id: 1}, u: {$set: {blob: repeat(70000)}}}"#,
        "update d.u {q: {_id: ?}, u: {$set: {blob: ?}}} …",
    );
    // What is missing is not shown anyway.
    check(r#"{insert: "u", $db: "d"} documents {a: repeat(70000)}"#, "insert d.u [?]");
    let ids: Vec<String> = (100_000..108_000).map(|n| n.to_string()).collect();
    check(
        &format!(r#"{{find: "u", filter: {{_id: {{$in: [{}]}}}}, $db: "d"}}"#, ids.join(", ")),
        "find u {_id: {$in: [?]}} …",
    );
}

/// The texts of requests, one a line.
#[track_caller]
fn check_all(dialogue: &str, expected: &str) {
    let run = run(dialogue);
    let texts: Vec<&str> =
        run.out.finished.iter().map(|request| &*run.texts.get(request.text).text).collect();
    same(&texts.join("\n"), expected);
}

#[test]
fn a_cut_command_is_the_whole_one_that_is_known() {
    let list = |n: u32| (0..n).map(|n| (100_000 + n).to_string()).collect::<Vec<_>>().join(", ");
    let find = |id: u32, database: &str, n: u32| {
        format!(
            r#"{id}0 > {id} {{find: "u", filter: {{_id: {{$in: [{}]}}}}, $db: "{database}"}}
               {id}1 < 9{id}:{id} {{ok: 1.0}}"#,
            list(n)
        )
    };
    // The list alone is longer than what is read of a command.
    check_all(
        &[find(1, "d", 3), find(2, "d", 8000), find(3, "d", 9000)].join("\n"),
        "find d.u {_id: {$in: [?]}}
         find d.u {_id: {$in: [?]}}
         find d.u {_id: {$in: [?]}}",
    );
    // Two could be it.
    check_all(
        &[find(1, "d", 3), find(2, "e", 3), find(3, "d", 8000)].join("\n"),
        "find d.u {_id: {$in: [?]}}
         find e.u {_id: {$in: [?]}}
         find u {_id: {$in: [?]}} …",
    );
}
