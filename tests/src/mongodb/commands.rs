//! The commands, as MongoDB's manual describes their answers.

use std::time::Duration;

use bson::{Bson, DateTime, Document, doc};

use super::filter;
use super::store::{State, Store};
use super::wire::COMPRESSORS;

/// Documents of a first batch, as MongoDB has it.
const FIRST_BATCH: usize = 101;

/// Answers `hello` and its old names.
pub(super) fn hello(name: &str, command: &Document) -> Document {
    let asked = command.get_array("compression").map(Vec::as_slice).unwrap_or_default();
    let both: Vec<&str> = asked
        .iter()
        .filter_map(Bson::as_str)
        .filter(|name| COMPRESSORS.iter().any(|(_, known)| known == name))
        .collect();
    let primary = if name == "hello" { "isWritablePrimary" } else { "ismaster" };
    let mut answer = doc! {
        "helloOk": true,
        primary: true,
        "topologyVersion": {"processId": bson::oid::ObjectId::from_bytes([7; 12]), "counter": 0_i64},
        "maxBsonObjectSize": 16_777_216,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 100_000,
        "localTime": DateTime::now(),
        "logicalSessionTimeoutMinutes": 30,
        "minWireVersion": 0,
        "maxWireVersion": 21,
        "readOnly": false,
    };
    if !both.is_empty() {
        answer.insert("compression", both);
    }
    answer.insert("ok", 1.0);
    answer
}

/// A failure, in the words of MongoDB's `error_codes.yml`.
struct Failure(i32, &'static str, String);

/// Carries a command out.
pub(super) fn carry_out(name: &str, command: &Document, store: &Store) -> Document {
    if name == "sleep" {
        let millis = command.get_i32("millis").or_else(|_| command.get_i32("sleep")).unwrap_or(0);
        std::thread::sleep(Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
        return doc! {"ok": 1.0};
    }
    let mut state = store.lock();
    answer(name, command, &mut state).unwrap_or_else(|Failure(code, code_name, message)| {
        doc! {"ok": 0.0, "errmsg": message, "code": code, "codeName": code_name}
    })
}

fn answer(name: &str, command: &Document, state: &mut State) -> Result<Document, Failure> {
    let database = command.get_str("$db").unwrap_or("test");
    let collection = command.get_str(name).unwrap_or_default();
    let namespace = format!("{database}.{collection}");
    match name {
        "ping" | "endSessions" | "create" | "createIndexes" => Ok(doc! {"ok": 1.0}),
        "buildInfo" | "buildinfo" => Ok(doc! {"version": "7.0.0", "versionArray": [7, 0, 0, 0], "ok": 1.0}),
        "serverStatus" => Ok(doc! {"metrics": {"commands": state.counted()}, "ok": 1.0}),
        "drop" | "dropDatabase" => {
            state.collections.retain(|name, _| !name.starts_with(&namespace));
            Ok(doc! {"ok": 1.0})
        }
        "find" => find(command, &namespace, state),
        "aggregate" => aggregate(command, &namespace, state),
        "getMore" => get_more(command, database, state),
        "killCursors" => {
            for id in command.get_array("cursors").into_iter().flatten().filter_map(Bson::as_i64) {
                state.cursors.remove(&id);
            }
            Ok(doc! {"ok": 1.0})
        }
        "count" => {
            let found = matching(state, &namespace, &document(command, "query"))?.len();
            Ok(doc! {"n": i32::try_from(found).unwrap_or(i32::MAX), "ok": 1.0})
        }
        "distinct" => {
            let key = command.get_str("key").unwrap_or_default();
            let mut values: Vec<Bson> = Vec::new();
            for found in matching(state, &namespace, &document(command, "query"))? {
                let value = found.get(key).cloned();
                values.extend(value.filter(|value| !values.contains(value)));
            }
            Ok(doc! {"values": values, "ok": 1.0})
        }
        "insert" => Ok(insert(command, state.collections.entry(namespace).or_default())),
        "update" => update(command, state.collections.entry(namespace).or_default()),
        "delete" => delete(command, state.collections.entry(namespace).or_default()),
        "findAndModify" | "findandmodify" => {
            find_and_modify(command, state.collections.entry(namespace).or_default())
        }
        other => Err(Failure(59, "CommandNotFound", format!("no such command: '{other}'"))),
    }
}

fn bad_value(message: String) -> Failure {
    Failure(2, "BadValue", message)
}

fn document(command: &Document, name: &str) -> Document {
    command.get_document(name).cloned().unwrap_or_default()
}

fn size(command: &Document, name: &str) -> Option<usize> {
    let number = command.get(name).and_then(filter::number).filter(|number| *number > 0.0)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above zero; saturates")]
    Some(number as usize)
}

fn matching(state: &State, namespace: &str, wanted: &Document) -> Result<Vec<Document>, Failure> {
    let mut found = Vec::new();
    for document in state.collections.get(namespace).into_iter().flatten() {
        if filter::fits(wanted, document).map_err(bad_value)? {
            found.push(document.clone());
        }
    }
    Ok(found)
}

fn cursor(namespace: &str, batch: &str, documents: Vec<Document>, id: i64) -> Document {
    doc! {"cursor": {batch: documents, "id": id, "ns": namespace}, "ok": 1.0}
}

fn find(command: &Document, namespace: &str, state: &mut State) -> Result<Document, Failure> {
    let mut found = matching(state, namespace, &document(command, "filter"))?;
    found.drain(..size(command, "skip").unwrap_or(0).min(found.len()));
    found.truncate(size(command, "limit").unwrap_or(usize::MAX));
    let (first, id) = state.open(found, size(command, "batchSize").unwrap_or(FIRST_BATCH));
    Ok(cursor(namespace, "firstBatch", first, id))
}

fn get_more(command: &Document, database: &str, state: &mut State) -> Result<Document, Failure> {
    let id = command.get_i64("getMore").unwrap_or_default();
    let namespace = format!("{database}.{}", command.get_str("collection").unwrap_or_default());
    let batch = size(command, "batchSize").unwrap_or(usize::MAX);
    let (next, id) = state
        .more(id, batch)
        .ok_or_else(|| Failure(43, "CursorNotFound", format!("cursor id {id} not found")))?;
    Ok(cursor(&namespace, "nextBatch", next, id))
}

/// `$match`, `$limit`, and `$group` that counts.
fn aggregate(command: &Document, namespace: &str, state: &mut State) -> Result<Document, Failure> {
    let mut found = matching(state, namespace, &Document::new())?;
    for stage in command.get_array("pipeline").into_iter().flatten().filter_map(Bson::as_document) {
        let Some((name, argument)) = stage.iter().next() else { continue };
        match (name.as_str(), argument) {
            ("$match", Bson::Document(wanted)) => {
                let mut kept = Vec::new();
                for document in found {
                    if filter::fits(wanted, &document).map_err(bad_value)? {
                        kept.push(document);
                    }
                }
                found = kept;
            }
            ("$limit", limit) => {
                found.truncate(filter::number(limit).map_or(0, |_| size(stage, name).unwrap_or(0)))
            }
            ("$group", _) => {
                let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
                found = if count == 0 { Vec::new() } else { vec![doc! {"_id": 1, "n": count}] };
            }
            (other, _) => {
                let message = format!("Unrecognized pipeline stage name: '{other}'");
                return Err(Failure(40324, "Location40324", message));
            }
        }
    }
    let batch = command.get_document("cursor").ok().and_then(|cursor| size(cursor, "batchSize"));
    let (first, id) = state.open(found, batch.unwrap_or(FIRST_BATCH));
    Ok(cursor(namespace, "firstBatch", first, id))
}

fn insert(command: &Document, documents: &mut Vec<Document>) -> Document {
    let ordered = command.get_bool("ordered").unwrap_or(true);
    let (mut inserted, mut errors) = (0, Vec::new());
    let new = command.get_array("documents").map(Vec::as_slice).unwrap_or_default();
    for (index, new) in (0..).zip(new.iter().filter_map(Bson::as_document)) {
        if documents.iter().any(|known| known.get("_id") == new.get("_id")) {
            errors.push(doc! {"index": index, "code": 11000, "errmsg": "E11000 duplicate key error"});
            if ordered {
                break;
            }
            continue;
        }
        documents.push(new.clone());
        inserted += 1;
    }
    let mut answer = doc! {"n": inserted};
    if !errors.is_empty() {
        answer.insert("writeErrors", errors);
    }
    answer.insert("ok", 1.0);
    answer
}

fn update(command: &Document, documents: &mut [Document]) -> Result<Document, Failure> {
    let (mut matched, mut modified) = (0, 0);
    for statement in command.get_array("updates").into_iter().flatten().filter_map(Bson::as_document) {
        let (wanted, change) = (document(statement, "q"), document(statement, "u"));
        for known in documents.iter_mut() {
            if filter::fits(&wanted, known).map_err(bad_value)? {
                matched += 1;
                modified += i32::from(filter::update(known, &change).map_err(bad_value)?);
                if !statement.get_bool("multi").unwrap_or(false) {
                    break;
                }
            }
        }
    }
    Ok(doc! {"n": matched, "nModified": modified, "ok": 1.0})
}

fn delete(command: &Document, documents: &mut Vec<Document>) -> Result<Document, Failure> {
    let mut deleted = 0;
    for statement in command.get_array("deletes").into_iter().flatten().filter_map(Bson::as_document) {
        let (wanted, one) = (document(statement, "q"), size(statement, "limit") == Some(1));
        let mut at = 0;
        while let Some(known) = documents.get(at) {
            if !filter::fits(&wanted, known).map_err(bad_value)? {
                at += 1;
                continue;
            }
            documents.remove(at);
            deleted += 1;
            if one {
                break;
            }
        }
    }
    Ok(doc! {"n": deleted, "ok": 1.0})
}

fn find_and_modify(command: &Document, documents: &mut Vec<Document>) -> Result<Document, Failure> {
    let wanted = document(command, "query");
    for at in 0..documents.len() {
        let Some(known) = documents.get_mut(at) else { break };
        if !filter::fits(&wanted, known).map_err(bad_value)? {
            continue;
        }
        let before = known.clone();
        if command.get_bool("remove").unwrap_or(false) {
            documents.remove(at);
            return Ok(doc! {"lastErrorObject": {"n": 1}, "value": before, "ok": 1.0});
        }
        filter::update(known, &document(command, "update")).map_err(bad_value)?;
        let last = doc! {"n": 1, "updatedExisting": true};
        return Ok(doc! {"lastErrorObject": last, "value": before, "ok": 1.0});
    }
    Ok(doc! {"lastErrorObject": {"n": 0, "updatedExisting": false}, "value": Bson::Null, "ok": 1.0})
}
