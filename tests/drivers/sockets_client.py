"""A process with sockets and no database, for the end-to-end tests.

Usage: sockets_client.py COUNT. Opens that many TCP connections to a child of its own; says `ready`; for each line on
stdin sends a few bytes over each connection, reads the same back, and says `done`.
"""

import os
import resource
import socket
import sys

count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
if os.fork() == 0:
    accepted = [listener.accept()[0] for _ in range(count)]
    while True:
        for connection in accepted:
            data = connection.recv(100)
            if not data:
                os._exit(0)
            connection.sendall(data)
address = listener.getsockname()
connections = [socket.create_connection(address) for _ in range(count)]
listener.close()
print("ready", flush=True)
while sys.stdin.readline():
    for connection in connections:
        connection.sendall(b"hello")
        assert connection.recv(100) == b"hello"
    print("done", flush=True)
os._exit(0)
