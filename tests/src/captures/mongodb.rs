//! Recordings of MongoDB's protocol: PyMongo against the small server of this package, since no MongoDB is to be had.

use std::process::Command;

use anyhow::Result;

use super::{PYTHON_SCRIPT, Protocol, Scenario, Server, Watch};
use crate::mongodb::MongoServer;

/// What is recorded of MongoDB's protocol.
pub const PROTOCOL: Protocol = Protocol { name: "mongodb", start, scenarios: SCENARIOS };

fn start() -> Result<Box<dyn Server>> {
    Ok(Box::new(MongoServer::start()?))
}

impl Server for MongoServer {
    fn pid(&self) -> Result<u32> {
        self.pid()
    }

    /// Listens on TCP only.
    fn client(&self, program: &str, _unix: bool) -> Command {
        let mut command = Command::new(program);
        command.env("MONGODB_URI", self.uri());
        command
    }
}

/// Everything that PyMongo can do to a parser.
const SESSION: &str = r#"
import os, uuid, datetime
import bson
from pymongo import MongoClient, UpdateOne, InsertOne, DeleteMany, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure
client = MongoClient(os.environ["MONGODB_URI"], heartbeatFrequencyMS=500)
db = client.shop
db.drop_collection("users")
db.users.insert_many([{"_id": n, "name": "name %d" % n, "age": n % 90, "tags": ["a", "b"]} for n in range(150)])
for n in range(25):
    db.users.find_one({"_id": n})
for user in db.users.find({"age": {"$gt": 10}, "tags": {"$exists": True}}).sort("name", 1):
    pass
list(db.users.find({"_id": {"$in": list(range(50))}}, {"name": 1}).limit(10))
list(db.users.find({"$or": [{"age": 1}, {"age": 2}], "key": uuid.uuid4(), "at": datetime.datetime.utcnow()}))
list(db.users.aggregate([{"$match": {"age": 7}}, {"$group": {"_id": "$age", "n": {"$sum": 1}}}]))
db.users.count_documents({"age": 5})
db.users.distinct("age", {"_id": {"$lt": 10}})
db.users.update_one({"_id": 5}, {"$set": {"name": "new", "scores.12345": 7}})
db.users.update_many({"age": 5}, {"$inc": {"age": 1}})
db.users.replace_one({"_id": 6}, {"name": "replaced"}, upsert=True)
db.users.find_one_and_update({"_id": 7}, {"$set": {"x": 1}})
db.users.delete_many({"age": 3})
db.users.delete_one({"_id": 9})
for wrong in (lambda: db.users.insert_one({"_id": 1}), lambda: db.command("nosuchcommand"),
              lambda: list(db.users.find({"a": {"$nosuch": 1}}))):
    try:
        wrong()
    except OperationFailure:
        pass
try:
    db.users.bulk_write([InsertOne({"_id": 1}), UpdateOne({"_id": 2}, {"$set": {"a": 1}}),
                         DeleteMany({"_id": 3})], ordered=False)
except BulkWriteError:
    pass
unacknowledged = db.get_collection("users", write_concern=WriteConcern(w=0))
for n in range(10):
    unacknowledged.insert_one({"_id": 1000 + n})
db.users.insert_one({"_id": 2000, "blob": "x" * 18000})
db.users.find_one({"_id": 2000})
db.command("sleep", 1, millis=1300)
db.command("ping")
client.close()
"#;

/// The same questions, compressed.
const COMPRESSED: &str = r#"
import os
from pymongo import MongoClient
client = MongoClient(os.environ["MONGODB_URI"], compressors="zlib", heartbeatFrequencyMS=500)
db = client.shop
db.drop_collection("packed")
db.packed.insert_many([{"_id": n, "text": "some text " * 10} for n in range(130)])
for n in range(20):
    db.packed.find_one({"_id": n})
list(db.packed.find({"_id": {"$gt": 5}}))
db.packed.update_one({"_id": 1}, {"$set": {"text": "other"}})
try:
    db.command("nosuchcommand")
except Exception:
    pass
client.close()
"#;

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "pymongo", script: SESSION, ..PYTHON_SCRIPT },
    Scenario { name: "pymongo-zlib", script: COMPRESSED, ..PYTHON_SCRIPT },
    Scenario { name: "mongodb-server", watch: Watch::Server, script: COMPRESSED, ..PYTHON_SCRIPT },
];
