"""psycopg 3 as a client that sends the requests of a plan, over several connections at a time.

Usage: planned_client.py PLAN, a file of JSON:

    {"style": "text" | "binary" | "literals", "prepared_before": bool,
     "lanes": [{"conninfo": "...", "setup": "SET ..." or null}, ...],
     "phases": [[[{"sql": "SELECT f($1)", "parameters": [7], "pause_ms": 3, "reconnect": false}, ...] by lane] ...]}

A lane is a connection and a thread. `ready` on stdout says that all connections are open; a line on stdin starts each
phase, and its end is told by a line: the list of what was sent as [lane, number, nanoseconds, first column]. Styles:
parameters of the extended protocol as text or binary, or literals in a simple query.
"""

import json
import re
import sys
import threading
import time

import psycopg


def wait():
    if not sys.stdin.readline():
        sys.exit(0)


def say(text):
    print(text, flush=True)


class Lane:
    def __init__(self, plan, lane):
        self.style, self.conninfo, self.setup = plan["style"], lane["conninfo"], lane["setup"]
        self.threshold = 0 if plan["prepared_before"] else None
        self.connect()

    def connect(self):
        self.connection = psycopg.connect(self.conninfo, autocommit=True)
        self.connection.prepare_threshold = self.threshold
        if self.style == "literals":
            self.cursor = psycopg.ClientCursor(self.connection)
        else:
            self.cursor = self.connection.cursor(binary=self.style == "binary")
        if self.setup:
            self.cursor.execute(self.setup)

    def send(self, request):
        self.cursor.execute(re.sub(r"\$\d+", "%s", request["sql"]), request["parameters"])
        row = self.cursor.fetchone() if self.cursor.description else None
        return row[0] if row else None

    def run(self, number, requests, sent):
        for at, request in enumerate(requests):
            time.sleep(request["pause_ms"] / 1000)
            if request["reconnect"]:
                self.connection.close()
                self.connect()
            begin = time.monotonic_ns()
            answer = self.send(request)
            sent.append((number, at, time.monotonic_ns() - begin, answer))


def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    lanes = [Lane(plan, lane) for lane in plan["lanes"]]
    if plan["prepared_before"]:
        for lane, requests in zip(lanes, plan["phases"][0]):
            lane.send(requests[0])
    say("ready")
    for phase in plan["phases"]:
        wait()
        sent = []
        threads = [threading.Thread(target=lane.run, args=(number, requests, sent), daemon=True)
                   for number, (lane, requests) in enumerate(zip(lanes, phase))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        say(json.dumps(sent))
    wait()


main()
