"""PyMongo as a client of the end-to-end tests.

Usage: pymongo_client.py MODE, with the connection string in MONGODB_URI. One line of stdin starts a step, and each step ends
with a line on stdout.
"""

import json
import os
import sys
import time

from pymongo import MongoClient, WriteConcern
from pymongo.errors import OperationFailure

CLIENT = MongoClient(os.environ["MONGODB_URI"], heartbeatFrequencyMS=500)
DB = CLIENT.shop


def wait():
    if not sys.stdin.readline():
        sys.exit(0)


def say(text):
    print(text, flush=True)


def counters():
    """What the server has counted of each command, and how many of them failed."""
    commands = CLIENT.admin.command("serverStatus")["metrics"]["commands"]
    return {name: [counts["total"], counts["failed"]] for name, counts in commands.items()}


def fill():
    DB.drop_collection("users")
    DB.users.insert_many([{"_id": n, "name": f"name {n}", "age": n % 90} for n in range(400)])


def counted():
    """Does a known number of each command, and tells what the server counted of them."""
    fill()
    before = counters()
    say("ready")
    wait()
    unacknowledged = DB.get_collection("users", write_concern=WriteConcern(w=0))
    for number in range(50):
        DB.users.find_one({"_id": number})
    for _ in range(5):
        assert len(list(DB.users.find({"age": {"$gte": 0}}))) == 400
    for number in range(20):
        DB.users.update_one({"_id": number}, {"$set": {"name": "new"}})
    for number in range(10):
        DB.users.insert_one({"_id": 5000 + number, "password": "hunter2"})
    for number in range(3):
        try:
            DB.users.insert_one({"_id": number})
        except OperationFailure:
            pass
        try:
            DB.command("nosuchcommand", "hunter2")
        except OperationFailure:
            pass
    for number in range(7):
        unacknowledged.insert_one({"_id": 6000 + number})
    DB.users.delete_many({"_id": {"$gte": 5000}})
    # Long enough for a few heartbeats.
    time.sleep(1.2)
    say("done")
    wait()
    after = counters()
    say(json.dumps({name: [a - b for a, b in zip(counts, before.get(name, [0, 0]))]
                    for name, counts in after.items()}))
    wait()


def timed():
    """Times each call with a monotonic clock."""
    fill()
    calls = {
        "find shop.users {_id: ?} limit ?": (300, lambda: DB.users.find_one({"_id": 7})),
        "find shop.users {} limit ?": (20, lambda: list(DB.users.find({}, batch_size=1000).limit(400))),
        "sleep shop": (40, lambda: DB.command("sleep", 1, millis=20)),
    }
    DB.command("ping")
    say("ready")
    wait()
    measured = {}
    for text, (count, call) in calls.items():
        times = []
        for _ in range(count):
            begin = time.monotonic_ns()
            call()
            times.append(time.monotonic_ns() - begin)
        measured[text] = times
    say(json.dumps(measured))
    wait()


def waiting():
    """A request that is not answered while the test looks."""
    DB.command("ping")
    say("ready")
    wait()
    say("sent")
    DB.command("sleep", 1, millis=3000)
    say("done")
    wait()


{"counted": counted, "timed": timed, "waiting": waiting}[sys.argv[1]]()
