"""Redis' and memcached's protocols byte by byte: what the drivers of the end-to-end tests cannot say.

Usage: raw_client.py MODE, with the server in DB_HOST and DB_PORT. Each mode runs to its end.

tracking: Redis, RESP3: reads 20 keys that somebody else changes after each read; says how many invalidations came.
hello: Redis: HELLO 3 AUTH with a wrong and with the right password, AUTH, and a few commands.
sasl: memcached's binary protocol: SASL PLAIN with a wrong and with the right password, then a set and three gets.
"""

import os
import socket
import struct
import sys
import time

PLACE = (os.environ["DB_HOST"], int(os.environ["DB_PORT"]))


class Redis:
    def __init__(self):
        self.socket = socket.create_connection(PLACE)
        self.file = self.socket.makefile("rb")
        self.pushed = []

    def value(self):
        line = self.file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind in b"+-:_,#(":
            return line
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        count = int(rest) * (2 if kind == b"%" else 1)
        values = [self.value() for _ in range(max(count, 0))]
        if kind == b">":
            self.pushed.append(values)
            return self.value() if self.wants_answer else values
        return values

    def call(self, *words):
        words = [word.encode() for word in words]
        command = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        self.socket.sendall(command)
        self.wants_answer = True
        return self.value()

    def wait_for_push(self):
        self.wants_answer = False
        return self.value()


def tracking():
    reader, writer = Redis(), Redis()
    reader.call("HELLO", "3")
    assert reader.call("CLIENT", "TRACKING", "ON") == b"+OK"
    for n in range(20):
        assert writer.call("SET", f"cached:{n}", "x") == b"+OK"
        assert reader.call("GET", f"cached:{n}") == b"x"
        time.sleep(0.05)
        assert writer.call("SET", f"cached:{n}", "y") == b"+OK"
        if n % 2:
            # Before the next answer, in the same bytes or alone.
            assert reader.wait_for_push()[0] == b"invalidate"
    reader.call("PING")
    print(len(reader.pushed), flush=True)


def hello():
    user, password = os.environ["DB_USER"], os.environ["DB_PASSWORD"]
    client = Redis()
    assert client.call("HELLO", "3", "AUTH", user, password + "-wrong").startswith(b"-WRONGPASS")
    assert isinstance(client.call("HELLO", "3", "AUTH", user, password, "SETNAME", "app"), list)
    assert client.call("SET", "user:7", "v") == b"+OK"
    assert client.call("AUTH", user, password) == b"+OK"
    assert client.call("GET", "user:7") == b"v"


def sasl():
    user, password = os.environ["DB_USER"].encode(), os.environ["DB_PASSWORD"].encode()
    client = socket.create_connection(PLACE)
    file = client.makefile("rb")

    def call(opcode, key=b"", value=b"", extras=b""):
        body = extras + key + value
        header = struct.pack(">BBHBBHIIQ", 0x80, opcode, len(key), len(extras), 0, 0, len(body), 7, 0)
        client.sendall(header + body)
        _, _, _, _, _, status, length, _, _ = struct.unpack(">BBHBBHIIQ", file.read(24))
        return status, file.read(length)

    assert call(0x00, b"user:7")[0] == 0x20, "not allowed before the login"
    client = socket.create_connection(PLACE)
    file = client.makefile("rb")
    assert b"PLAIN" in call(0x20)[1]
    assert call(0x21, b"PLAIN", b"\0" + user + b"\0" + password + b"-wrong")[0] == 0x20
    client = socket.create_connection(PLACE)
    file = client.makefile("rb")
    assert call(0x21, b"PLAIN", b"\0" + user + b"\0" + password)[0] == 0
    assert call(0x01, b"user:7", b"v", b"\0" * 8)[0] == 0
    for _ in range(3):
        assert call(0x00, b"user:7") == (0, b"\0\0\0\0v")


{"tracking": tracking, "hello": hello, "sasl": sasl}[sys.argv[1]]()
