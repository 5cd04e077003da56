"""pymemcache, and plain lines on a socket, as clients of the end-to-end tests.

Usage: memcached_client.py MODE, with the server in DB_HOST and DB_PORT or in DB_SOCKET. Modes that a test talks to read
lines of stdin: one line starts each step, and each step ends with a line on stdout. The others run to their end.
"""

import json
import os
import socket
import sys
import threading
import time

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheError

PLACE = os.environ.get("DB_SOCKET") or (os.environ["DB_HOST"], int(os.environ["DB_PORT"]))


def connect(**options):
    return Client(PLACE, default_noreply=False, no_delay=True, **options)


def wait():
    if not sys.stdin.readline():
        sys.exit(0)


def say(text):
    print(text, flush=True)


def fails(call, *arguments):
    try:
        call(*arguments)
    except MemcacheError:
        return
    raise AssertionError(call)


def normal():
    client = connect()
    for number in range(200):
        client.set("user:%d:name" % number, "value %d" % number, expire=60)
    for number in range(300):
        client.get("user:%d:name" % number)
    for _ in range(10):
        assert len(client.get_many(["user:%d:name" % n for n in range(150, 250)])) == 50
    _, token = client.gets("user:1:name")
    client.cas("user:1:name", "swapped", token)
    client.cas("user:1:name", "too late", token)
    client.add("user:1:name", "there already")
    client.add("user:1000:name", "new")
    client.replace("user:2000:name", "not there")
    client.append("user:1:name", "behind")
    client.prepend("user:1:name", "before")
    client.set("counter", "10")
    for _ in range(20):
        client.incr("counter", 3)
        client.decr("counter", 1)
    client.incr("no counter".replace(" ", ":"), 1)
    fails(client.incr, "user:1:name", 1)
    client.touch("user:1:name", 100)
    client.touch("user:3000:name", 100)
    client.delete("user:2:name")
    client.delete("user:2:name")
    client.set("page:1", "x\r\nEND\r\nVALUE a 0 1\r\n" * 20000)
    assert len(client.get("page:1")) == 21 * 20000
    fails(client.set, "page:2", "x" * 2000000)
    client.version()
    client.quit()


def quiet():
    """Commands that ask for no answer, between others."""
    client = connect()
    for number in range(500):
        client.set("quiet:%d" % number, "v", noreply=True)
        client.delete("quiet:%d" % (number - 1), noreply=True)
        client.incr("quiet:counter", 1, noreply=True)
        if number % 10 == 0:
            client.get("quiet:%d" % number)
    client.set_many({"many:%d" % n: "v" for n in range(100)}, noreply=True)
    client.get("many:99")
    client.close()


def lines(steps):
    """Each step: what is sent at once, and how the answer ends."""
    stream = socket.create_connection(PLACE)
    for sent, end in steps:
        stream.sendall(sent)
        got = b""
        while not got.endswith(end):
            piece = stream.recv(65536)
            assert piece, got
            got += piece
    stream.close()


def meta():
    one = b"ms meta:%d 5 T60\r\nhello\r\n"
    lines(
        [(one % n, b"HD\r\n") for n in range(50)]
        + [(b"mg meta:%d v t f\r\n" % n, b"hello\r\n") for n in range(50)]
        + [(b"mg meta:%d v\r\n" % n, b"EN\r\n") for n in range(100, 120)]
        + [
            # In one piece; hits answer, misses are quiet, the no-op tells the end.
            (b"".join(b"mg meta:%d v k q O%d\r\n" % (n, n) for n in range(0, 100, 2)) + b"mn\r\n", b"MN\r\n"),
            (b"ma meta:count N0 J5 v\r\nma meta:count v\r\nmd meta:1 q\r\nmd meta:1\r\nmn\r\n", b"MN\r\n"),
            (b"me meta:3\r\n", b"\r\n"),
        ]
    )


def pipelined():
    """Many commands in one piece."""
    keys = b" ".join(b"line:%d" % n for n in range(100))
    lines(
        [
            (b"".join(b"set line:%d 0 0 3\r\nabc\r\n" % n for n in range(100)), b"STORED\r\n" * 100),
            (b"".join(b"get line:%d\r\n" % n for n in range(100)), b"line:99 0 3\r\nabc\r\nEND\r\n"),
            (b"get " + keys + b"\r\n", b"line:99 0 3\r\nabc\r\nEND\r\n"),
            (b"get line:1 line:1000\r\nnosuch\r\nget line:2\r\nset line:3 0 0 abc\r\n", b"CLIENT_ERROR bad command line format\r\n"),
            (b"mn\r\n", b"MN\r\n"),
        ]
    )


def busy():
    """Never idle. From the second line on it asks for other keys, and then says how often it did."""
    client = connect()
    state = {"name": "first", "counted": 0, "stop": False}

    def work():
        number = 0
        while not state["stop"]:
            name, number = state["name"], number + 1
            client.get("%s:%d" % (name, number))
            state["counted"] += name == "second"

    worker = threading.Thread(target=work)
    worker.start()
    say("ready")
    wait()
    state["name"] = "second"
    time.sleep(1)
    state["stop"] = True
    worker.join()
    say(str(state["counted"]))
    wait()


def timed():
    client = connect()
    client.set("timed:1", "x")
    client.set("large:1", "x" * 50000)
    measured = {}

    def measure(times, name, call, *arguments):
        for _ in range(times):
            begin = time.perf_counter_ns()
            call(*arguments)
            measured.setdefault(name, []).append(time.perf_counter_ns() - begin)

    say("ready")
    wait()
    measure(500, "get timed:?", client.get, "timed:1")
    measure(300, "set timed:?", client.set, "timed:1", "y")
    measure(30, "get large:?", client.get, "large:1")
    say(json.dumps(measured))
    wait()


def secrets():
    client = connect()
    client.set("user:4929123412341234", "hunter2-value")
    client.get("user:4929123412341234")
    client.get_many(["user:492912341234123%d" % n for n in range(10)])
    client.get("mail:hunter2.someone@example.com")
    client.set("session:4d6a4b1e0f5c4929123412341234a7c9", "hunter2" * 1000)
    client.get("session:4d6a4b1e0f5c4929123412341234a7c9")
    client.cas("user:4929123412341234", "hunter2-cas", "1")
    client.incr("user:4929123412341234", 492912341)
    client.append("user:4929123412341234", "\r\nhunter2-appended\r\n", noreply=True)
    client.get("user:4929123412341234")


modes = dict(
    normal=normal, quiet=quiet, meta=meta, pipelined=pipelined, busy=busy, timed=timed, secrets=secrets
)
try:
    modes[sys.argv[1]]()
except MemcacheError as error:
    if sys.argv[1] != "secrets":
        raise
    print(type(error))
