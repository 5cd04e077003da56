"""PyMongo as a client that counts its own commands, by its command monitoring: against a server that counts nothing.

Usage: counting_pymongo_client.py, with the connection string in MONGODB_URI. It says "ready", does its work after a line of
stdin, and then says what it did: {command: [sent, failed]}, failed writes that the server answered with writeErrors not
among them.
"""

import collections
import json
import os
import sys

import pymongo
from pymongo import monitoring
from pymongo.errors import DuplicateKeyError


class Count(monitoring.CommandListener):
    def __init__(self):
        self.counts = collections.defaultdict(lambda: [0, 0])

    def started(self, event):
        self.counts[event.command_name][0] += 1

    def succeeded(self, event):
        pass

    def failed(self, event):
        self.counts[event.command_name][1] += 1


count = Count()
client = pymongo.MongoClient(os.environ["MONGODB_URI"], heartbeatFrequencyMS=500, event_listeners=[count])
shop = client.shop
users = shop.users
users.insert_many([{"_id": n, "name": "name %d" % n, "age": n % 90} for n in range(400)])
print("ready", flush=True)
sys.stdin.readline()
count.counts.clear()

for n in range(50):
    assert users.find_one({"_id": n})["name"] == "name %d" % n
for _ in range(5):
    assert len(list(users.find({"age": {"$gte": 0}}))) == 400
for n in range(20):
    users.update_one({"_id": n}, {"$set": {"name": "hunter2"}})
for n in range(10):
    users.insert_one({"_id": 5000 + n, "password": "hunter2"})
for n in range(3):
    try:
        users.insert_one({"_id": n})
        raise AssertionError(n)
    except DuplicateKeyError:
        pass
groups = users.aggregate([
    {"$match": {"age": {"$gt": 3}}},
    {"$group": {"_id": "$age", "people": {"$sum": 1}}},
    {"$sort": {"people": -1}},
])
assert len(list(groups)) == 86
assert users.count_documents({"age": 7}) == 5
assert len(users.distinct("age")) == 90
users.find_one_and_update({"_id": 1}, {"$set": {"age": 1}})
users.bulk_write([
    pymongo.InsertOne({"_id": 7001}),
    pymongo.UpdateOne({"_id": 1}, {"$set": {"nick": "hunter2"}}),
    pymongo.DeleteOne({"_id": 7001}),
], ordered=False)
users.create_index("age")
list(users.list_indexes())
shop.list_collection_names()
client.list_database_names()
with client.start_session() as session, session.start_transaction():
    users.update_one({"_id": 1}, {"$set": {"nick": "hunter2-in-transaction"}}, session=session)
# Only the beginning is wanted: the driver gives the cursor back.
cursor = users.find({}).batch_size(10)
cursor.next()
cursor.close()
users.find({"age": 1}).explain()
users.delete_many({"_id": {"$gte": 5000}})
print(json.dumps(count.counts), flush=True)
sys.stdin.readline()
