# NATS, with the package nats-server: its text protocol has PING, PONG and +OK, as Redis has.
nats-server -a 127.0.0.1 -p "$PORT" >/dev/null 2>&1 &
server=$!
sleep 1
/usr/bin/python3 - "$PORT" <<'PYTHON'
import socket, sys

client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
lines = client.makefile("rb")
lines.readline()
client.sendall(b'CONNECT {"verbose":true,"pedantic":false}\r\nPING\r\n')
for _ in range(2):
    lines.readline()
client.sendall(b"SUB orders.* 1\r\n")
lines.readline()
for n in range(20):
    body = b"order %d" % n
    client.sendall(b"PUB orders.new %d\r\n%s\r\n" % (len(body), body))
    for _ in range(3):
        lines.readline()
client.sendall(b"UNSUB 1\r\nPING\r\n")
for _ in range(2):
    lines.readline()
client.close()
PYTHON
kill "$server"
